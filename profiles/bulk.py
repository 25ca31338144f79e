"""Many rows into a table at once: COPY on PostgreSQL, executemany on SQLite.

Values are written as both databases read them: text, numbers, None, True and False;
moments in UTC as `2024-05-31 12:30:00`, digests as 32 hexadecimal digits.
"""

import csv
import json
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

from django.db import connection

Values: TypeAlias = Sequence[Any]
_json = json.JSONEncoder(ensure_ascii=False).encode


def insert(
    table: str,
    columns: Sequence[str],
    rows: Sequence[Values],
    *,
    nullable: Collection[str] = (),
) -> None:
    """Insert rows of values in the order of the columns.

    An empty text is stored as null in the columns of `nullable` only.
    """
    insert_encoded(table, columns, encoded(rows), nullable=nullable)


def encoded(rows: Sequence[Values]) -> Sequence[Any]:
    """Write rows as the database takes them: lines for COPY, or as they are."""
    if connection.vendor != "postgresql":
        return rows
    lines = _Lines()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.lines


class _Lines:
    """What csv.writer writes to: it gives one text for each row."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.write = self.lines.append


def insert_encoded(
    table: str,
    columns: Sequence[str],
    rows: Sequence[Any],
    *,
    nullable: Collection[str] = (),
) -> None:
    """Insert rows that `encoded` has written."""
    if not rows:
        return
    if connection.vendor == "postgresql":
        _copy(table, columns, rows, nullable=nullable)
        return
    places = ", ".join(
        "nullif(%s, '')" if name in nullable else "%s" for name in columns
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows
        )


def _copy(
    table: str,
    columns: Sequence[str],
    lines: Sequence[str],
    *,
    nullable: Collection[str],
) -> None:
    filled = ", ".join(name for name in columns if name not in nullable)
    statement = (
        f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        f" WITH (FORMAT csv, FORCE_NOT_NULL ({filled}))"
    )
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement) as copy,
    ):
        copy.write("".join(lines))


def execute_many(statement: str, rows: Sequence[Values]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def execute(statement: str, parameters: Values = ()) -> int:
    """Execute a statement; give how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        count: int = cursor.rowcount
        return count


def select(statement: str, parameters: Values = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def is_any_of(column: str, values: Sequence[str] | Sequence[int]) -> tuple[str, str]:
    """Give (condition, parameter) for a column that is one of many values."""
    # As JSON: a list of 5,000 parameters takes three times as long to write and read.
    if connection.vendor == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(%s))", _json(values)
    kind = "bigint" if values and isinstance(values[0], int) else "text"
    elements = f"SELECT v::{kind} FROM json_array_elements_text(%s::json) v"
    return f"{column} = ANY (ARRAY({elements}))", _json(values)


def reserve_ids(table: str, count: int) -> list[int]:
    """Reserve ids of a table's `id`, which nobody else will get."""
    if connection.vendor == "postgresql":
        [(numbers,)] = select(
            "WITH sequence AS MATERIALIZED"
            " (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name)"
            " SELECT string_agg(nextval(name)::text, ',')"
            " FROM sequence, generate_series(1, %s)",
            [table, count],
        )
        return [int(number) for number in numbers.split(",")]

    sequence = "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s"
    if not execute(sequence, [count, table]):
        # Nobody has had an id yet.
        execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, 0)", [table])
        execute(sequence, [count, table])
    [(last,)] = select("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
    return list(range(last - count + 1, last + 1))
