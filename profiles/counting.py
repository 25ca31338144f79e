"""How many rows there are, without reading millions of them for a start page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import QuerySet, Value

# From here on PostgreSQL's own estimate is near enough.
EXACT_UP_TO = 100_000


@dataclass(frozen=True)
class Count:
    """A number of rows; rounded to two digits where it is an estimate."""

    number: int
    is_estimate: bool


def count(rows: QuerySet[Any]) -> Count:
    """Count rows exactly while they are few, else ask the planner on PostgreSQL."""
    return count_each([rows])[0]


def count_each(several: Sequence[QuerySet[Any]]) -> list[Count]:
    """Count the rows of several in one query, and one more for all of very many."""
    database = connections[several[0].db]
    estimates = database.vendor == "postgresql"
    parts: list[str] = []
    parameters: list[Any] = []
    for rows in several:
        one_each = rows.order_by().values_list(Value(1))
        counted = one_each[: EXACT_UP_TO + 1] if estimates else one_each
        sql, given = counted.query.sql_with_params()
        parts.append(f"(SELECT COUNT(*) FROM ({sql}) counted)")
        parameters += given
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        numbers = cursor.fetchone()
    many = [
        place
        for place, number in enumerate(numbers)
        if estimates and number > EXACT_UP_TO
    ]
    estimated = dict(
        zip(many, _estimates([several[each] for each in many]), strict=True)
    )
    return [
        estimated.get(place) or Count(number, is_estimate=False)
        for place, number in enumerate(numbers)
    ]


def _estimates(several: Sequence[QuerySet[Any]]) -> list[Count]:
    """Ask PostgreSQL's planner about each, all at once."""
    if not several:
        return []
    asked = [each.order_by().query.sql_with_params() for each in several]
    statements = "; ".join(f"EXPLAIN (FORMAT json) {sql}" for sql, _given in asked)
    found = []
    with connections[several[0].db].cursor() as cursor:
        cursor.execute(statements, [each for _sql, given in asked for each in given])
        for _each in several:
            [plan] = cursor.fetchone()[0]
            number = max(int(plan["Plan"]["Plan Rows"]), EXACT_UP_TO)
            found.append(Count(round(number, 2 - len(str(number))), is_estimate=True))
            cursor.nextset()
    return found
