"""What the worker does each minute about all that comes in."""

import logging
from datetime import datetime
from threading import Event
from typing import Final

from delivery.inbound import (
    answers,
    collecting,
    processing,
    receipts,
    refusals,
    texts,
    triage,
)
from delivery.inbound.mailboxes import MailboxError
from delivery.inbound.processing import Tally
from delivery.models import InboundKind

# More is left for the next minute, lest other work waits for it.
MOST: Final = 20_000

logger = logging.getLogger(__name__)


def tick(*, now: datetime, stopping: Event | None = None) -> Tally:
    """Do what a crash left undone, and read what came; gives what came by mail.

    Texts first: collecting mail may wait for a server.
    """
    texts.handle_waiting(InboundKind.TEXT, texts.handle, now=now)
    texts.handle_waiting(InboundKind.RECEIPT, receipts.handle, now=now)
    triage.act_on_unread(now=now)
    answers.send_due()
    try:
        collecting.collect_from_settings()
    except MailboxError as error:
        logger.warning("%s", error)
    refusals.read_refusals(now, limit=MOST)
    return processing.read_waiting(now, limit=MOST, stopping=stopping)
