"""What a report is made of, and what was chosen to see in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from delivery.models import Delivery
from delivery.reporting.pictures import Bars, Columns, Line
from delivery.reporting.tables import Table
from optout.models import Service
from profiles.channels import Channel
from profiles.periods import Period


@dataclass(frozen=True)
class Choice:
    """What somebody asked for, and which rights they have."""

    period: Period
    now: datetime
    may: Callable[[str], bool]
    channel: Channel | None = None
    service: Service | None = None
    delivery: Delivery | None = None


@dataclass(frozen=True)
class Section:
    """One table with its pictures. `name` is what its file is asked for by."""

    name: str
    title: str
    note: str
    table: Table
    bars: Bars | None = None
    columns: Columns | None = None
    line: Line | None = None
    links: Sequence[tuple[str, str]] = ()

    @property
    def is_empty(self) -> bool:
        return not self.table.rows


def day_text(day: date) -> str:
    return day.isoformat()


def moment_text(moment: datetime | None) -> str | None:
    """Write a moment by the console's clock."""
    if moment is None:
        return None
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


def share(part: int, whole: int) -> float | None:
    """Give the percents that a part is of a whole; None of nothing."""
    return round(100 * part / whole, 2) if whole else None
