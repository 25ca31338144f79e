"""How the quarantine grew over a year, next to the normal wear of a database.

A third of all addresses goes bad in a year while the database grows by half: of all
addresses, 0.33 / 1.5 = 22 % are held after the first year and, by the same sum, 32.5 %
after the second. A quarantine that grows much faster is worth a look.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.db.models import Count
from django.db.models.functions import TruncMonth

from profiles import counting
from profiles.counting import Count as RowCount
from profiles.models import Address
from quarantine.figures import IS_GONE, IS_NEW
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.reasons import EXCLUDING

FIRST_YEAR: Final = 22.0  # percent
SECOND_YEAR: Final = 32.5
MONTHS: Final = 13
_WIDTH: Final = 10
_HEIGHT: Final = 96.0


@dataclass(frozen=True, slots=True)
class Month:
    """How many addresses were held when a month ended, and what is normal by then."""

    first_day: date
    held: int
    normal: int
    x: int
    height: float
    normal_y: float

    @property
    def y(self) -> float:
        return 100 - self.height

    @property
    def middle(self) -> float:
        return self.x + _WIDTH / 2


@dataclass(frozen=True, slots=True)
class Growth:
    """The months of a year, oldest first, and how it stands now."""

    months: list[Month]
    held: RowCount
    addresses: RowCount

    @property
    def percent(self) -> float:
        return round(100 * self.held.number / max(self.addresses.number, 1), 1)

    @property
    def grown_percent(self) -> float:
        """What was added in the months shown, as a share of all addresses."""
        added = self.months[-1].held - self.months[0].held
        return round(100 * added / max(self.addresses.number, 1), 1)

    @property
    def is_faster_than_normal(self) -> bool:
        return self.grown_percent > FIRST_YEAR

    @property
    def width(self) -> int:
        return len(self.months) * _WIDTH

    @property
    def line(self) -> str:
        """The normal wear as the points of a line."""
        return " ".join(f"{month.middle:g},{month.normal_y:g}" for month in self.months)


def growth(*, now: datetime) -> Growth:
    """Work out how many were held at the end of each month, from the history back."""
    held = counting.count(QuarantinedAddress.objects.filter(status__in=EXCLUDING))
    addresses = counting.count(Address.objects.all())
    starts = _month_starts(now)
    changes = _changes(starts[0])
    ends, running = [], held.number
    for first in reversed(starts):
        ends.append((first, max(running, 0)))
        running -= changes.get(first, 0)
    ends.reverse()
    return Growth(_months(ends, addresses.number), held, addresses)


def _months(ends: list[tuple[date, int]], addresses: int) -> list[Month]:
    base = ends[0][1]
    per_month = addresses * FIRST_YEAR / 100 / 12
    normal = [round(base + per_month * number) for number in range(len(ends))]
    most = max(*normal, *(held for _first, held in ends), 1)
    return [
        Month(
            first,
            held,
            usual,
            number * _WIDTH,
            round(held * _HEIGHT / most, 1),
            round(100 - usual * _HEIGHT / most, 1),
        )
        for number, ((first, held), usual) in enumerate(zip(ends, normal, strict=True))
    ]


def _changes(since: date) -> dict[date, int]:
    """Count by how many the quarantine grew in each month (UTC)."""
    rows = (
        QuarantineEvent.objects.filter(at__gte=datetime.combine(since, time(), UTC))
        .annotate(month=TruncMonth("at", tzinfo=UTC))
        .values("month")
        .annotate(come=Count("pk", filter=IS_NEW), gone=Count("pk", filter=IS_GONE))
        .order_by("month")
    )
    return {row["month"].date(): row["come"] - row["gone"] for row in rows}


def _month_starts(now: datetime) -> list[date]:
    """List the first days of the last months, this one last."""
    first = now.astimezone(UTC).date().replace(day=1)
    starts = [first]
    while len(starts) < MONTHS:
        starts.append((starts[-1] - timedelta(days=1)).replace(day=1))
    return starts[::-1]
