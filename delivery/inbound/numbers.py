"""Stopping a telephone number by STOP, and lifting that by START.

STOP denylists the number, whoever carries it, and writes one ledger row for each
profile that carries it. Rows of source KEYWORD are about that number: a profile's own
flags are neither set nor lifted here.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from delivery import locks
from optout import ledger
from optout.models import ConsentEvent
from optout.models.ledger import ConsentSource, Direction
from profiles import merged
from profiles.addresses import ParsedAddress
from profiles.channels import Channel
from profiles.models import Address, Profile
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Event, Reason, Source, Status
from quarantine.transitions import apply, is_stopped_by_keyword


@dataclass(frozen=True, slots=True)
class NumberChange:
    """Whether a number's status changed, and how many ledger rows tell of it."""

    is_news: bool
    ledger_rows: int


@transaction.atomic
def stop(
    number: ParsedAddress,
    *,
    by: str,
    source: Source,
    now: datetime,
    note: str = "",
    language: str = "",
) -> NumberChange:
    """Denylist a number, and write it for each profile that carries it.

    A second time writes only for those of whom no row since the first says so.
    """
    locks.hold_number(number.digest)
    before = status_of(number.digest)
    apply(
        number,
        Event.STOP,
        by=by,
        source=source,
        reason=Reason.STOP,
        note=note,
        now=now,
    )
    is_news = before is not Status.DENYLISTED
    untold = _carriers(number.digest)
    if not is_news:
        untold -= _told(number.digest)
    rows = _record(untold, number, Direction.OUT, by=by, now=now, language=language)
    return NumberChange(is_news, rows)


@transaction.atomic
def start(number: ParsedAddress, *, now: datetime, language: str = "") -> NumberChange:
    """Lift what a STOP by the same number did, and nothing else.

    Neither a complaint nor an erasure, nor what an operator or a file listed, nor the
    flag of a profile.
    """
    locks.hold_number(number.digest)
    row = QuarantinedAddress.objects.filter(
        channel=number.channel, digest=number.digest
    ).first()
    if row is None or not is_stopped_by_keyword(row):
        return NumberChange(False, 0)
    after = apply(
        number,
        Event.START,
        by="",
        source=Source.KEYWORD,
        reason=Reason.NONE,
        now=now,
    )
    if after is None or after.status == Status.DENYLISTED:
        # Somebody else made another denylisting of it meanwhile.
        return NumberChange(False, 0)
    carriers = _carriers(number.digest)
    rows = _record(carriers, number, Direction.IN, by="", now=now, language=language)
    return NumberChange(True, rows)


def hold(number: ParsedAddress) -> None:
    """Let nobody else change or answer a number until the transaction ends."""
    locks.hold_number(number.digest)


def status_of(digest: UUID) -> Status | None:
    """Give the status of a number; None when nothing is known of it."""
    found = QuarantinedAddress.objects.filter(channel=Channel.SMS, digest=digest)
    status = found.values_list("status", flat=True).first()
    return None if status is None else Status(status)


def is_erased(digest: UUID) -> bool:
    """Say whether a number is of somebody who was erased."""
    return QuarantinedAddress.objects.filter(
        channel=Channel.SMS, digest=digest, reason=Reason.ERASED
    ).exists()


def _carriers(digest: UUID) -> set[int]:
    """Give the profiles that carry a number, as they live on."""
    carrying = Address.objects.filter(channel=Channel.SMS, digest=digest)
    ids = carrying.values_list("profile_id", flat=True)
    return set(merged.living_ids(ids).values())


def _told(digest: UUID) -> set[int]:
    """Give the profiles of which the ledger says, since the STOP, that it was made."""
    carriers = _carriers(digest)
    gone = dict(
        Profile.objects.filter(merged_into__in=carriers).values_list(
            "pk", "merged_into_id"
        )
    )
    events = ConsentEvent.objects.filter(
        profile_id__in=[*carriers, *gone],
        channel=Channel.SMS,
        source=ConsentSource.KEYWORD,
        direction=Direction.OUT,
        address_digest=digest,
    )
    stops = QuarantineEvent.objects.filter(
        channel=Channel.SMS, digest=digest, event=Event.STOP
    )
    since = stops.order_by("-pk").values_list("at", flat=True).first()
    if since is not None:
        events = events.filter(at__gte=since)
    told = set(events.values_list("profile_id", flat=True))
    return {gone.get(profile_id, profile_id) for profile_id in told}


def _record(
    profile_ids: set[int],
    number: ParsedAddress,
    direction: Direction,
    *,
    by: str,
    now: datetime,
    language: str,
) -> int:
    return ledger.record_many(
        ConsentEvent(
            at=now,
            profile_id=profile_id,
            address_digest=number.digest,
            direction=direction,
            channel=Channel.SMS,
            source=ConsentSource.KEYWORD,
            language=language,
            actor=by,
        )
        for profile_id in sorted(profile_ids)
    )
