"""What the worker does about texts each minute, whether or not one came just now."""

from datetime import datetime

from delivery.inbound import answers, receipts, texts, triage
from delivery.models import InboundKind


def tick(*, now: datetime) -> None:
    """Do what a crash left undone, act on what nobody read, and send the answers."""
    texts.handle_waiting(InboundKind.TEXT, texts.handle, now=now)
    texts.handle_waiting(InboundKind.RECEIPT, receipts.handle, now=now)
    triage.act_on_unread(now=now)
    answers.send_due()
