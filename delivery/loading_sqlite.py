"""Loading on SQLite: one reader's snapshot into a temporary table, then short writes.

Computing takes no lock that a writer would wait for. The rows then move into the
real table in chunks, so that an opt-out never waits longer than for one of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from delivery import eligibility
from delivery.loading import COLUMNS, Target, Watch, outcomes, rows_from
from delivery.models import Analysis, Message

TABLE = Message._meta.db_table
_ROWS_PER_WRITE = 200_000


def fill(analysis: Analysis, target: Target, *, watch: Watch) -> str:
    """Compute and store the rows of an analysis; gives the name of their table.

    Nothing refers to the rows until the delivery points to the analysis.
    """
    _create_temporary_tables()
    with _snapshot():
        losers = eligibility.duplicates(analysis.delivery, now=analysis.started_at)
        _execute(f"INSERT INTO temp.analysis_losers {losers.text}", losers.params)
        done = 0
        for part in target.parts():
            rows = outcomes(analysis, part, losers="temp.analysis_losers")
            done += _execute(
                f"INSERT INTO temp.analysis_outcomes {rows.text}", rows.params
            )
            watch.report(done)
    _move_rows(analysis, watch)
    _drop_temporary_tables()
    return TABLE


def publish(analysis: Analysis) -> None:
    """Do nothing: the rows are in the table already."""


def discard(analysis_id: int) -> None:
    """Delete the rows of an analysis, in chunks."""
    _drop_temporary_tables()
    while _execute(
        f"DELETE FROM {TABLE} WHERE analysis_id = %s AND profile_id IN"
        f" (SELECT profile_id FROM {TABLE} WHERE analysis_id = %s LIMIT %s)",
        (analysis_id, analysis_id, _ROWS_PER_WRITE),
    ):
        continue


def _create_temporary_tables() -> None:
    _drop_temporary_tables()
    _execute("PRAGMA temp.cache_size = -65536")
    _execute(
        "CREATE TEMP TABLE analysis_outcomes (profile_id, reasons, address, digest)"
    )
    _execute("CREATE TEMP TABLE analysis_losers (profile_id INTEGER PRIMARY KEY)")


def _drop_temporary_tables() -> None:
    _execute("DROP TABLE IF EXISTS temp.analysis_outcomes")
    _execute("DROP TABLE IF EXISTS temp.analysis_losers")


@contextmanager
def _snapshot() -> Iterator[None]:
    """Read one state of the database throughout, without keeping writers out."""
    if connection.in_atomic_block:
        yield
        return
    _execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        _execute("COMMIT")


def _move_rows(analysis: Analysis, watch: Watch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(rowid), 0) FROM temp.analysis_outcomes")
        last = cursor.fetchone()[0]
    for start in range(1, last + 1, _ROWS_PER_WRITE):
        with transaction.atomic():
            _execute(
                f"INSERT INTO {TABLE} ({COLUMNS})"
                f" {rows_from('temp.analysis_outcomes', analysis)}"
                " WHERE rowid BETWEEN %s AND %s",
                (start, start + _ROWS_PER_WRITE - 1),
            )
        watch.report(last)


def _execute(sql: str, params: tuple[Any, ...] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
