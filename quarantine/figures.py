"""What errors there were, counted by reason, domain, code, delivery and day."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Q, QuerySet, TextChoices
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from profiles.spreadsheets import spreadsheet_safe
from quarantine.models import QuarantineEvent
from quarantine.reasons import ERRORS, EXCLUDING, Event, Reason

REPORTED: Final = frozenset({*ERRORS, Event.COMPLAINT, Event.STOP, Event.ERROR_NOTED})
PERIODS: Final = (7, 30, 90, 365)  # days
MOST_ROWS: Final = 50
# Of the picture: each half is as high as its largest day.
_HALF: Final = 48.0
_MIDDLE: Final = 50.0
IS_NEW = Q(to_status__in=EXCLUDING) & ~Q(from_status__in=EXCLUDING)
IS_NEW |= Q(to_status__in=EXCLUDING, from_status=None)
IS_GONE = Q(from_status__in=EXCLUDING) & ~Q(to_status__in=EXCLUDING)


class Grouping(TextChoices):
    """What errors are counted by."""

    REASON = "reason", _("Reason")
    DOMAIN = "domain", _("Domain")
    CODE = "code", _("Error code")
    DELIVERY = "delivery", _("Delivery")
    DAY = "day", _("Day")


@dataclass(frozen=True, slots=True)
class Row:
    """Errors with something in common; `held` of them excluded their address.

    `key` is what they have in common, as the list of addresses is filtered by it.
    """

    key: str
    label: str
    errors: int
    held: int
    percent: float


@dataclass(frozen=True, slots=True)
class Day:
    """How many addresses came into quarantine on a day (UTC), and how many left."""

    day: date
    held: int
    released: int
    x: int
    held_height: float
    released_height: float

    @property
    def held_y(self) -> float:
        return _MIDDLE - self.held_height


def counted(
    by: Grouping, *, days: int, now: datetime, most: int | None = MOST_ROWS
) -> list[Row]:
    """Count the errors of the last days, most frequent first; days newest first."""
    events = QuarantineEvent.objects.filter(
        at__gte=_first(days, now), event__in=REPORTED
    )
    found = _grouped(events, by)[:most]
    largest = max((row["errors"] for row in found), default=1)
    return [
        Row(
            key=str(row[_FIELDS[by]] or ""),
            label=_label(by, row),
            errors=row["errors"],
            held=row["held"],
            percent=round(100 * row["errors"] / largest, 1),
        )
        for row in found
    ]


def days_of(*, days: int, now: datetime) -> list[Day]:
    """Count who came into quarantine and who left it, day by day, today last."""
    first = _first(days, now)
    rows = (
        QuarantineEvent.objects.filter(at__gte=first)
        .annotate(day=TruncDate("at", tzinfo=UTC))
        .values("day")
        .annotate(held=Count("pk", filter=IS_NEW), released=Count("pk", filter=IS_GONE))
        # In no order, so that the database need not sort all rows first.
        .order_by()
    )
    found = {row["day"]: (row["held"], row["released"]) for row in rows}
    most = max((max(pair) for pair in found.values()), default=0) or 1
    return [
        _day(first.date() + timedelta(days=number), number, found, most=most)
        for number in range(days)
    ]


def csv_of(by: Grouping, *, days: int, now: datetime) -> Iterator[str]:
    """Give all rows as CSV that a spreadsheet can open safely."""
    yield _csv((by.value, "name", "errors", "quarantined"))
    for row in counted(by, days=days, now=now, most=None):
        cells = (row.key, row.label, str(row.errors), str(row.held))
        yield _csv(tuple(spreadsheet_safe(cell) for cell in cells))


_FIELDS: Final = {
    Grouping.REASON: "reason",
    Grouping.DOMAIN: "domain",
    Grouping.CODE: "code",
    Grouping.DELIVERY: "delivery_id",
    Grouping.DAY: "day",
}


def _first(days: int, now: datetime) -> datetime:
    day = now.astimezone(UTC).date() - timedelta(days=days - 1)
    return datetime.combine(day, time(), UTC)


def _grouped(
    events: QuerySet[QuarantineEvent], by: Grouping
) -> "QuerySet[QuarantineEvent, dict[str, Any]]":
    field = _FIELDS[by]
    if by == Grouping.DAY:
        events = events.annotate(day=TruncDate("at", tzinfo=UTC))
    if by == Grouping.DELIVERY:
        events = events.filter(delivery_id__isnull=False)
    rows = events.values(field).annotate(
        errors=Count("pk"), held=Count("pk", filter=IS_NEW)
    )
    if by == Grouping.DELIVERY:
        rows = rows.annotate(label=Max("delivery_label"))
    first = "-day" if by == Grouping.DAY else "-errors"
    ordered: QuerySet[QuarantineEvent, dict[str, Any]] = rows.order_by(first, field)
    return ordered


def _label(by: Grouping, row: dict[str, Any]) -> str:
    value = row[_FIELDS[by]]
    if by == Grouping.REASON:
        return str(Reason(value).label)
    if by == Grouping.DELIVERY:
        return str(row["label"] or value)
    return str(value or _("unknown"))


def _day(
    day: date, number: int, found: dict[date, tuple[int, int]], *, most: int
) -> Day:
    held, released = found.get(day, (0, 0))
    return Day(
        day,
        held,
        released,
        number * 10,
        round(held * _HALF / most, 1),
        round(released * _HALF / most, 1),
    )


def _csv(cells: tuple[str, ...]) -> str:
    file = io.StringIO()
    csv.writer(file).writerow(cells)
    return file.getvalue()
