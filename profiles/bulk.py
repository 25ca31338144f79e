"""Many rows into a table at once: COPY on PostgreSQL, executemany on SQLite.

Values are written as both databases read them: text, numbers, None, True and False;
moments in UTC as `2024-05-31 12:30:00`, digests as 32 hexadecimal digits.
"""

import csv
import io
import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from django.db import connection

Values: TypeAlias = Sequence[Any]
Prepared: TypeAlias = bytes | list[Any]
# Rows; to look at the tables takes as long as to write them.
_MANY: Final = 1_000
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
    if rows and connection.vendor == "postgresql":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        _copy(table, columns, text.getvalue(), nullable=nullable)
    else:
        insert_prepared(table, columns, list(rows), nullable=nullable)


def prepare(rows: list[Any]) -> Prepared:
    """Make of rows what `insert_prepared` takes; any thread may.

    Takes lines of CSV on PostgreSQL, sequences of values on SQLite.
    """
    return "".join(rows).encode() if connection.vendor == "postgresql" else rows


def insert_prepared(
    table: str,
    columns: Sequence[str],
    prepared: Prepared,
    *,
    nullable: Collection[str] = (),
) -> None:
    """Insert rows that were prepared."""
    if not prepared:
        return
    if isinstance(prepared, bytes):
        _copy(table, columns, prepared, nullable=nullable)
        return
    places = ", ".join(
        "nullif(%s, '')" if name in nullable else "%s" for name in columns
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})",
            prepared,
        )


def _copy(
    table: str, columns: Sequence[str], text: str | bytes, *, nullable: Collection[str]
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
        copy.write(text)


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


def moment(value: datetime | str) -> datetime:
    """Read a moment as `select` gives it: on SQLite as text, in UTC."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def is_any_of(column: str, values: Sequence[str] | Sequence[int]) -> tuple[str, str]:
    """Give (condition, parameter) for a column that is one of many values."""
    # As JSON: a list of 5,000 parameters takes three times as long to write and read.
    if connection.vendor == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(%s))", _json(values)
    kind = "bigint" if values and isinstance(values[0], int) else "text"
    elements = f"SELECT v::{kind} FROM json_array_elements_text(%s::json) v"
    return f"{column} = ANY (ARRAY({elements}))", _json(values)


def look_again(*tables: str, changed: int) -> None:
    """Let PostgreSQL look at tables of which many rows were changed.

    It does so by itself a minute later; an analysis in between was seen to take 35
    times as long, because it was planned for tables as they had been.
    """
    if changed >= _MANY and connection.vendor == "postgresql":
        for table in tables:
            execute(f"ANALYZE {table}")


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
