"""Pages of long lists by key, so that page 10,000 costs what page 1 does.

No count and no OFFSET: a page starts after the last row of the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.timezone import is_naive

Row = TypeVar("Row", bound=Model)
PAGE_SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page, and the query strings that lead to its neighbours."""

    rows: list[Row]
    newer_url: str
    older_url: str


def page_of(
    rows: QuerySet[Row],
    *,
    keys: Sequence[str],
    query: QueryDict,
    size: int = PAGE_SIZE,
) -> Page[Row]:
    """Take one page of rows, the largest keys first.

    Takes the names of the fields to order by, of which the last is unique, and the
    query of the request, where `after` or `before` holds the place. A place that
    cannot be read gives the first page.
    """
    is_back = "before" in query
    place = _place(rows, keys, query.get("before") or query.get("after") or "")
    if place is None:
        is_back = False
    else:
        rows = rows.filter(_beyond(keys, place, is_back=is_back))

    sign = "" if is_back else "-"
    found = list(rows.order_by(*(sign + key for key in keys))[: size + 1])
    has_more, found = len(found) > size, found[:size]
    if is_back:
        found.reverse()
    has_newer = has_more if is_back else place is not None
    has_older = has_more or is_back
    return Page(
        rows=found,
        newer_url=_url(query, keys, found[:1], direction="before") if has_newer else "",
        older_url=_url(query, keys, found[-1:], direction="after") if has_older else "",
    )


def _place(rows: QuerySet[Any], keys: Sequence[str], text: str) -> list[Any] | None:
    parts = text.split("~")
    if len(parts) != len(keys):
        return None
    fields = [rows.model._meta.get_field(key) for key in keys]
    try:
        return [_read(field, part) for field, part in zip(fields, parts, strict=True)]
    except (ValidationError, ValueError, OverflowError):
        return None


def _read(field: Any, part: str) -> Any:
    """Read a part of a place. Raises one of three errors for what cannot be asked."""
    # What a foreign key holds is a number of the other table, with its bounds.
    field = getattr(field, "target_field", field)
    value = field.to_python(part)
    field.run_validators(value)
    if isinstance(value, datetime):
        if is_naive(value):
            raise ValidationError("A moment of a place has its offset.")
        # At either end of the calendar there is no such moment in UTC.
        return value.astimezone(UTC)
    return value


def _beyond(keys: Sequence[str], place: Sequence[Any], *, is_back: bool) -> Q:
    compare = "gt" if is_back else "lt"
    condition = Q(**{f"{keys[-1]}__{compare}": place[-1]})
    for key, value in zip(reversed(keys[:-1]), reversed(place[:-1]), strict=True):
        # The first part is implied, and lets the database use its index.
        condition = Q(**{f"{key}__{compare}e": value}) & (
            Q(**{f"{key}__{compare}": value}) | condition
        )
    return condition


def _url(
    query: QueryDict, keys: Sequence[str], rows: Sequence[Model], *, direction: str
) -> str:
    copy = query.copy()
    copy.pop("after", None)
    copy.pop("before", None)
    if rows:
        copy[direction] = "~".join(_text(getattr(rows[0], key)) for key in keys)
    return "?" + copy.urlencode()


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
