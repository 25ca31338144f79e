"""How services grow: who subscribed and who left, week by week and service by service.

Comings and goings are the ledger's; that a subscription expired is nowhere but in its
own row. A renewal has a row in the ledger like a subscription has, so that of services
whose subscriptions expire the members of earlier weeks cannot be worked out.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Count, F, Q

from optout.models import ConsentEvent, Service, Subscription
from optout.models.ledger import ConsentSource, Direction
from profiles.periods import Period, monday_of

_COUNTS: Final = {
    "subscribed": Count("pk", filter=Q(direction=Direction.IN)),
    "confirmed": Count(
        "pk", filter=Q(direction=Direction.IN, source=ConsentSource.LANDING_PAGE)
    ),
    "unsubscribed": Count("pk", filter=Q(direction=Direction.OUT)),
}


@dataclass(frozen=True, slots=True)
class Moves:
    """Who came and who went; `confirmed` of those subscribed did so on a page."""

    subscribed: int = 0
    confirmed: int = 0
    unsubscribed: int = 0
    expired: int = 0

    def __add__(self, other: "Moves") -> "Moves":
        return Moves(
            self.subscribed + other.subscribed,
            self.confirmed + other.confirmed,
            self.unsubscribed + other.unsubscribed,
            self.expired + other.expired,
        )

    @property
    def net(self) -> int:
        return self.subscribed - self.unsubscribed - self.expired


@dataclass(frozen=True, slots=True)
class Growth:
    """Moves by week and by service; `totals` has the members as each week ended.

    No totals where subscriptions expire. `members` are those of now, by service.
    """

    weeks: dict[date, Moves]
    services: dict[Service, Moves]
    members: dict[Service, int]
    totals: dict[date, int] | None


def growth(period: Period, service: Service | None, *, now: datetime) -> Growth:
    """Count the moves of one service, or of all."""
    chosen = [service] if service is not None else list(Service.objects.all())
    services = {each.pk: each for each in chosen}
    members = _members(services, now=now)
    weeks = dict.fromkeys(period.weeks, Moves())
    by_service = dict.fromkeys(services.values(), Moves())
    later = Moves()
    for day, service_id, moves in _moves(period, services, now=now):
        if day > period.last:
            later += moves
            continue
        weeks[monday_of(day)] += moves
        by_service[services[service_id]] += moves
    is_lasting = all(each.validity_days is None for each in services.values())
    at_end = sum(members.values()) - later.net
    totals = _totals(weeks, at_end) if is_lasting else None
    return Growth(weeks, by_service, members, totals)


def _members(services: Mapping[int, Service], *, now: datetime) -> dict[Service, int]:
    rows = Subscription.objects.current(now).filter(service_id__in=services)
    counts = dict(rows.values_list("service_id").annotate(count=Count("pk")))
    return {each: counts.get(pk, 0) for pk, each in services.items()}


def _moves(
    period: Period, services: Mapping[int, Service], *, now: datetime
) -> list[tuple[date, int, Moves]]:
    """List (day, service, moves) from the beginning of the period until now."""
    events = (
        ConsentEvent.objects.filter(at__gte=period.since, service_id__in=services)
        .annotate(day=period.day_of("at"))
        .values("day", "service_id")
        .annotate(**_COUNTS)
        .order_by()
    )
    ends = (
        Subscription.objects.filter(
            Q(unsubscribed_at__isnull=True) | Q(unsubscribed_at__gt=F("expires_at")),
            service_id__in=services,
            expires_at__gte=period.since,
            expires_at__lte=now,
        )
        .annotate(day=period.day_of("expires_at"))
        .values("day", "service_id")
        .annotate(expired=Count("pk"))
        .order_by()
    )
    moves: dict[tuple[date, int], Moves] = defaultdict(Moves)
    rows: list[Mapping[str, Any]] = [*events, *ends]
    for row in rows:
        moves[row["day"], row["service_id"]] += _read(row)
    return [(day, service_id, each) for (day, service_id), each in moves.items()]


def _read(row: Mapping[str, Any]) -> Moves:
    return Moves(
        **{
            name: row[name]
            for name in ("subscribed", "confirmed", "unsubscribed", "expired")
            if name in row
        }
    )


def _totals(weeks: dict[date, Moves], at_end: int) -> dict[date, int]:
    """Work out the members as each week ended, from the last one back."""
    totals, running = {}, at_end
    for week in reversed(weeks):
        totals[week] = max(running, 0)
        running -= weeks[week].net
    return dict(reversed(totals.items()))
