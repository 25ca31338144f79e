"""Stretches of whole days, as people choose them for figures.

A day begins at midnight in the console's time zone, so it may have 23 or 25 hours.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from django.db.models import F
from django.db.models.functions import TruncDate
from django.utils import timezone

# Longer ones are shown week by week.
MOST_DAYS_SHOWN: Final = 92
MOST_DAYS: Final = 366


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included, where the clock is `zone`."""

    first: date
    last: date
    zone: tzinfo

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time(), self.zone)

    @property
    def until(self) -> datetime:
        """Give the moment at which it is over."""
        return datetime.combine(self.last + timedelta(days=1), time(), self.zone)

    @property
    def is_weekly(self) -> bool:
        return (self.last - self.first).days >= MOST_DAYS_SHOWN

    @property
    def steps(self) -> list[date]:
        """List its days, or the Mondays of its weeks when it is long."""
        return self.weeks if self.is_weekly else _every(self.first, self.last, days=1)

    @property
    def weeks(self) -> list[date]:
        """List the Mondays of its weeks; the first may lie before it."""
        return _every(monday_of(self.first), self.last, days=7)

    def step_of(self, day: date) -> date:
        """Give the step that a day belongs to."""
        return monday_of(day) if self.is_weekly else day

    def day_of(self, field: str) -> TruncDate:
        """Give the day of a moment in the database, where the clock is `zone`."""
        return TruncDate(F(field), tzinfo=self.zone)

    def holds(self, field: str) -> dict[str, Any]:
        """Give the filter for moments that lie in it."""
        return {f"{field}__gte": self.since, f"{field}__lt": self.until}


def last_days(days: int, *, now: datetime) -> Period:
    """Give the period of so many days that ends today."""
    zone = timezone.get_current_timezone()
    today = now.astimezone(zone).date()
    return Period(today - timedelta(days=days - 1), today, zone)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _every(first: date, last: date, *, days: int) -> list[date]:
    count = (last - first).days // days + 1
    return [first + timedelta(days=number * days) for number in range(count)]
