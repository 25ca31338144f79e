"""Opt-outs and opt-ins of a period, as the ledger has them: by day, source, delivery.

A row of the ledger is about a channel, or about a service. A channel that is asked
for has its own rows, those about every channel, and those of its services.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Count, Q, QuerySet

from optout.models import ConsentEvent, Service
from optout.models.ledger import Direction
from profiles.channels import ANY_CHANNEL, Channel
from profiles.periods import Period

MOST_DELIVERIES: Final = 20
_IS_OUT: Final = Q(direction=Direction.OUT)
_IS_IN: Final = Q(direction=Direction.IN)
_OF_SERVICE: Final = Q(service_id__isnull=False)
_COUNTS: Final = {
    "opted_out": Count("pk", filter=_IS_OUT & ~_OF_SERVICE),
    "unsubscribed": Count("pk", filter=_IS_OUT & _OF_SERVICE),
    "opted_in": Count("pk", filter=_IS_IN & ~_OF_SERVICE),
    "subscribed": Count("pk", filter=_IS_IN & _OF_SERVICE),
}


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows of the ledger take consent away, and how many give it."""

    opted_out: int = 0
    unsubscribed: int = 0
    opted_in: int = 0
    subscribed: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(
            *(getattr(self, name) + getattr(other, name) for name in _COUNTS)
        )

    def __sub__(self, other: "Changes") -> "Changes":
        return Changes(
            *(getattr(self, name) - getattr(other, name) for name in _COUNTS)
        )

    @property
    def lost(self) -> int:
        return self.opted_out + self.unsubscribed

    @property
    def net(self) -> int:
        return self.opted_in + self.subscribed - self.lost


@dataclass(frozen=True, slots=True)
class Report:
    """Changes by step of the period, and by source, the most opt-outs first."""

    steps: dict[date, Changes]
    sources: dict[str, Changes]


def report(period: Period, channel: Channel | None) -> Report:
    """Count the changes of consent, in one query."""
    rows = (
        _events(period, channel)
        .annotate(day=period.day_of("at"))
        .values("day", "source")
        .annotate(**_COUNTS)
        .order_by()
    )
    steps = dict.fromkeys(period.steps, Changes())
    sources: dict[str, Changes] = {}
    for row in rows:
        changes, step = _changes(row), period.step_of(row["day"])
        steps[step] += changes
        sources[row["source"]] = sources.get(row["source"], Changes()) + changes
    ordered = sorted(
        sources.items(), key=lambda each: (-each[1].lost, each[1].net, each[0])
    )
    return Report(steps, dict(ordered))


def by_delivery(
    period: Period, channel: Channel | None
) -> tuple[dict[int, Changes], Changes]:
    """Count the opt-outs that deliveries led to, most first; and those of the rest."""
    events = _events(period, channel).filter(_IS_OUT, delivery_id__isnull=False)
    rows = events.values("delivery_id").annotate(count=Count("pk"), **_COUNTS)
    most = rows.order_by("-count", "-delivery_id")[:MOST_DELIVERIES]
    found = {row["delivery_id"] or 0: _changes(row) for row in most}
    everything = _changes(events.aggregate(**_COUNTS))
    return found, everything - sum(found.values(), Changes())


def opt_outs(period: Period) -> int:
    """Count the rows that take consent away."""
    return _events(period, None).filter(_IS_OUT).count()


def _events(period: Period, channel: Channel | None) -> QuerySet[ConsentEvent]:
    events = ConsentEvent.objects.filter(
        **period.holds("at"), direction__in=[Direction.OUT, Direction.IN]
    )
    if channel is None:
        return events
    services = Service.objects.filter(channel=channel).values_list("pk", flat=True)
    return events.filter(
        Q(channel__in=[channel, ANY_CHANNEL]) | Q(service_id__in=list(services))
    )


def _changes(row: Mapping[str, Any]) -> Changes:
    return Changes(*(row[name] for name in _COUNTS))
