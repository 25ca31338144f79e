"""Triggers that keep published versions of landing pages as they are, on both engines.

The ledger names them as the proof of what people read. Installed after every migrate,
like those of the ledger (optout.triggers), and dropped only by tests that flush.
"""

from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from optout.models import LandingPageVersion

TABLE: Final = LandingPageVersion._meta.db_table
MESSAGE: Final = (
    "A published version of a landing page never changes: it is the proof of what"
    " people read. Edit the page, which makes a new version."
)
NAMES: Final = {
    "optout_pageversion_no_update": "UPDATE",
    "optout_pageversion_no_delete": "DELETE",
}
_FUNCTION: Final = "optout_refuse_page_version_change"


def install_after_migrate(*, using: str = DEFAULT_DB_ALIAS, **kwargs: object) -> None:
    """Install the triggers when post_migrate says that the tables may have changed."""
    install(using=using)


def install(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Put the triggers on the table; those that are there are made again."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return
        for statement in [*_drops(connection), *_creates(connection)]:
            cursor.execute(statement)


def drop(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Take the triggers from the table. For tests that flush only."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for statement in _drops(connection):
            cursor.execute(statement)


def _drops(connection: BaseDatabaseWrapper) -> list[str]:
    on_table = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    return [f"DROP TRIGGER IF EXISTS {name}{on_table}" for name in NAMES]


def _creates(connection: BaseDatabaseWrapper) -> list[str]:
    begin = "CREATE TRIGGER {name} BEFORE {event} ON " + TABLE + " FOR EACH ROW"
    if connection.vendor != "postgresql":
        refuse = (
            f"{begin} WHEN OLD.published_at IS NOT NULL"
            f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        )
        return [refuse.format(name=name, event=event) for name, event in NAMES.items()]
    function = (
        f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger AS $$ BEGIN"
        f" RAISE EXCEPTION '{MESSAGE}'"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$ LANGUAGE plpgsql"
    )
    refuse = (
        f"{begin} WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION {_FUNCTION}()"
    )
    return [function] + [
        refuse.format(name=name, event=event) for name, event in NAMES.items()
    ]
