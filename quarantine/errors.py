"""What errors make of an address over time: one report after the other.

A hard error quarantines at once. One that may be an outage of the host does so when a
second one confirms it. Soft errors are counted, one a day at most, and the count begins
anew after ten quiet days or a delivery. Whatever the address is innocent of (temporary,
policy, ours, content) changes nothing. The numbers are settings, the states are
those of quarantine.transitions, and what the same errors of many addresses at one
domain mean is in quarantine.outages.

"A day" is 24 hours after the last error that counted, in no calendar.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import transaction

from profiles.addresses import ParsedAddress
from profiles.channels import Channel
from quarantine import outages, transitions
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.qualification import Qualification
from quarantine.reasons import (
    COUNTING,
    EXCLUDING,
    Event,
    Reason,
    Source,
    Status,
    Verdict,
)
from quarantine.transitions import KEEP, Cause, Found, State

# Verdicts that say something of the address; it is innocent of the others.
OF_THE_ADDRESS: Final = frozenset(
    {Verdict.HARD, Verdict.UNSURE, Verdict.OWNER_CHANGED, Verdict.SOFT}
)
# Events that put an address into quarantine as an outage of its domain would.
QUARANTINING: Final = frozenset(
    {Event.HARD_ERROR, Event.UNSURE_CONFIRMED, Event.SOFT_LIMIT}
)
_LONGEST_NOTE: Final = 1000
_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;]+")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a report made of an address.

    `event` is None when nothing was written at all. `ends_consent` asks the caller to
    end the consents given for this address: somebody else has it now.
    """

    before: State
    after: State
    event: Event | None
    is_provisional: bool = False
    ends_consent: bool = False

    @property
    def has_changed(self) -> bool:
        return self.event not in {None, Event.ERROR_NOTED}

    @property
    def is_newly_excluded(self) -> bool:
        return self.after in EXCLUDING and self.before not in EXCLUDING


def record(
    parsed: ParsedAddress,
    qualification: Qualification,
    *,
    now: datetime,
    happened_at: datetime,
    source: Source = Source.BOUNCE,
    by: str = "",
    note: str = "",
    delivery_label: str = "",
    delivery_id: int | None = None,
    messages_to: outages.MessagesTo | None = None,
) -> Recorded:
    """Record what one reply or report means for an address.

    `note` is what the server said; addresses in it are left out. `messages_to` tells
    how many messages were sent to a domain since a moment, where the caller knows.
    Whether the report is authentic, and of a message of ours, is the caller's to know.
    """
    happened_at = min(happened_at, now)
    if qualification.verdict not in OF_THE_ADDRESS:
        state = _state_of(parsed)
        return Recorded(state, state, None)

    cause = Cause(
        by=by,
        source=source,
        reason=qualification.reason,
        now=now,
        note=_without_addresses(note, parsed),
        delivery_label=delivery_label[:200],
        delivery_id=delivery_id,
        code=qualification.code[:20],
        happened_at=happened_at,
    )
    with transaction.atomic():
        recorded = _record(parsed, qualification, cause)
    if recorded.is_newly_excluded and recorded.event in QUARANTINING:
        _look_for_outage(parsed, cause, messages_to)
    return recorded


@transaction.atomic
def record_success(
    parsed: ParsedAddress,
    *,
    now: datetime,
    happened_at: datetime,
    source: Source = Source.REPORT,
    by: str = "",
    delivery_label: str = "",
    delivery_id: int | None = None,
) -> Recorded:
    """Record that a message was delivered: the remote host said so in a report.

    That a relay took a message is no success. Errors before it count no more; one
    that came after it, but was told earlier, stays.
    """
    happened_at = min(happened_at, now)
    found = transitions.find(parsed, Event.SUCCESS, source=source, now=now)
    row, before = found.row, found.state
    if row is None or row.reason == Reason.ERASED:
        return Recorded(before, before, None)

    row.last_success_at = max(row.last_success_at or happened_at, happened_at)
    is_latest = row.last_error_at is None or happened_at >= row.last_error_at
    if is_latest and row.status in COUNTING:
        row.unsure_at = None
    row.save(update_fields=["last_success_at", "unsure_at"])
    if not is_latest or transitions.outcome(row, Event.SUCCESS) is KEEP:
        return Recorded(before, before, None)

    cause = Cause(
        by=by,
        source=source,
        reason=Reason.NONE,
        now=now,
        delivery_label=delivery_label[:200],
        delivery_id=delivery_id,
    )
    transitions.change(found, Event.SUCCESS, cause)
    return Recorded(before, Status(row.status), Event.SUCCESS)


@transaction.atomic
def record_complaint(
    parsed: ParsedAddress,
    *,
    now: datetime,
    source: Source = Source.COMPLAINT,
    by: str = "",
    note: str = "",
    delivery_label: str = "",
    delivery_id: int | None = None,
) -> Recorded:
    """Denylist an address whose owner complained, however old the complaint is."""
    found = transitions.find(parsed, Event.COMPLAINT, source=source, now=now)
    before = found.state
    is_news = transitions.outcome(found.known, Event.COMPLAINT) is not KEEP
    cause = Cause(
        by=by,
        source=source,
        reason=Reason.COMPLAINT,
        now=now,
        note=_without_addresses(note, parsed),
        delivery_label=delivery_label[:200],
        delivery_id=delivery_id,
    )
    transitions.change(found, Event.COMPLAINT, cause)
    if not is_news:
        return Recorded(before, before, None)
    return Recorded(before, Status.DENYLISTED, Event.COMPLAINT)


