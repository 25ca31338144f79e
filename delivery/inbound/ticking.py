"""What the worker does every minute about all that comes in."""

import logging
from datetime import datetime
from threading import Event
from typing import Final

from delivery.inbound import collecting, processing, refusals
from delivery.inbound.mailboxes import MailboxError
from delivery.inbound.processing import Tally

# More is left for the next minute, lest other work waits for it.
MOST: Final = 20_000

logger = logging.getLogger(__name__)


def tick(now: datetime, *, stopping: Event | None = None) -> Tally:
    """Collect, read the refusals that a crash left, and read what is stored."""
    try:
        collecting.collect_from_settings()
    except MailboxError as error:
        logger.warning("%s", error)
    refusals.read_refusals(now, limit=MOST)
    return processing.read_waiting(now, limit=MOST, stopping=stopping)
