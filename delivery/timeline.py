"""One timeline of everything that happened to a person, newest first, by the page.

Out of the append-only records of several apps, each read from its own index and only
as far as the page goes; so a page costs the same with ten events and ten thousand.
Those of every profile that was merged into this one belong to it. Messages and
exclusions are those of the latest deliveries (delivery.person_messages).

Entries of one moment have an order as well: a page begins exactly after the last one.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet, TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery import history, person_messages
from delivery.history import Entry
from delivery.person_messages import PersonMessage
from optout.models import ConsentEvent
from optout.models.ledger import ConsentSource, Direction
from profiles.models import Address, Profile
from profiles.showing import Writer
from quarantine.models import QuarantineEvent
from quarantine.reasons import Source

PAGE_SIZE: Final = 50


class Kind(TextChoices):
    """What an entry is about; what files wrote is of another kind as well."""

    PROFILE = "profile", gettext_lazy("Profile and addresses")
    CONSENT = "consent", gettext_lazy("Consent")
    SUBSCRIPTION = "subscription", gettext_lazy("Subscriptions")
    QUARANTINE = "quarantine", gettext_lazy("Quarantine")
    MESSAGE = "message", gettext_lazy("Messages")
    EXCLUSION = "exclusion", gettext_lazy("Exclusions")
    IMPORT = "import", gettext_lazy("By a file")


OF_LOGS: Final = frozenset({Kind.MESSAGE, Kind.EXCLUSION})


@dataclass(frozen=True)
class TimelinePage:
    """Some entries, newest first; `older` is the place of the next page, or empty."""

    entries: list[Entry]
    older: str = ""


@dataclass(frozen=True)
class _Place:
    """Where a page begins: after this entry."""

    at: datetime
    rank: int
    number: int

    def beyond(self, rank: int) -> Q:
        """Give the condition on the rows of a source that come later on the line."""
        if rank != self.rank:
            is_after = "lte" if rank > self.rank else "lt"
            return Q(**{f"at__{is_after}": self.at})
        return Q(at__lt=self.at) | Q(at=self.at, pk__lt=self.number)

    def is_before(self, at: datetime, rank: int, number: int) -> bool:
        return (self.at, -self.rank, self.number) > (at, -rank, number)


@dataclass(frozen=True)
class _Asked:
    """A person, and the part of their line that is wanted."""

    profile: Profile
    gone: list[Profile]
    addresses: list[Address]
    messages: Collection[PersonMessage] | None
    kinds: frozenset[str]
    place: _Place | None
    size: int
    write: Writer
    shows_evidence: bool

    @property
    def ids(self) -> list[int]:
        return [self.profile.pk, *(each.pk for each in self.gone)]

    def newest(self, rows: "QuerySet[Any]", rank: int) -> list[Any]:
        """Take as many rows of a source as can be on the page, and one more."""
        if self.place is not None:
            rows = rows.filter(self.place.beyond(rank))
        return list(rows.order_by("-at", "-pk")[: self.size + 1])

    def cut(self, entries: Iterable[tuple[int, Entry]], rank: int) -> "_Ranked":
        """Take the entries that were made in memory, with their numbers."""
        return [
            ((each.at, -rank, number), each)
            for number, each in entries
            if self.place is None or self.place.is_before(each.at, rank, number)
        ]


_Ranked = list[tuple[tuple[datetime, int, int], Entry]]


def page_of(
    profile: Profile,
    *,
    write: Writer,
    shows_evidence: bool,
    addresses: Collection[Address] | None = None,
    gone: Collection[Profile] | None = None,
    messages: Collection[PersonMessage] | None = None,
    kinds: Collection[str] = Kind.values,
    after: str = "",
    size: int = PAGE_SIZE,
) -> TimelinePage:
    """Give a page of the timeline: the entries of some kinds after a place.

    `addresses`, `gone` (the profiles merged into it) and `messages` are those of the
    person, if they are at hand. A place that cannot be read gives the first page.
    `write` writes an address as the reader may see it. A dozen queries at most.
    """
    if addresses is None:
        addresses = list(Address.objects.filter(profile=profile))
    if gone is None:
        gone = Profile.objects.filter(merged_into=profile).order_by("pk")
    asked = _Asked(
        profile,
        list(gone),
        list(addresses),
        messages,
        frozenset(kinds),
        _read_place(after),
        size,
        write,
        shows_evidence,
    )
    ranked: _Ranked = []
    for rank, source in enumerate(_SOURCES):
        ranked += source(asked, rank)
    ranked.sort(key=lambda each: each[0], reverse=True)
    shown = ranked[:size]
    older = _written(*shown[-1][0]) if len(ranked) > size else ""
    return TimelinePage([entry for _key, entry in shown], older)


def _ledger(asked: _Asked, rank: int) -> _Ranked:
    wanted = {
        Kind.CONSENT: Q(channel__isnull=False) | Q(direction=Direction.MERGE),
        Kind.SUBSCRIPTION: Q(service_id__isnull=False),
        Kind.IMPORT: Q(source=ConsentSource.IMPORT),
    }
    condition = _any_of(wanted, asked)
    if condition is None:
        return []
    is_theirs = Q(profile_id__in=asked.ids)
    rows = ConsentEvent.objects.filter(is_theirs, condition)
    events = asked.newest(rows, rank)
    entries = history.consent_entries(events, shows_evidence=asked.shows_evidence)
    return [
        ((event.at, -rank, event.pk), entry)
        for event, entry in zip(events, entries, strict=True)
    ]


def _quarantine(asked: _Asked, rank: int) -> _Ranked:
    wanted = {Kind.QUARANTINE: Q(), Kind.IMPORT: Q(source=Source.IMPORT)}
    condition = _any_of(wanted, asked)
    if condition is None or not asked.addresses:
        return []
    values = {
        (each.channel, each.digest): asked.write(each.channel, each.value)
        for each in asked.addresses
    }
    is_own = Q()
    for channel, digest in values:
        is_own |= Q(channel=channel, digest=digest)
    rows = QuarantineEvent.objects.filter(is_own).filter(condition)
    return [
        (
            (event.at, -rank, event.pk),
            history.quarantine_entry(event, value=values[event.channel, event.digest]),
        )
        for event in asked.newest(rows, rank)
    ]


def _messages(asked: _Asked, rank: int) -> _Ranked:
    if not asked.kinds & OF_LOGS:
        return []
    messages = asked.messages
    if messages is None:
        messages = person_messages.latest_of(asked.ids)
    entries = (
        (each.delivery.pk, history.message_entry(each, write=asked.write))
        for each in messages
        if _kind_of(each) in asked.kinds
    )
    return asked.cut(entries, rank)


def _kind_of(message: PersonMessage) -> Kind:
    return Kind.EXCLUSION if message.is_excluded else Kind.MESSAGE


def _profile(asked: _Asked, rank: int) -> _Ranked:
    """Tell when the profile and its addresses came, which no log keeps but they do."""
    if Kind.PROFILE not in asked.kinds:
        return []
    entries = [
        (each.pk, history.address_entry(each, write=asked.write))
        for each in asked.addresses
        if each.created_at != asked.profile.created_at
    ]
    entries += [
        (-each.pk, Entry(each.created_at, _("Profile created"), [], tone="info"))
        for each in (asked.profile, *asked.gone)
    ]
    if asked.profile.erased_at is not None:
        erased = Entry(asked.profile.erased_at, _("Person erased"), [], tone="bad")
        entries.append((0, erased))
    return asked.cut(entries, rank)


_SOURCES: Final[tuple[Callable[[_Asked, int], _Ranked], ...]] = (
    _messages,
    _ledger,
    _quarantine,
    _profile,
)


def _any_of(wanted: Mapping[Kind, Q], asked: _Asked) -> Q | None:
    """Join the conditions of the kinds that are asked for; None for none of them."""
    conditions = [each for kind, each in wanted.items() if kind in asked.kinds]
    if not conditions:
        return None
    if any(not each for each in conditions):
        return Q()
    joined = Q()
    for each in conditions:
        joined |= each
    return joined


def _written(at: datetime, minus_rank: int, number: int) -> str:
    return f"{at.isoformat()}~{-minus_rank}~{number}"


def _read_place(text: str) -> _Place | None:
    try:
        at, rank, number = text.split("~")
        moment = datetime.fromisoformat(at)
        place = _Place(moment, int(rank), int(number))
    except (ValueError, OverflowError):
        return None
    is_storable = abs(place.number) < 1 << 63 and moment.tzinfo is not None
    return place if is_storable else None
