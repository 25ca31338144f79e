"""How fast deliveries were sent, and how much of it was refused.

Attempts are counted, not messages: one that was refused for now was tried again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncMinute

from delivery.channels.outcomes import OutcomeKind
from delivery.models import Attempt, Delivery, DomainDay
from profiles.channels import Channel
from profiles.periods import Period

MOST_DELIVERIES: Final = 30
MOST_DOMAINS: Final = 20
MOST_STEPS: Final = 60
# Minutes that one step of the picture may have.
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
_COUNTS: Final = {
    "sent": Count("pk", filter=Q(outcome=OutcomeKind.SENT)),
    "deferred": Count(
        "pk", filter=Q(outcome__in=[OutcomeKind.SOFT, OutcomeKind.UNREACHABLE])
    ),
    "failed": Count(
        "pk", filter=Q(outcome__in=[OutcomeKind.HARD, OutcomeKind.REFUSED])
    ),
    "unknown": Count("pk", filter=Q(outcome=OutcomeKind.AMBIGUOUS)),
}


@dataclass(frozen=True, slots=True)
class Attempts:
    """What came of attempts; `unknown` are those that had no answer."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0

    def __add__(self, other: "Attempts") -> "Attempts":
        return Attempts(
            *(getattr(self, name) + getattr(other, name) for name in _COUNTS)
        )

    @property
    def total(self) -> int:
        return self.sent + self.deferred + self.failed + self.unknown


@dataclass(frozen=True, slots=True)
class Progress:
    """The attempts of one delivery, step by step; a step has `minutes`."""

    minutes: int
    steps: dict[datetime, Attempts]

    @property
    def total(self) -> Attempts:
        return sum(self.steps.values(), Attempts())


@dataclass(frozen=True, slots=True)
class DomainSpeed:
    """What one domain was sent in all, and on its busiest day (UTC)."""

    domain: str
    sent: int
    busiest: int
    complaints: int


def begun() -> QuerySet[Delivery]:
    """List the deliveries whose sending began, the latest first."""
    return (
        Delivery.objects.filter(started_at__isnull=False)
        .select_related("current_analysis")
        .order_by(F("started_at").desc(), "-pk")
    )


def deliveries(period: Period, channel: Channel | None) -> list[Delivery]:
    """List the latest deliveries whose sending began in the period."""
    rows = begun().filter(**period.holds("started_at"))
    if channel is not None:
        rows = rows.filter(channel=channel)
    return list(rows[:MOST_DELIVERIES])


def progress(delivery: Delivery) -> Progress:
    """Count the attempts of a delivery along time.

    In at most MOST_STEPS steps, unless it took months; then they are days.
    """
    rows = (
        Attempt.objects.filter(analysis_id=delivery.current_analysis_id or 0)
        .annotate(minute=TruncMinute("ended_at", tzinfo=UTC))
        .values("minute")
        .annotate(**_COUNTS)
        .order_by("minute")
    )
    found = {row["minute"]: _read(row) for row in rows}
    if not found:
        return Progress(1, {})
    first, last = min(found), max(found)
    minutes = _step(last - first)
    first = _floor(first, minutes)
    count = (_floor(last, minutes) - first) // timedelta(minutes=minutes) + 1
    steps = {
        first + number * timedelta(minutes=minutes): Attempts()
        for number in range(count)
    }
    for minute, attempts in found.items():
        steps[_floor(minute, minutes)] += attempts
    return Progress(minutes, steps)


def domains(first: date, last: date) -> list[DomainSpeed]:
    """List the domains that were sent most, by the days of UTC."""
    rows = (
        DomainDay.objects.filter(day__gte=first, day__lte=last)
        .values("domain")
        .annotate(all=Sum("sent"), busiest=Max("sent"), unwanted=Sum("complaints"))
        .filter(all__gt=0)
        .order_by("-all", "domain")
    )
    return [
        DomainSpeed(row["domain"], row["all"], row["busiest"], row["unwanted"])
        for row in rows[:MOST_DOMAINS]
    ]


def per_minute(delivery: Delivery) -> int | None:
    """Give the messages a minute from the beginning of the sending to its end."""
    if delivery.finished_at is None or delivery.current_analysis is None:
        return None
    assert delivery.started_at is not None
    seconds = (delivery.finished_at - delivery.started_at).total_seconds()
    return round(delivery.current_analysis.to_send_count / max(seconds / 60, 1))


def _read(row: Mapping[str, Any]) -> Attempts:
    return Attempts(*(row[name] for name in _COUNTS))


def _step(span: timedelta) -> int:
    """Choose the shortest step with which a span has few enough of them."""
    for minutes in _STEPS:
        # One more where the beginning is in the middle of a step.
        if span // timedelta(minutes=minutes) + 2 <= MOST_STEPS:
            return minutes
    return _STEPS[-1]


def _floor(moment: datetime, minutes: int) -> datetime:
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % (60 * minutes), UTC)
