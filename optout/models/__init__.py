from optout.models.brands import Brand
from optout.models.bursts import Burst, RepeatedStop
from optout.models.flags import OptOut
from optout.models.ledger import ConsentEvent, ConsentEvidence
from optout.models.limits import Limit
from optout.models.pages import LandingPage, LandingPageVersion
from optout.models.reasons import OptOutReason
from optout.models.requests import StopRequest
from optout.models.signing_up import SignUp, SignUpMailbox
from optout.models.subscribing import Service, ServiceText, Subscription
from optout.models.uploads import Upload

__all__ = [
    "Brand",
    "Burst",
    "ConsentEvent",
    "ConsentEvidence",
    "LandingPage",
    "LandingPageVersion",
    "Limit",
    "OptOut",
    "OptOutReason",
    "RepeatedStop",
    "Service",
    "ServiceText",
    "SignUp",
    "SignUpMailbox",
    "StopRequest",
    "Subscription",
    "Upload",
]
