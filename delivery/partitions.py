"""Partitions of the message table on PostgreSQL: one for each analysis.

A partition is filled as a bare table, gets its key when it is full, and is attached
at the end. Until then nobody sees it; to discard it is to drop a table.
"""

import re

from django.db import OperationalError, connection, transaction
from django.db.models import Q

from delivery.models import Analysis, Delivery, Message
from delivery.states import AnalysisStatus

PARENT = Message._meta.db_table
_NAME = re.compile(rf"{PARENT}_([0-9]+)")


def name_of(analysis_id: int) -> str:
    """Name the table that holds the rows of an analysis."""
    return f"{PARENT}_{analysis_id:d}"


def create(analysis_id: int) -> str:
    """Make the bare table of an analysis and give its name."""
    table = name_of(analysis_id)
    _execute(f"DROP TABLE IF EXISTS {table}")
    # The check spares ATTACH a look at every row.
    _execute(
        f"CREATE TABLE {table} (LIKE {PARENT} INCLUDING DEFAULTS,"
        f" CONSTRAINT {table}_check CHECK (analysis_id = {analysis_id:d}))"
    )
    return table


def attach(analysis_id: int) -> None:
    """Make the rows of an analysis part of the message table."""
    table = name_of(analysis_id)
    _execute(
        f"ALTER TABLE {PARENT} ATTACH PARTITION {table} FOR VALUES IN ({analysis_id:d})"
    )
    _execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_check")


def build_key(analysis_id: int) -> None:
    """Build the primary key of a table that was filled without one."""
    table = name_of(analysis_id)
    with transaction.atomic():
        _execute("SET LOCAL maintenance_work_mem = '256MB'")
        _execute(f"ALTER TABLE {table} ADD PRIMARY KEY (analysis_id, profile_id)")


def drop(analysis_id: int) -> bool:
    """Drop the rows of an analysis; gives whether that was possible at once.

    Dropping waits for readers of the message table, and whoever comes next would
    wait behind it: so it gives up soon, and drop_superseded() tries again later.
    """
    try:
        with transaction.atomic():
            _execute("SET LOCAL lock_timeout = '500ms'")
            _execute(f"DROP TABLE IF EXISTS {name_of(analysis_id)}")
    except OperationalError:
        return False
    return True


def drop_superseded() -> None:
    """Drop the tables that neither a delivery nor a running analysis needs."""
    # Tables first: one made after this look belongs to a run that just began. And
    # one question, because a run that ends between two would be missed by both.
    existing = _existing()
    current = Delivery.objects.filter(current_analysis__isnull=False)
    needed = Analysis.objects.filter(
        Q(status=AnalysisStatus.RUNNING)
        | Q(pk__in=current.values("current_analysis_id"))
    )
    for analysis_id in existing.difference(needed.values_list("pk", flat=True)):
        drop(analysis_id)


def _existing() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ %s"
            " AND relnamespace = current_schema()::regnamespace",
            [f"^{PARENT}_[0-9]+$"],
        )
        names = [_NAME.fullmatch(row[0]) for row in cursor.fetchall()]
    return {int(name.group(1)) for name in names if name is not None}


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
