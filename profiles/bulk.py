"""Many rows into a table at once: COPY on PostgreSQL, executemany on SQLite.

Values are written as both databases read them: text, numbers, None, True and False;
moments in UTC as `2024-05-31 12:30:00`, digests as 32 hexadecimal digits.
"""

import csv
import io
from collections.abc import Collection, Sequence
from typing import Any, Final, TypeAlias

from django.db import connection

Values: TypeAlias = Sequence[Any]
_BLOCK_ROWS: Final = 500


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
    rows: Sequence[Values],
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
        # In blocks: the server works on one while we write the next.
        for start in range(0, len(rows), _BLOCK_ROWS):
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerows(rows[start : start + _BLOCK_ROWS])
            copy.write(text.getvalue())


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


def is_any_of(column: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Give (condition, parameters) for a column that is one of many values."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s)", [list(values)]
    places = ", ".join(["%s"] * len(values))
    return f"{column} IN ({places})", list(values)


def next_ids(table: str, count: int) -> list[int]:
    """Reserve ids of a table's `id`; on SQLite within the transaction of their use."""
    if connection.vendor == "postgresql":
        rows = select(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id'))"
            " FROM generate_series(1, %s)",
            [table, count],
        )
        return [number for (number,) in rows]
    [(last,)] = select(
        f"SELECT max((SELECT coalesce(max(id), 0) FROM {table}),"
        " coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = %s), 0))",
        [table],
    )
    return list(range(last + 1, last + 1 + count))
