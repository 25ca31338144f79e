"""Collecting what came by mail: stored and committed first, then taken out.

Nothing is made of a message here. So collecting goes on however odd a message is, and
whatever was stored stays when the mailbox disappears in mid-run.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.inbound import mailboxes, storing
from delivery.inbound.mailboxes import Held, Mailbox, MailboxError
from delivery.models import InboundKind
from profiles import locks

_REPORT_EVERY: Final = 100

Report = Callable[[str], None]


@dataclass
class Collected:
    """How many messages were new, and how many were stored already."""

    stored: int = 0
    known: int = 0


def collect(
    box: Mailbox,
    *,
    recipient: str = "",
    collected: Collected | None = None,
    clock: Callable[[], datetime] = timezone.now,
    report: Report | None = None,
) -> Collected:
    """Store all messages of a mailbox, and take each out once it is committed.

    `recipient` is whom the envelope was addressed to. Counts into `collected`, which
    is right also when MailboxError ends it.
    """
    collected = collected if collected is not None else Collected()
    with _alone(box.place):
        _collect(box, recipient, collected=collected, clock=clock, report=report)
    return collected


def _collect(
    box: Mailbox,
    recipient: str,
    *,
    collected: Collected,
    clock: Callable[[], datetime],
    report: Report | None,
) -> None:
    for place, held in enumerate(box.messages(), start=1):
        if _store(held, box.name, recipient, now=clock()):
            collected.stored += 1
        else:
            collected.known += 1
        held.remove()
        if report is not None and place % _REPORT_EVERY == 0:
            report(_("%(count)s messages collected") % {"count": place})


def collect_from_settings() -> Collected:
    """Collect from BOUNCE_MAILBOX; nothing when there is none. Raises MailboxError."""
    url = settings.BOUNCE_MAILBOX
    return collect(mailboxes.from_url(url)) if url else Collected()


@contextmanager
def _alone(place: str) -> Iterator[None]:
    """Hold the lock of a mailbox on this machine. Raises MailboxError."""
    if not place:
        yield
        return
    name = hashlib.blake2b(place.encode(), digest_size=8).hexdigest()
    with locks.held(f"collecting-{name}") as is_held:
        if not is_held:
            raise MailboxError(
                _(
                    "Another process collects from this mailbox. Let it end, or end"
                    " it, and try again."
                )
            )
        yield


def _store(held: Held, source: str, recipient: str, *, now: datetime) -> bool:
    note = ""
    if held.is_cut:
        note = _("Longer than ten megabytes: only its beginning was kept.")
    row = storing.store(
        InboundKind.MAIL,
        held.raw,
        source=source,
        key=held.key,
        now=now,
        recipient=recipient,
        note=note,
    )
    return row is not None
