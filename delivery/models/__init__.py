from delivery.models.audiences import Audience, AudienceEntry
from delivery.models.contents import DeliveryContent
from delivery.models.deliveries import Analysis, Delivery
from delivery.models.messages import Message
from delivery.models.sending import Attempt, Lane, Part, Proof, Slot

__all__ = [
    "Analysis",
    "Attempt",
    "Audience",
    "AudienceEntry",
    "Delivery",
    "DeliveryContent",
    "Lane",
    "Message",
    "Part",
    "Proof",
    "Slot",
]
