from delivery.models.audiences import Audience, AudienceEntry
from delivery.models.deliveries import Analysis, Delivery
from delivery.models.messages import Message

__all__ = ["Analysis", "Audience", "AudienceEntry", "Delivery", "Message"]
