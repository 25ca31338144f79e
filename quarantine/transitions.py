"""The state machine of an address: one table of (state x event), and its only door.

A state is a Status, or None where no row is known. A cell says which status follows,
or that nothing changes (KEEP), or refuses with a sentence. Nothing else in the code
decides what a bounce, a complaint, a file or an operator makes of an address.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final, TypeAlias

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from profiles import in_flight
from profiles.addresses import ParsedAddress
from profiles.channels import Channel
from profiles.models import Address
from quarantine.models import QuarantineBatch, QuarantinedAddress, QuarantineEvent
from quarantine.reasons import ERRORS, EXCLUDING, Event, Reason, Source, Status


class QuarantineError(Exception):
    """Something cannot be done to an address or domain; the text is a sentence."""


class Unchanged(Enum):
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event is refused in a state: the fact and the cure."""

    sentence: str | Promise


@dataclass(frozen=True, slots=True)
class Cause:
    """Who or what makes something of an address, when, and why.

    `happened_at` is when the error happened, which is told later than that. `hold` is
    what keeps a new quarantine provisional.
    """

    by: str
    source: Source
    reason: Reason
    now: datetime
    note: str = ""
    delivery_label: str = ""
    delivery_id: int | None = None
    code: str = ""
    happened_at: datetime | None = None
    hold: QuarantineBatch | None = None

    @property
    def moment(self) -> datetime:
        return self.happened_at or self.now


@dataclass(frozen=True, slots=True)
class Found:
    """The locked row of an address; `known` is None where it was made just now."""

    row: QuarantinedAddress | None
    is_new: bool

    @property
    def known(self) -> QuarantinedAddress | None:
        return None if self.is_new else self.row

    @property
    def state(self) -> "State":
        return None if self.known is None else Status(self.known.status)


State: TypeAlias = Status | None
Cell: TypeAlias = Status | Unchanged | Refusal
KEEP: Final = Unchanged.KEEP

STATES: Final[tuple[State, ...]] = (None, *Status)
# Of the block list, or of no consequence: they are history only.
HISTORY_ONLY: Final = frozenset(
    {Event.DOMAIN_BLOCKED, Event.DOMAIN_UNBLOCKED, Event.ERROR_NOTED}
)
ADDRESS_EVENTS: Final = tuple(event for event in Event if event not in HISTORY_ONLY)

_V, _A, _E, _Q, _D = (
    Status.VALID,
    Status.ALLOWLISTED,
    Status.ERRONEOUS,
    Status.QUARANTINE,
    Status.DENYLISTED,
)
_NOT_HELD: Final = Refusal(
    _(
        "The address cannot be released: nothing is held against it."
        " It can be written to already."
    )
)
_UNKNOWN: Final = Refusal(
    _("The address cannot be released: it is not in quarantine. Reload the list.")
)
_RELEASE_FIRST: Final = Refusal(
    _(
        "The address cannot be listed with a weaker status: it is denylisted."
        " Release it first, with a reason."
    )
)

