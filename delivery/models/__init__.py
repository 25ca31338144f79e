from delivery.models.audiences import Audience, AudienceEntry
from delivery.models.contents import DeliveryContent
from delivery.models.deliveries import Analysis, Delivery
from delivery.models.extractions import (
    Extraction,
    ExtractionDownload,
    ExtractionRow,
)
from delivery.models.inbound import Inbound, InboundKind, InboundState
from delivery.models.messages import Message
from delivery.models.sending import Attempt, Lane, Part, Proof, Slot

__all__ = [
    "Analysis",
    "Attempt",
    "Audience",
    "AudienceEntry",
    "Delivery",
    "DeliveryContent",
    "Extraction",
    "ExtractionDownload",
    "ExtractionRow",
    "Inbound",
    "InboundKind",
    "InboundState",
    "Lane",
    "Message",
    "Part",
    "Proof",
    "Slot",
]
