"""Opt-outs and quarantine of the last seven days, against the four weeks before.

Days are of UTC. Today counts for as much of a day as has passed, lest every morning
looks calm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from optout.models import ConsentEvent
from optout.models.ledger import Direction
from quarantine.figures import IS_NEW
from quarantine.models import QuarantineEvent

SHOWN: Final = 7  # days
BEFORE: Final = 28  # days
# Fewer than this say nothing.
FEWEST: Final = 10
MORE: Final = 1.5
MUCH_MORE: Final = 3.0
LESS: Final = 0.5


@dataclass(frozen=True)
class Day:
    """One day: what happened, and its bar, from the bottom of a picture 100 high."""

    day: date
    count: int
    x: int
    height: float

    @property
    def y(self) -> float:
        return 100 - self.height


@dataclass(frozen=True)
class Trend:
    """Seven days, and how many there usually are; `usual` is of one day."""

    days: list[Day]
    count: int
    usual: float
    expected: float
    usual_y: float

    @property
    def width(self) -> int:
        return len(self.days) * 10

    @property
    def times(self) -> float:
        """Give how many times as many as expected there are; 0 when unknown."""
        return self.count / self.expected if self.expected else 0.0

    @property
    def tone(self) -> str:
        if not self._is_more:
            return "quiet" if self._is_less else "good"
        if not self.expected:
            return "info"
        return "bad" if self.times >= MUCH_MORE else "warn"

    @property
    def word(self) -> str:
        if self._is_less:
            return _("Fewer than usual")
        if not self._is_more:
            return _("As usual")
        if not self.expected:
            return _("New: none in the four weeks before")
        times = f"{self.times:.1f}" if self.times < FEWEST else f"{self.times:.0f}"
        return _("More than usual (%(times)s times)") % {"times": times}

    @property
    def _is_more(self) -> bool:
        return self.count >= FEWEST and self.count >= MORE * self.expected

    @property
    def _is_less(self) -> bool:
        return self.expected >= FEWEST and self.count <= LESS * self.expected


def of_opt_outs(now: datetime) -> Trend:
    """Count the changes in the ledger that ended a consent."""
    return _trend(ConsentEvent.objects.filter(direction=Direction.OUT), now=now)


def of_quarantine(now: datetime) -> Trend:
    """Count the addresses that came into quarantine."""
    return _trend(QuarantineEvent.objects.filter(IS_NEW), now=now)


def _trend(events: "QuerySet[Any]", *, now: datetime) -> Trend:
    first = now.astimezone(UTC).date() - timedelta(days=SHOWN - 1)
    found = _by_day(events, since=first - timedelta(days=BEFORE))
    shown = [first + timedelta(days=number) for number in range(SHOWN)]
    usual = sum(count for day, count in found.items() if day < first) / BEFORE
    passed = (now - datetime.combine(first, time(), UTC)) / timedelta(days=1)
    most = max(usual, *(found.get(day, 0) for day in shown)) or 1
    return Trend(
        days=[
            Day(day, found.get(day, 0), number * 10, _height(found.get(day, 0), most))
            for number, day in enumerate(shown)
        ],
        count=sum(found.get(day, 0) for day in shown),
        usual=usual,
        expected=usual * passed,
        usual_y=100 - _height(usual, most),
    )


def _height(count: float, most: float) -> float:
    return round(96 * count / most, 1)


def _by_day(events: "QuerySet[Any]", *, since: date) -> Mapping[date, int]:
    rows = (
        events.filter(at__gte=datetime.combine(since, time(), UTC))
        .annotate(day=TruncDate("at", tzinfo=UTC))
        .values("day")
        .annotate(count=Count("pk"))
    )
    return {row["day"]: row["count"] for row in rows}