_ROWS: Final[Mapping[Event, tuple[Cell, Cell, Cell, Cell, Cell, Cell]]] = {
    # state:                  none      valid     allow   erroneous quarant.  deny
    Event.HARD_ERROR: (_Q, _Q, KEEP, _Q, KEEP, KEEP),
    Event.SOFT_ERROR: (_E, _E, KEEP, _E, KEEP, KEEP),
    Event.SOFT_LIMIT: (_Q, _Q, KEEP, _Q, KEEP, KEEP),
    Event.UNSURE_ERROR: (_E, _E, KEEP, _E, KEEP, KEEP),
    Event.UNSURE_CONFIRMED: (_Q, _Q, KEEP, _Q, KEEP, KEEP),
    # These give an address that is held already another reason.
    Event.HARDENED: (_Q, _Q, KEEP, _Q, _Q, KEEP),
    Event.OWNER_CHANGED: (_Q, _Q, KEEP, _Q, _Q, KEEP),
    Event.SUCCESS: (KEEP, KEEP, KEEP, _V, KEEP, KEEP),
    Event.COMPLAINT: (_D, _D, _D, _D, _D, KEEP),
    Event.STOP: (_D, _D, _D, _D, _D, KEEP),
    # Only of a denylisting that STOP made; back to quarantine if it was there before.
    Event.START: (KEEP, KEEP, KEEP, KEEP, KEEP, _V),
    # By hand, the same status again is an edit of its reason.
    Event.LISTED_VALID: (_V, _V, _V, _V, _V, _RELEASE_FIRST),
    Event.LISTED_ALLOWLISTED: (_A, _A, _A, _A, _A, _RELEASE_FIRST),
    Event.LISTED_ERRONEOUS: (_E, _E, _E, _E, _E, _RELEASE_FIRST),
    Event.LISTED_QUARANTINE: (_Q, _Q, _Q, _Q, _Q, _RELEASE_FIRST),
    Event.LISTED_DENYLISTED: (_D, _D, _D, _D, _D, _D),
    Event.PROFILE_QUARANTINED: (_Q, _Q, _Q, _Q, KEEP, KEEP),
    # Files only strengthen (CONTRACTS "Quarantine").
    Event.IMPORT_VALID: (KEEP, KEEP, KEEP, KEEP, KEEP, KEEP),
    Event.IMPORT_ALLOWLISTED: (_A, KEEP, KEEP, KEEP, KEEP, KEEP),
    Event.IMPORT_ERRONEOUS: (_E, _E, _E, KEEP, KEEP, KEEP),
    Event.IMPORT_QUARANTINE: (_Q, _Q, _Q, _Q, KEEP, KEEP),
    Event.IMPORT_DENYLISTED: (_D, _D, _D, _D, _D, KEEP),
    # Who may release a denylisted address is asked in quarantine.release.
    Event.RELEASE: (_UNKNOWN, _NOT_HELD, _NOT_HELD, _V, _V, _V),
    # Of those in quarantine, only full mailboxes: see outcome().
    Event.EXPIRE: (KEEP, KEEP, KEEP, _V, _V, KEEP),
    # Of many addresses at once, see quarantine.moving.
    Event.HELD: (KEEP, KEEP, KEEP, KEEP, _Q, KEEP),
    Event.PROVISIONAL_CONFIRMED: (KEEP, KEEP, KEEP, KEEP, _Q, KEEP),
    Event.PROVISIONAL_DISCARDED: (KEEP, KEEP, KEEP, KEEP, _V, KEEP),
    Event.RELEASE_UNDONE: (KEEP, _Q, KEEP, KEEP, KEEP, KEEP),
    Event.ERASE: (_D, _D, _D, _D, _D, _D),
}

TABLE: Final[dict[tuple[State, Event], Cell]] = {
    (state, event): cell
    for event, cells in _ROWS.items()
    for state, cell in zip(STATES, cells, strict=True)
}

_LISTED: Final = {
    _V: Event.LISTED_VALID,
    _A: Event.LISTED_ALLOWLISTED,
    _E: Event.LISTED_ERRONEOUS,
    _Q: Event.LISTED_QUARANTINE,
    _D: Event.LISTED_DENYLISTED,
}
_IMPORTED: Final = {
    _V: Event.IMPORT_VALID,
    _A: Event.IMPORT_ALLOWLISTED,
    _E: Event.IMPORT_ERRONEOUS,
    _Q: Event.IMPORT_QUARANTINE,
    _D: Event.IMPORT_DENYLISTED,
}
_ERASED: Final = Refusal(
    _(
        "The address cannot be changed: its person was erased, and it must never be"
        " written to again. There is no cure, by design."
    )
)
# Events by which a person acts on a row; of an erased row they are refused, while
# every machine event leaves it as it is.
BY_HAND: Final = frozenset({*_LISTED.values(), Event.RELEASE})


def listed_event(status: Status) -> Event:
    """Give the event of an operator who lists an address with this status."""
    return _LISTED[status]


def import_event(status: Status) -> Event:
    """Give the event of a file row with this status."""
    return _IMPORTED[status]


def identity_of(stored: Address | QuarantinedAddress) -> ParsedAddress:
    """Give the identity of a stored address, without reading its text again."""
    value = stored.value if isinstance(stored, Address) else stored.address
    return ParsedAddress(
        channel=Channel(stored.channel),
        value=value,
        canonical="",
        digest=stored.digest,
        domain=stored.domain,
        is_deliverable=True,
    )


def outcome(row: QuarantinedAddress | None, event: Event) -> Cell:
    """Look up what an event makes of a row, or of an address without one."""
    if row is None:
        return TABLE[None, event]
    if row.reason == Reason.ERASED and event != Event.ERASE:
        return _ERASED if event in BY_HAND else KEEP
    if event == Event.EXPIRE and not may_expire(row):
        return KEEP
    if event == Event.START and not is_stopped_by_keyword(row):
        return KEEP
    if event == Event.COMPLAINT and is_stopped_by_keyword(row):
        # It outlasts START.
        return _D
    return TABLE[Status(row.status), event]


def may_expire(row: QuarantinedAddress) -> bool:
    """Say whether time alone makes an address valid again (standards: mailbox full)."""
    return row.status == Status.ERRONEOUS or row.reason == Reason.MAILBOX_FULL


def is_stopped_by_keyword(row: QuarantinedAddress) -> bool:
    """Say whether a STOP by SMS, and nothing else, is what denylists an address."""
    return (
        row.status == Status.DENYLISTED
        and row.reason == Reason.STOP
        and row.source == Source.KEYWORD
    )


