from optout.models.flags import OptOut
from optout.models.ledger import ConsentEvent, ConsentEvidence
from optout.models.subscribing import Service, ServiceText, Subscription
from optout.models.uploads import Upload

__all__ = [
    "ConsentEvent",
    "ConsentEvidence",
    "OptOut",
    "Service",
    "ServiceText",
    "Subscription",
    "Upload",
]
