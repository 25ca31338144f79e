"""Reading what is stored: each report once, in order, in a transaction of its own.

What a report changes and the mark that it was read are committed together, so a crash
between the two undoes both. A report that cannot be read fails alone: it is kept, and
never stands in the way of the next.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Final

from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _

from delivery.inbound import events, mail_reports, triage
from delivery.inbound.results import Result
from delivery.models import Inbound, InboundKind, InboundState

BATCH: Final = 200

logger = logging.getLogger(__name__)

Reader = Callable[..., Result]
# Texts and receipts are read at once, where they come in.
_READERS: Final[dict[str, Reader]] = {
    InboundKind.MAIL: mail_reports.read,
    InboundKind.EVENT: events.read,
}
# What a report can bring about by being odd; a database that is gone is none of it.
_ODD: Final = (
    ArithmeticError,
    AttributeError,
    DataError,
    IntegrityError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass
class Tally:
    """What was read, counted by meaning and by state."""

    meanings: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.states.total()

    def note(self, result: Result) -> None:
        """Count one report."""
        self.meanings[result.meaning] += 1
        self.states[result.state.value] += 1


def read_waiting(
    now: datetime, *, limit: int = 1_000_000, stopping: Event | None = None
) -> Tally:
    """Read what is stored, the oldest first, until nothing or a limit is left."""
    tally = Tally()
    last: tuple[datetime | None, int] = (None, 0)
    while tally.count < limit and not (stopping is not None and stopping.is_set()):
        keys = _next(last, size=min(BATCH, limit - tally.count))
        if not keys:
            break
        for key in keys:
            result = read_one(key[1], now=now)
            if result is not None:
                tally.note(result)
        last = keys[-1]
    return tally


def read_one(inbound_id: int, *, now: datetime) -> Result | None:
    """Read one report; None when somebody else reads it, or has read it."""
    with transaction.atomic():
        rows = Inbound.objects.select_for_update(skip_locked=True)
        inbound = rows.filter(pk=inbound_id, state=InboundState.STORED).first()
        if inbound is None:
            return None
        result = _read(inbound, now=now)
        inbound.state, inbound.meaning = result.state, result.meaning[:30]
        inbound.note = " ".join(filter(None, [inbound.note, result.note]))
        inbound.delivery_id, inbound.profile_id = result.delivery_id, result.profile_id
        inbound.digest, inbound.read_at = result.digest, now
        if result.state == InboundState.TRIAGE:
            triage.add(inbound, is_suspected_stop=result.is_suspected_stop, now=now)
        inbound.save(
            update_fields=[
                "state",
                "meaning",
                "note",
                "delivery_id",
                "profile_id",
                "digest",
                "read_at",
            ]
        )
    return result


def read_again(inbound_id: int) -> bool:
    """Let a report that could not be read be read once more; says whether it was so."""
    failed = Inbound.objects.filter(pk=inbound_id, state=InboundState.FAILED)
    return bool(failed.update(state=InboundState.STORED, note="", read_at=None))


def _read(inbound: Inbound, *, now: datetime) -> Result:
    try:
        with transaction.atomic():
            return _READERS[inbound.kind](inbound, now=now)
    except _ODD as error:
        # Its text may quote an address.
        logger.warning(
            "Inbound %s cannot be read: %s", inbound.pk, type(error).__name__
        )
        return Result(
            InboundState.FAILED,
            "other",
            _("It could not be read (%(kind)s). It is kept as it came.")
            % {"kind": type(error).__name__},
        )


def _next(
    last: tuple[datetime | None, int], *, size: int
) -> list[tuple[datetime | None, int]]:
    """Give the next reports to be read, after the last one that was looked at."""
    rows = Inbound.objects.filter(state=InboundState.STORED, kind__in=_READERS)
    rows = rows.order_by("received_at", "pk")
    received_at, pk = last
    if received_at is not None:
        rows = rows.filter(received_at__gte=received_at).exclude(
            received_at=received_at, pk__lte=pk
        )
    return list(rows.values_list("received_at", "pk")[:size])
