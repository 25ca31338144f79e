"""The nightly cleaning: what time alone makes of addresses.

1. Erroneous addresses without further errors are valid again, and so are those whose
   mailbox was full long enough ago (quarantine.expiry says when).
2. What an outage held as provisional is definite after some quiet days.

Done in chunks, each a transaction of its own: when it is stopped, the next run goes on
where it was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from quarantine import expiry, moving, outages
from quarantine.models import Cleaning
from quarantine.moving import Move
from quarantine.reasons import Event, Reason, Source

# UTC; from then on, the first worker that looks has its turn.
HOUR: Final = 4
# A cleaning that did not end in this time is somebody else's turn.
LONGEST: Final = timedelta(hours=2)
_VALID: Final = {
    "reason": Reason.NONE,
    "source": Source.CLEANING,
    "is_provisional": False,
    "batch": None,
    "significant_error_count": 0,
    "last_significant_at": None,
}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """How many addresses were released, and how many quarantines made definite."""

    released: int
    made_definite: int


def clean(
    *, now: datetime, progress: Callable[[int, int], None] | None = None
) -> Cleaned:
    """Clean now. `progress` is told how many addresses of how many are done."""
    rows = expiry.expired(now=now)
    what = Move(Event.EXPIRE, Source.CLEANING, now, fields=_VALID)
    total = rows.count() if progress is not None else 0
    released = 0
    for count in moving.in_chunks(rows, what):
        released += count
        if progress is not None:
            progress(released, max(total, released))
    return Cleaned(released, outages.confirm_quiet(now=now))


def clean_nightly(*, now: datetime) -> Cleaned | None:
    """Clean once a night, whoever looks first; None when it is not our turn."""
    at = now.astimezone(UTC)
    if at.hour < HOUR or not _is_our_turn(at):
        return None
    cleaned = clean(now=now)
    Cleaning.objects.filter(day=at.date()).update(
        finished_at=now, released_count=cleaned.released
    )
    return cleaned


@transaction.atomic
def _is_our_turn(at: datetime) -> bool:
    _row, is_new = Cleaning.objects.get_or_create(
        day=at.date(), defaults={"started_at": at}
    )
    if is_new:
        return True
    stuck = Cleaning.objects.filter(
        day=at.date(), finished_at=None, started_at__lte=at - LONGEST
    )
    return stuck.update(started_at=at) == 1
