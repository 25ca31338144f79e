"""Finding quarantined addresses, and what a page says about each of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Collate, Lower

from profiles.channels import Channel
from profiles.models import Address, Profile
from profiles.searching import digests_of
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.reasons import EXCLUDING, Event, Reason, Status
from quarantine.release import check_can_release
from quarantine.transitions import QuarantineError

TONES = {
    Status.VALID: "good",
    Status.ALLOWLISTED: "info",
    Status.ERRONEOUS: "warn",
    Status.QUARANTINE: "bad",
    Status.DENYLISTED: "bad",
}
# Where a status is asked for: the addresses that an outage holds in quarantine.
PROVISIONAL = -1
HISTORY_LIMIT = 100
CARRIERS_LIMIT = 20


@dataclass(frozen=True)
class Line:
    """One address in a list; `refusal` says why it cannot be released, if so."""

    row: QuarantinedAddress
    tone: str
    refusal: str

    @property
    def is_held(self) -> bool:
        """Say whether deliveries exclude the address."""
        return self.row.status in EXCLUDING


@dataclass(frozen=True)
class HistoryLine:
    """One event of an address, with its name and the statuses in words."""

    event: QuarantineEvent
    name: str
    tone: str


def filtered(
    *,
    channel: int | None = None,
    status: int | None = None,
    reason: str = "",
    domain: str = "",
    text: str = "",
    finds_parts: bool = True,
) -> QuerySet[QuarantinedAddress]:
    """Keep the addresses that meet every filter given.

    `status` may be PROVISIONAL as well. `domain` includes its sub-domains. `text` is a
    whole address, in any case and format, or else, where `finds_parts`, a part of
    one: whoever may not read addresses could spell them out with that.
    """
    rows = QuarantinedAddress.objects.all()
    if channel is not None:
        rows = rows.filter(channel=channel)
    if status == PROVISIONAL:
        # They are few, and in a batch: its index finds them.
        rows = rows.filter(is_provisional=True, batch__isnull=False)
    elif status is not None:
        rows = rows.filter(status=status)
    if reason:
        rows = rows.filter(reason=reason)
    if domain:
        name = domain.strip().lstrip("@").lower()
        rows = rows.filter(Q(domain=name) | Q(domain__endswith=f".{name}"))
    if not text.strip():
        return rows
    return _with_text(rows, text.strip(), finds_parts=finds_parts)


def lines(
    rows: Iterable[QuarantinedAddress], *, may_release_denylisted: bool
) -> list[Line]:
    """Say of each address how it stands and whether it can be released."""
    return [
        Line(
            row,
            TONES[Status(row.status)],
            _refusal(row, may_release_denylisted=may_release_denylisted),
        )
        for row in rows
    ]


def known(
    addresses: Iterable[Address],
) -> Mapping[tuple[int, UUID], QuarantinedAddress]:
    """Look up what quarantine knows of addresses, by (channel, digest)."""
    is_one = Q()
    for address in addresses:
        is_one |= Q(channel=address.channel, digest=address.digest)
    if not is_one:
        return {}
    rows = QuarantinedAddress.objects.filter(is_one)
    return {(row.channel, row.digest): row for row in rows}


def history(row: QuarantinedAddress) -> list[HistoryLine]:
    """List what happened to an address, newest first."""
    events = QuarantineEvent.objects.filter(channel=row.channel, digest=row.digest)
    return [
        HistoryLine(
            event,
            str(Event(event.event).label),
            TONES[Status(event.to_status)] if event.to_status is not None else "",
        )
        for event in events.order_by("-at", "-pk")[:HISTORY_LIMIT]
    ]


def carriers(row: QuarantinedAddress) -> list[Profile]:
    """List the profiles that have this address, oldest first."""
    has_it = Q(addresses__digest=row.digest, addresses__channel=row.channel)
    profiles = Profile.objects.not_erased().filter(has_it)
    return list(profiles.order_by("pk")[:CARRIERS_LIMIT])


def choosable_reasons() -> list[Reason]:
    """List the reasons that an operator may choose."""
    return [reason for reason in Reason if reason not in {Reason.NONE, Reason.ERASED}]


def _with_text(
    rows: QuerySet[QuarantinedAddress], text: str, *, finds_parts: bool
) -> QuerySet[QuarantinedAddress]:
    # All channels are named so that the index on (channel, digest) serves.
    exact = Q(channel__in=Channel.values, digest__in=digests_of(text))
    if not finds_parts or QuarantinedAddress.objects.filter(exact).exists():
        return rows.filter(exact)
    if connection.vendor == "postgresql" and text.isascii():
        # Comparing bytes is three times as fast as the rules of a language.
        folded = Lower(Collate("address", "C"))
        return rows.alias(folded=folded).filter(folded__contains=text.lower())
    return rows.filter(address__icontains=text)


def _refusal(row: QuarantinedAddress, *, may_release_denylisted: bool) -> str:
    try:
        check_can_release(row, may_release_denylisted=may_release_denylisted)
    except QuarantineError as error:
        return str(error)
    return ""