@transaction.atomic
def apply(
    parsed: ParsedAddress,
    event: Event,
    *,
    by: str,
    source: Source,
    reason: Reason,
    now: datetime,
    note: str = "",
    delivery_label: str = "",
) -> QuarantinedAddress | None:
    """Apply one event to one address, and write what changed into its history.

    Takes the identity of the address (profiles.addresses.parse, or identity_of).
    Returns the row as it is afterwards; None when there is none and none is needed.
    Raises QuarantineError with a sentence when the table refuses.
    """
    cause = Cause(by, source, reason, now, note, delivery_label)
    return change(find(parsed, event, source=source, now=now), event, cause)


def find(
    parsed: ParsedAddress, event: Event, *, source: Source, now: datetime
) -> Found:
    """Lock the row of an address, or make it where the event calls for one.

    Of two that make it, one finds the other's. Only in a transaction.
    """
    rows = QuarantinedAddress.objects.select_for_update()
    target = outcome(None, event)
    if not isinstance(target, Status):
        found = rows.filter(channel=parsed.channel, digest=parsed.digest)
        return Found(found.first(), is_new=False)

    row, is_new = rows.get_or_create(
        channel=parsed.channel,
        digest=parsed.digest,
        defaults={
            "address": parsed.value,
            "domain": parsed.domain,
            "status": target,
            "source": source,
            "created_at": now,
        },
    )
    return Found(row, is_new)


def change(found: Found, event: Event, cause: Cause) -> QuarantinedAddress | None:
    """Make of a locked row what the table says, and write that into its history.

    Writes what the caller set on the row with it. Raises QuarantineError.
    """
    row, from_status = found.row, found.state
    target = _allowed(found.known, event)
    if row is None or target is KEEP:
        return row

    row.status, row.reason, row.source = target, cause.reason, cause.source
    if event == Event.START:
        _restore(row)
    row.updated_by, row.updated_at = cause.by, cause.now
    row.error_text = cause.note or row.error_text
    row.error_code = cause.code or row.error_code
    row.last_delivery_label = cause.delivery_label or row.last_delivery_label
    row.batch = cause.hold if target == Status.QUARANTINE else None
    row.is_provisional = row.batch is not None
    _count_errors(row, event, cause)
    if event == Event.ERASE:
        _forget_person(row)
        cause = replace(cause, note="")
    row.save()
    if target in EXCLUDING:
        in_flight.wait_until_none([], [row.digest])
    _remember(row, event, cause, from_status=from_status)
    return row


def _allowed(row: QuarantinedAddress | None, event: Event) -> Status | Unchanged:
    cell = outcome(row, event)
    if isinstance(cell, Refusal):
        raise QuarantineError(str(cell.sentence))
    return cell


def _count_errors(row: QuarantinedAddress, event: Event, cause: Cause) -> None:
    if row.status == Status.VALID:
        row.significant_error_count = 0
        row.last_significant_at = None
        # Two errors that are hard together may be months apart.
        if event != Event.EXPIRE:
            row.unsure_at = None
    if event in ERRORS:
        row.first_error_at = min(row.first_error_at or cause.moment, cause.moment)
        row.last_error_at = max(row.last_error_at or cause.moment, cause.moment)


def _remember(
    row: QuarantinedAddress, event: Event, cause: Cause, *, from_status: State
) -> None:
    QuarantineEvent.objects.create(
        channel=row.channel,
        digest=row.digest,
        at=cause.now,
        event=event,
        from_status=from_status,
        to_status=row.status,
        reason=row.reason,
        source=cause.source,
        note=cause.note,
        actor=cause.by,
        domain=row.domain,
        code=cause.code,
        delivery_id=cause.delivery_id,
        delivery_label=cause.delivery_label,
        is_provisional=row.is_provisional,
        error_count=row.significant_error_count,
        batch=cause.hold,
    )


def _restore(row: QuarantinedAddress) -> None:
    """Put an address back into the quarantine that its STOP took it from, if any."""
    events = QuarantineEvent.objects.filter(channel=row.channel, digest=row.digest)
    stop = events.filter(event=Event.STOP).order_by("-pk").first()
    if stop is None or stop.from_status != Status.QUARANTINE:
        return
    before = events.filter(pk__lt=stop.pk, to_status=Status.QUARANTINE)
    put = before.order_by("-pk").first()
    row.status = Status.QUARANTINE
    row.reason = put.reason if put is not None else Reason.LISTED
    row.source = put.source if put is not None else Source.OPERATOR


def _forget_person(row: QuarantinedAddress) -> None:
    row.address = row.domain = row.error_text = ""
    QuarantineEvent.objects.filter(channel=row.channel, digest=row.digest).update(
        note="", domain=""
    )
