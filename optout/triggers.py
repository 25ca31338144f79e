"""Triggers that make the consent ledger append-only, on both engines.

Installed after every migrate, because a table rebuild on SQLite drops them without a
word; a system check (optout.E001) says when they are not there. Dropped only by
tests, just before a test database is flushed.
"""

from dataclasses import dataclass
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from optout.models import ConsentEvent

TABLE: Final = ConsentEvent._meta.db_table
MESSAGE: Final = (
    "The consent ledger is append-only: its rows are the proof of what people asked"
    " for. Add a row that corrects, instead of changing or deleting one."
)
_FUNCTION: Final = "optout_refuse_ledger_change"


@dataclass(frozen=True, slots=True)
class _Trigger:
    name: str
    # When it fires, in the words of the engine.
    clause: str


_POSTGRESQL: Final = (
    _Trigger("optout_ledger_no_change", "BEFORE UPDATE OR DELETE"),
    _Trigger("optout_ledger_no_truncate", "BEFORE TRUNCATE"),
)
# INSERT OR REPLACE deletes without firing DELETE triggers, so it has one of its own.
_SQLITE: Final = (
    _Trigger("optout_ledger_no_update", f"BEFORE UPDATE ON {TABLE}"),
    _Trigger("optout_ledger_no_delete", f"BEFORE DELETE ON {TABLE}"),
    _Trigger(
        "optout_ledger_no_replace",
        f"BEFORE INSERT ON {TABLE}"
        f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)",
    ),
)


def install_after_migrate(*, using: str = DEFAULT_DB_ALIAS, **kwargs: object) -> None:
    """Install the triggers when post_migrate says that the tables may have changed."""
    install(using=using)


def install(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Put the triggers on the ledger; those that are there are made again."""
    connection = connections[using]
    if not _has_table(connection):
        return
    with transaction.atomic(using=using):
        _drop(connection)
        for statement in _statements(connection):
            _execute(connection, statement)


def drop(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Take the triggers from the ledger. For tests that flush only."""
    with transaction.atomic(using=using):
        _drop(connections[using])


def missing(*, using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """List the triggers that are not there or do not fire (of a table that is)."""
    connection = connections[using]
    if not _has_table(connection):
        return []

    there = _names_that_fire(connection)
    return [each.name for each in _triggers(connection) if each.name not in there]


def _triggers(connection: BaseDatabaseWrapper) -> tuple[_Trigger, ...]:
    return _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE


def _drop(connection: BaseDatabaseWrapper) -> None:
    on_table = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    for trigger in _triggers(connection):
        _execute(connection, f"DROP TRIGGER IF EXISTS {trigger.name}{on_table}")


def _statements(connection: BaseDatabaseWrapper) -> list[str]:
    message = MESSAGE.replace("'", "''")
    if connection.vendor != "postgresql":
        return [
            f"CREATE TRIGGER {trigger.name} {trigger.clause}"
            f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
            for trigger in _SQLITE
        ]
    function = (
        f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger AS $$ BEGIN"
        f" RAISE EXCEPTION '{message}'"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$ LANGUAGE plpgsql"
    )
    # Per statement: also what would touch no row is refused.
    return [function] + [
        f"CREATE TRIGGER {trigger.name} {trigger.clause} ON {TABLE}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
        for trigger in _POSTGRESQL
    ]


def _names_that_fire(connection: BaseDatabaseWrapper) -> set[str]:
    sql = (
        "SELECT tgname FROM pg_trigger"
        " WHERE tgrelid = to_regclass(%s) AND tgenabled IN ('O', 'A')"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [TABLE])
        return {name for (name,) in cursor.fetchall()}


def _has_table(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        return TABLE in connection.introspection.table_names(cursor)


def _execute(connection: BaseDatabaseWrapper, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
