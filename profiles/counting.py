"""How many rows there are, without reading millions of them for a start page."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import QuerySet

# From here on PostgreSQL's own estimate is near enough.
EXACT_UP_TO = 100_000


@dataclass(frozen=True)
class Count:
    """A number of rows; rounded to two digits where it is an estimate."""

    number: int
    is_estimate: bool


def count(rows: QuerySet[Any]) -> Count:
    """Count rows exactly while they are few, else ask the planner on PostgreSQL."""
    if connections[rows.db].vendor == "postgresql":
        plan = json.loads(rows.order_by().explain(format="json"))
        estimate = int(plan[0]["Plan"]["Plan Rows"])
        if estimate > EXACT_UP_TO:
            return Count(round(estimate, 2 - len(str(estimate))), is_estimate=True)
    return Count(rows.count(), is_estimate=False)
