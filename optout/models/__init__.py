from optout.models.flags import OptOut
from optout.models.ledger import ConsentEvent, ConsentEvidence
from optout.models.uploads import Upload

__all__ = ["ConsentEvent", "ConsentEvidence", "OptOut", "Upload"]