def _record(
    parsed: ParsedAddress, qualification: Qualification, cause: Cause
) -> Recorded:
    if cause.now - cause.moment > timedelta(days=settings.QUARANTINE_REPORT_DAYS):
        found = _known(parsed)
        return _note(parsed, found, cause)

    # Whatever says something of an address leaves a row.
    found = transitions.find(
        parsed, Event.HARD_ERROR, source=cause.source, now=cause.now
    )
    ends_consent = qualification.verdict == Verdict.OWNER_CHANGED
    event = _event(found, qualification, cause.moment)
    if event is None or transitions.outcome(found.known, event) is KEEP:
        return _note(parsed, found, cause, ends_consent=ends_consent)

    before = found.state
    if event in QUARANTINING and parsed.domain:
        cause = outages.held(cause, parsed)
    row = transitions.change(found, event, cause)
    assert row is not None  # every event of an error leaves a row
    return Recorded(before, Status(row.status), event, row.is_provisional, ends_consent)


def _event(found: Found, qualification: Qualification, at: datetime) -> Event | None:
    """Say what an error is for this address; None when it does not count.

    Writes on the row what is to be remembered of it.
    """
    row = found.row
    assert row is not None
    verdict = qualification.verdict
    if verdict == Verdict.OWNER_CHANGED:
        return Event.OWNER_CHANGED
    if verdict == Verdict.HARD:
        is_full = found.state == Status.QUARANTINE and transitions.may_expire(row)
        return Event.HARDENED if is_full else Event.HARD_ERROR
    if found.state not in {None, *COUNTING}:
        return None
    if row.last_success_at is not None and at <= row.last_success_at:
        return None
    if verdict == Verdict.UNSURE:
        return _unsure(row, at)
    return _soft(row, at, weight=max(qualification.weight, 1))


def _unsure(row: QuarantinedAddress, at: datetime) -> Event | None:
    """Remember a first error that may be an outage; a later one confirms it."""
    first = row.unsure_at
    if first is None or _is_before_success(first, row):
        row.unsure_at = at
        return Event.UNSURE_ERROR
    if abs(at - first) >= timedelta(hours=settings.QUARANTINE_CONFIRM_HOURS):
        row.unsure_at = None
        return Event.UNSURE_CONFIRMED
    row.unsure_at = min(first, at)
    return None if row.status == Status.ERRONEOUS else Event.UNSURE_ERROR


def _soft(row: QuarantinedAddress, at: datetime, *, weight: int) -> Event | None:
    """Count a soft error, unless one counted within the day before it."""
    count = row.significant_error_count
    last = row.last_significant_at or row.last_error_at
    if last is not None and not count:
        # What came last was of another kind.
        last = None
    if last is not None and (
        _is_before_success(last, row)
        or at - last >= timedelta(days=settings.QUARANTINE_RESET_DAYS)
    ):
        count, last = 0, None
    # One that is told late, and happened earlier, does not count either.
    gap = timedelta(hours=settings.QUARANTINE_SIGNIFICANT_HOURS)
    if last is not None and at - last < gap:
        return None

    row.significant_error_count = count + weight
    row.last_significant_at = at
    if row.significant_error_count >= settings.QUARANTINE_SOFT_LIMIT:
        return Event.SOFT_LIMIT
    return Event.SOFT_ERROR


def _is_before_success(at: datetime, row: QuarantinedAddress) -> bool:
    return row.last_success_at is not None and at <= row.last_success_at


def _note(
    parsed: ParsedAddress, found: Found, cause: Cause, *, ends_consent: bool = False
) -> Recorded:
    """Keep in the history what changes nothing; nothing of somebody who was erased."""
    row, state = found.known, found.state
    if row is not None and row.reason == Reason.ERASED:
        return Recorded(state, state, None, ends_consent=ends_consent)

    if row is not None and row.status == Status.ERRONEOUS:
        row.last_error_at = max(row.last_error_at or cause.moment, cause.moment)
        row.save(update_fields=["last_error_at", "unsure_at"])
    is_ignored = state == Status.ALLOWLISTED
    QuarantineEvent.objects.create(
        channel=parsed.channel,
        digest=parsed.digest,
        at=cause.now,
        event=Event.ERROR_NOTED,
        from_status=state,
        to_status=state,
        reason=Reason.ERROR_IGNORED if is_ignored else cause.reason,
        source=cause.source,
        note=cause.note,
        actor=cause.by,
        domain=parsed.domain,
        code=cause.code,
        delivery_id=cause.delivery_id,
        delivery_label=cause.delivery_label,
        is_provisional=row.is_provisional if row is not None else False,
        error_count=row.significant_error_count if row is not None else 0,
    )
    return Recorded(state, state, Event.ERROR_NOTED, ends_consent=ends_consent)


def _look_for_outage(
    parsed: ParsedAddress, cause: Cause, messages_to: outages.MessagesTo | None
) -> None:
    """Look once it is committed: nobody's rows are locked then."""
    if not parsed.domain:
        return
    look = partial(
        outages.look,
        Channel(parsed.channel),
        parsed.domain,
        at=cause.moment,
        now=cause.now,
        messages_to=messages_to,
    )
    transaction.on_commit(look, robust=True)


def _known(parsed: ParsedAddress) -> Found:
    rows = QuarantinedAddress.objects.select_for_update()
    row = rows.filter(channel=parsed.channel, digest=parsed.digest).first()
    return Found(row, is_new=False)


def _state_of(parsed: ParsedAddress) -> State:
    rows = QuarantinedAddress.objects.filter(
        channel=parsed.channel, digest=parsed.digest
    )
    status = rows.values_list("status", flat=True).first()
    return None if status is None else Status(status)


def _without_addresses(note: str, parsed: ParsedAddress) -> str:
    text = note.replace("\0", "")
    if parsed.value:
        text = text.replace(parsed.value, "…")
    return _ADDRESS.sub("…", text).strip()[:_LONGEST_NOTE]
