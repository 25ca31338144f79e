"""How many rows there are, without reading millions of them for a start page."""

import json
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
    """Count the rows of several in one query, and one more for each of very many."""
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
    return [
        _estimate(rows)
        if estimates and number > EXACT_UP_TO
        else Count(number, is_estimate=False)
        for rows, number in zip(several, numbers, strict=True)
    ]


def _estimate(rows: QuerySet[Any]) -> Count:
    plan = json.loads(rows.order_by().explain(format="json"))
    number = max(int(plan[0]["Plan"]["Plan Rows"]), EXACT_UP_TO)
    return Count(round(number, 2 - len(str(number))), is_estimate=True)
