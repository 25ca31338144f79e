"""Who subscribes to a service now, and who came and went: figures and their picture."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from optout.models import ConsentEvent, Service, Subscription
from optout.models.ledger import Direction

PERIOD = 30  # days, today included
# Of the picture: each half is as high as its largest day.
_HALF = 48.0
_MIDDLE = 50.0


@dataclass(frozen=True)
class Day:
    """How many came and went on one day (UTC), and where their columns stand."""

    day: date
    gained: int
    lost: int
    x: int
    gained_height: float
    lost_height: float

    @property
    def gained_y(self) -> float:
        return _MIDDLE - self.gained_height


@dataclass(frozen=True)
class ServiceFigures:
    """What a service has now, and what happened to it in the last PERIOD days."""

    current: int
    expired: int
    gained: int
    lost: int
    days: list[Day]

    @property
    def width(self) -> int:
        return len(self.days) * 10


def figures(service: Service, *, now: datetime) -> ServiceFigures:
    """Count the subscriptions of one service, and the changes day by day."""
    rows = Subscription.objects.filter(service=service)
    counts = rows.aggregate(
        current=Count("pk", filter=_is_current(now)),
        expired=Count(
            "pk", filter=Q(unsubscribed_at__isnull=True, expires_at__lte=now)
        ),
    )
    days = days_of(ConsentEvent.objects.filter(service_id=service.pk), now=now)
    return ServiceFigures(
        current=counts["current"],
        expired=counts["expired"],
        gained=sum(day.gained for day in days),
        lost=sum(day.lost for day in days),
        days=days,
    )


def with_counts(now: datetime) -> list[tuple[Service, int]]:
    """List every service with how many subscribe to it now."""
    # Counted by themselves: joined to the services first, it takes three times as long.
    current = Subscription.objects.filter(_is_current(now)).values_list("service_id")
    counts = dict(current.annotate(count=Count("pk")).order_by())
    return [(each, counts.get(each.pk, 0)) for each in Service.objects.all()]


def _is_current(now: datetime) -> Q:
    lasts = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    return lasts & Q(unsubscribed_at__isnull=True)


def days_of(events: "QuerySet[ConsentEvent]", *, now: datetime) -> list[Day]:
    """Count who came and who left on each of the last PERIOD days, today last.

    A day is one of UTC; of each, the ledger's rows among `events`.
    """
    first = now.date() - timedelta(days=PERIOD - 1)
    since = datetime.combine(first, time(), UTC)
    rows = (
        events.filter(at__gte=since)
        .annotate(day=TruncDate("at", tzinfo=UTC))
        .values("day")
        .annotate(
            gained=Count("pk", filter=Q(direction=Direction.IN)),
            lost=Count("pk", filter=Q(direction=Direction.OUT)),
        )
    )
    found = {row["day"]: (row["gained"], row["lost"]) for row in rows}
    most = max((max(pair) for pair in found.values()), default=0) or 1
    return [
        _day(first + timedelta(days=number), number, found, most=most)
        for number in range(PERIOD)
    ]


def _day(
    day: date, number: int, found: dict[date, tuple[int, int]], *, most: int
) -> Day:
    gained, lost = found.get(day, (0, 0))
    return Day(
        day,
        gained,
        lost,
        number * 10,
        round(gained * _HALF / most, 1),
        round(lost * _HALF / most, 1),
    )
