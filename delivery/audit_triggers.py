"""Triggers that make the audit trail append-only, on both engines.

Installed after every migrate, like those of the ledger (optout.triggers), verified by
a system check (delivery.E003), and dropped only by tests that flush.
"""

from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from delivery.models import ConsoleAction

TABLE: Final = ConsoleAction._meta.db_table
MESSAGE: Final = (
    "The audit trail is append-only: its rows say who did what. Nothing in it is ever"
    " changed or deleted."
)
_FUNCTION: Final = "delivery_refuse_audit_change"
_POSTGRESQL: Final = {
    "delivery_audit_no_change": "BEFORE UPDATE OR DELETE",
    "delivery_audit_no_truncate": "BEFORE TRUNCATE",
}
# INSERT OR REPLACE deletes without firing DELETE triggers, so it has one of its own.
_SQLITE: Final = {
    "delivery_audit_no_update": f"BEFORE UPDATE ON {TABLE}",
    "delivery_audit_no_delete": f"BEFORE DELETE ON {TABLE}",
    "delivery_audit_no_replace": f"BEFORE INSERT ON {TABLE}"
    f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)",
}


def install_after_migrate(*, using: str = DEFAULT_DB_ALIAS, **kwargs: object) -> None:
    """Install the triggers when post_migrate says that the tables may have changed."""
    install(using=using)


def install(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Put the triggers on the table; those that are there are made again."""
    connection = connections[using]
    if not _has_table(connection):
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for statement in [*_drops(connection), *_creates(connection)]:
            cursor.execute(statement)


def drop(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Take the triggers from the table. For tests that flush only."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for statement in _drops(connection):
            cursor.execute(statement)


def missing(*, using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """List the triggers that are not there or do not fire (of a table that is)."""
    connection = connections[using]
    if not _has_table(connection):
        return []
    sql = (
        "SELECT tgname FROM pg_trigger"
        " WHERE tgrelid = to_regclass(%s) AND tgenabled IN ('O', 'A')"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [TABLE])
        there = {name for (name,) in cursor.fetchall()}
    return [name for name in _names(connection) if name not in there]


def _names(connection: BaseDatabaseWrapper) -> dict[str, str]:
    return _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE


def _drops(connection: BaseDatabaseWrapper) -> list[str]:
    on_table = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    return [f"DROP TRIGGER IF EXISTS {name}{on_table}" for name in _names(connection)]


def _creates(connection: BaseDatabaseWrapper) -> list[str]:
    if connection.vendor != "postgresql":
        return [
            f"CREATE TRIGGER {name} {clause}"
            f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
            for name, clause in _SQLITE.items()
        ]
    function = (
        f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger AS $$ BEGIN"
        f" RAISE EXCEPTION '{MESSAGE}'"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$ LANGUAGE plpgsql"
    )
    # Per statement: also what would touch no row is refused.
    return [function] + [
        f"CREATE TRIGGER {name} {clause} ON {TABLE}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
        for name, clause in _POSTGRESQL.items()
    ]


def _has_table(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        return TABLE in connection.introspection.table_names(cursor)
