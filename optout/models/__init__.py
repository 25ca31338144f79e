from optout.models.flags import OptOut
from optout.models.ledger import ConsentEvent, ConsentEvidence
from optout.models.signing_up import SignUp, SignUpMailbox
from optout.models.subscribing import Service, ServiceText, Subscription
from optout.models.uploads import Upload

__all__ = [
    "ConsentEvent",
    "ConsentEvidence",
    "OptOut",
    "Service",
    "ServiceText",
    "SignUp",
    "SignUpMailbox",
    "Subscription",
    "Upload",
]
