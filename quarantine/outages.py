"""Outages: many addresses of one domain that go into quarantine at the same time.

A provider that moves, or loses its list of mailboxes for an hour, says of everybody
that they do not exist. So when unusually many addresses of a domain go into quarantine,
they are held together as provisional: excluded like any others, but one decision
discards them all. Without one they are definite after some quiet days.

Unusual are, in QUARANTINE_OUTAGE_MINUTES, QUARANTINE_OUTAGE_ERRORS addresses or more
if they are QUARANTINE_OUTAGE_PERCENT of the messages to the domain in a day. Where
these are not known, if they are QUARANTINE_OUTAGE_USUAL_PERCENT of its addresses that
bounces quarantined in four weeks. All times are those at which the errors happened.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from profiles.addresses import ParsedAddress
from profiles.channels import Channel
from quarantine import moving, release
from quarantine.models import (
    BatchState,
    QuarantineBatch,
    QuarantinedAddress,
    QuarantinedAddressQuerySet,
)
from quarantine.moving import Move
from quarantine.reasons import OUTAGE_REASONS, Event, Reason, Source, Status
from quarantine.transitions import Cause, QuarantineError

# Tells how many messages were sent to a domain since a moment.
MessagesTo: TypeAlias = Callable[[str, datetime], int]

USUAL: Final = timedelta(days=28)
_MESSAGES: Final = timedelta(days=1)
# What a release makes of a row besides its status.
RELEASED: Final = {
    "reason": Reason.NONE,
    "source": Source.OPERATOR,
    "is_provisional": False,
    "significant_error_count": 0,
    "last_significant_at": None,
    "unsure_at": None,
}


def bounced(
    channel: int, domain: str, *, since: datetime, until: datetime
) -> QuarantinedAddressQuerySet:
    """Keep the addresses of a domain that errors of this time hold in quarantine.

    Never those whose owner complained, changed or was erased, or that anybody listed.
    """
    return QuarantinedAddress.objects.filter(
        channel=channel,
        domain=domain,
        status=Status.QUARANTINE,
        source=Source.BOUNCE,
        reason__in=OUTAGE_REASONS,
        last_error_at__gte=since,
        last_error_at__lte=until,
    )


def held(cause: Cause, parsed: ParsedAddress) -> Cause:
    """Let an error in the midst of an outage quarantine provisionally only."""
    around = _window()
    hold = _open().filter(
        channel=parsed.channel,
        domain=parsed.domain,
        began_at__lte=cause.moment + around,
        ended_at__gte=cause.moment - around,
    )
    return replace(cause, hold=hold.first())


def look(
    channel: Channel,
    domain: str,
    *,
    at: datetime,
    now: datetime,
    messages_to: MessagesTo | None = None,
) -> QuarantineBatch | None:
    """Look whether the domain has an outage at a moment; returns what holds it."""
    since = at - _window()
    errors = bounced(channel, domain, since=since, until=at)
    count = errors.count()
    if count < settings.QUARANTINE_OUTAGE_ERRORS:
        return None
    hold = _open().filter(channel=channel, domain=domain).first()
    if hold is None:
        usual = bounced(channel, domain, since=at - USUAL, until=since)
        sent = messages_to(domain, at - _MESSAGES) if messages_to is not None else 0
        is_unusual = _is_unusual(count, usual, sent=sent)
        if not is_unusual or _was_found_real(channel, domain, now=now):
            return None
        hold = _begin(channel, domain, errors, now=now)
        _hold(hold, now=now)
    elif hold.ended_at < at:
        _open().filter(pk=hold.pk).update(ended_at=Greatest(F("ended_at"), at))
    return hold


def confirm(batch: QuarantineBatch, *, by: str, note: str, now: datetime) -> int:
    """Make what is provisional definite; returns of how many addresses.

    Raises QuarantineError when it was decided already.
    """
    with transaction.atomic():
        batch = _locked_open(batch)
        _hold(batch, now=now)
        return _confirm(batch, by=by, note=note.strip(), now=now)


def discard(batch: QuarantineBatch, *, by: str, note: str, now: datetime) -> int:
    """Release everything that is provisional; returns how many addresses.

    quarantine.incidents.undo takes that back. Raises QuarantineError when it was
    decided already, or without a reason.
    """
    release.check_note(note)
    with transaction.atomic():
        batch = _locked_open(batch)
        _hold(batch, now=now)
        what = Move(
            Event.PROVISIONAL_DISCARDED,
            Source.OPERATOR,
            now,
            by=by,
            note=note.strip(),
            batch=batch,
            fields={**RELEASED, "batch": batch},
        )
        batch.count = moving.move(provisional(batch), what)
        _decide(batch, BatchState.RELEASED, by=by, note=note.strip(), now=now)
        return batch.count


def confirm_quiet(*, now: datetime) -> int:
    """Make definite what nobody decided about while the domain was quiet.

    Also what came in while somebody decided. Returns of how many addresses.
    """
    quiet_since = now - timedelta(hours=settings.QUARANTINE_OUTAGE_QUIET_HOURS)
    count = 0
    for batch in list(_open().filter(ended_at__lte=quiet_since)):
        try:
            count += confirm(batch, by="", note="", now=now)
        except QuarantineError:
            # Somebody decided just now.
            continue
    late = QuarantinedAddress.objects.filter(is_provisional=True).exclude(
        batch__state=BatchState.OPEN
    )
    return count + moving.move(late, _definite(now=now))


def provisional(batch: QuarantineBatch) -> QuarantinedAddressQuerySet:
    """Keep the addresses that a batch holds."""
    return QuarantinedAddress.objects.filter(batch=batch, is_provisional=True)


def definite_at(batch: QuarantineBatch) -> datetime:
    """Say when what a batch holds is definite if nobody decides."""
    quiet = timedelta(hours=settings.QUARANTINE_OUTAGE_QUIET_HOURS)
    return batch.ended_at + quiet


def with_counts() -> QuerySet[QuarantineBatch]:
    """List what is held, newest first, each with its `held_count` of addresses."""
    is_held = Count("addresses", filter=Q(addresses__is_provisional=True))
    return _open().annotate(held_count=is_held).order_by("-began_at", "-pk")


def _window() -> timedelta:
    return timedelta(minutes=settings.QUARANTINE_OUTAGE_MINUTES)


def _open() -> QuerySet[QuarantineBatch]:
    return QuarantineBatch.objects.filter(state=BatchState.OPEN)


def _is_unusual(count: int, usual: QuerySet[QuarantinedAddress], *, sent: int) -> bool:
    percent: int = settings.QUARANTINE_OUTAGE_PERCENT
    if sent <= 0:
        percent = settings.QUARANTINE_OUTAGE_USUAL_PERCENT
        # With so many the answer is known, and a large domain has many more.
        enough = 100 * count // percent + 1
        sent = count + usual[:enough].count()
    return 100 * count >= percent * sent


def _was_found_real(channel: int, domain: str, *, now: datetime) -> bool:
    """Say whether somebody looked at the errors of the domain just now."""
    lately = now - timedelta(hours=settings.QUARANTINE_OUTAGE_QUIET_HOURS)
    decided = QuarantineBatch.objects.filter(
        channel=channel,
        domain=domain,
        state=BatchState.CONFIRMED,
        decided_at__gte=lately,
    )
    return decided.exclude(decided_by="").exists()


def _begin(
    channel: Channel,
    domain: str,
    errors: QuarantinedAddressQuerySet,
    *,
    now: datetime,
) -> QuarantineBatch:
    times = errors.aggregate(first=Min("last_error_at"), last=Max("last_error_at"))
    batch, _is_new = QuarantineBatch.objects.get_or_create(
        channel=channel,
        domain=domain,
        state=BatchState.OPEN,
        defaults={
            "began_at": times["first"],
            "ended_at": times["last"],
            "created_at": now,
        },
    )
    return batch


def _hold(batch: QuarantineBatch, *, now: datetime) -> None:
    """Hold what went into quarantine before the outage was seen, and count.

    The batch is locked without its key: errors that refer to it go on.
    """
    batch.refresh_from_db()
    loose = bounced(
        batch.channel, batch.domain, since=batch.began_at, until=batch.ended_at
    ).filter(batch=None)
    what = Move(
        Event.HELD,
        Source.BOUNCE,
        now,
        batch=batch,
        fields={"is_provisional": True, "batch": batch},
    )
    moving.move(loose, what)
    batch.count = provisional(batch).count()
    _open().filter(pk=batch.pk).update(count=batch.count)


def _locked_open(batch: QuarantineBatch) -> QuarantineBatch:
    found = QuarantineBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if found.state != BatchState.OPEN:
        raise QuarantineError(
            _("Nothing was changed: it was decided about these addresses already.")
        )
    return found


def _definite(*, now: datetime, by: str = "", note: str = "") -> Move:
    return Move(
        Event.PROVISIONAL_CONFIRMED,
        Source.OPERATOR if by else Source.CLEANING,
        now,
        by=by,
        note=note,
        fields={"is_provisional": False, "batch": None},
    )


def _confirm(batch: QuarantineBatch, *, by: str, note: str, now: datetime) -> int:
    batch.count = moving.move(provisional(batch), _definite(now=now, by=by, note=note))
    _decide(batch, BatchState.CONFIRMED, by=by, note=note, now=now)
    return batch.count


def _decide(
    batch: QuarantineBatch, state: BatchState, *, by: str, note: str, now: datetime
) -> None:
    batch.state = state
    batch.decided_at, batch.decided_by, batch.note = now, by, note
    batch.save()
