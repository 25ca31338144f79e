from delivery.models.audiences import Audience, AudienceEntry
from delivery.models.console import ConsoleAction, RecoveryCode
from delivery.models.contents import DeliveryContent
from delivery.models.deliveries import Analysis, Delivery
from delivery.models.inbound import Inbound, InboundKind, InboundState
from delivery.models.messages import Message
from delivery.models.sending import Attempt, Lane, Part, Proof, Slot

__all__ = [
    "Analysis",
    "Attempt",
    "Audience",
    "AudienceEntry",
    "ConsoleAction",
    "Delivery",
    "DeliveryContent",
    "Inbound",
    "InboundKind",
    "InboundState",
    "Lane",
    "Message",
    "Part",
    "Proof",
    "RecoveryCode",
    "Slot",
]
