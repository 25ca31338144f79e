"""Releasing addresses from quarantine by hand, one or many, with a reason.

What a release makes of a status is in quarantine.transitions. Here is who may lift
what: a denylisted address only with a right of its own, an erased one never.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from django.db import transaction
from django.utils.translation import gettext as _

from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Event, Reason, Source, Status
from quarantine.transitions import QuarantineError, Refusal, outcome

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """How many addresses were released, and how many were refused, by sentence."""

    released: int
    refused: dict[str, int]


def check_note(note: str) -> None:
    """Raise QuarantineError when it is not said why addresses are released."""
    if not note.strip():
        raise QuarantineError(
            _("The addresses were not released: no reason was given. Write one.")
        )


def check_can_release(row: QuarantinedAddress, *, may_release_denylisted: bool) -> None:
    """Raise QuarantineError with a sentence when this address cannot be released."""
    cell = outcome(row, Event.RELEASE)
    if isinstance(cell, Refusal):
        raise QuarantineError(str(cell.sentence))
    if row.status == Status.DENYLISTED and not may_release_denylisted:
        raise QuarantineError(
            _(
                "The address is denylisted: its owner complained or answered STOP, or"
                " it was listed so. Ask somebody with the right to release denylisted"
                " addresses."
            )
        )


def can_release(row: QuarantinedAddress, *, may_release_denylisted: bool) -> bool:
    """Say whether this address can be released."""
    try:
        check_can_release(row, may_release_denylisted=may_release_denylisted)
    except QuarantineError:
        return False
    return True


@transaction.atomic
def release(
    rows: Iterable[QuarantinedAddress],
    *,
    by: str,
    note: str,
    may_release_denylisted: bool,
    now: datetime,
) -> ReleaseResult:
    """Release addresses; those that cannot be released are counted by why.

    Raises QuarantineError when the note, which must say why, is empty.
    """
    check_note(note)
    # In one order everywhere, so that no two transactions wait for each other.
    ordered = sorted(rows, key=attrgetter("digest", "channel"))
    keys = list(dict.fromkeys(row.pk for row in ordered))
    released, refused = 0, Counter[str]()
    for start in range(0, len(keys), _BATCH):
        locked = _locked(keys[start : start + _BATCH])
        allowed = _allowed(
            locked, refused, may_release_denylisted=may_release_denylisted
        )
        _release(allowed, by=by, note=note.strip(), now=now)
        released += len(allowed)
    return ReleaseResult(released, dict(refused))


def _locked(keys: list[int]) -> list[QuarantinedAddress]:
    rows = QuarantinedAddress.objects.select_for_update()
    return list(rows.filter(pk__in=keys).order_by("digest", "channel"))


def _allowed(
    rows: list[QuarantinedAddress],
    refused: Counter[str],
    *,
    may_release_denylisted: bool,
) -> list[QuarantinedAddress]:
    allowed = []
    for row in rows:
        try:
            check_can_release(row, may_release_denylisted=may_release_denylisted)
        except QuarantineError as error:
            refused[str(error)] += 1
        else:
            allowed.append(row)
    return allowed


def _release(
    rows: list[QuarantinedAddress], *, by: str, note: str, now: datetime
) -> None:
    QuarantineEvent.objects.bulk_create(
        QuarantineEvent(
            channel=row.channel,
            digest=row.digest,
            at=now,
            event=Event.RELEASE,
            from_status=row.status,
            to_status=Status.VALID,
            domain=row.domain,
            source=Source.OPERATOR,
            note=note,
            actor=by,
        )
        for row in rows
    )
    QuarantinedAddress.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=Status.VALID,
        reason=Reason.NONE,
        source=Source.OPERATOR,
        is_provisional=False,
        batch=None,
        significant_error_count=0,
        last_significant_at=None,
        unsure_at=None,
        error_text=note,
        updated_by=by,
        updated_at=now,
    )
