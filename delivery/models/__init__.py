from delivery.models.audiences import Audience, AudienceEntry
from delivery.models.console import ConsoleAction, RecoveryCode
from delivery.models.contents import DeliveryContent
from delivery.models.deliveries import Analysis, Delivery
from delivery.models.extractions import (
    Extraction,
    ExtractionDownload,
    ExtractionRow,
)
from delivery.models.inbound import Inbound, InboundKind, InboundState
from delivery.models.messages import Message
from delivery.models.reports import (
    DomainDay,
    HoldLevel,
    LaneHold,
    Report,
    ReportKind,
)
from delivery.models.sending import Attempt, Lane, Part, Proof, Slot
from delivery.models.texts import (
    AnswerKind,
    AnswerState,
    Decision,
    TextAnswer,
    TriageItem,
)

__all__ = [
    "Analysis",
    "Attempt",
    "Audience",
    "AudienceEntry",
    "AnswerKind",
    "AnswerState",
    "Decision",
    "ConsoleAction",
    "Delivery",
    "DeliveryContent",
    "Extraction",
    "ExtractionDownload",
    "ExtractionRow",
    "DomainDay",
    "HoldLevel",
    "Inbound",
    "InboundKind",
    "InboundState",
    "Lane",
    "LaneHold",
    "Message",
    "Part",
    "Proof",
    "RecoveryCode",
    "Report",
    "ReportKind",
    "Slot",
    "TextAnswer",
    "TriageItem",
]
