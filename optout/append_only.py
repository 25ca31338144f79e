"""Tables that only grow: triggers refuse to change or delete a row, on both engines.

Installed after every migrate, because a table rebuild on SQLite drops them without a
word; system checks (optout.E001, delivery.E003) say when they are not there. Dropped
only by tests, just before a test database is flushed.
"""

from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class AppendOnly:
    """A table that only grows, and what whoever would change it is told.

    The names of its triggers begin with `prefix`; `function` is what they call on
    PostgreSQL. Those are in databases already: never rename them. `message` goes into
    SQL between apostrophes, and has none.
    """

    table: str
    prefix: str
    function: str
    message: str

    def install_after_migrate(
        self, *, using: str = DEFAULT_DB_ALIAS, **kwargs: object
    ) -> None:
        """Install the triggers when post_migrate says that tables may have changed."""
        self.install(using=using)

    def install(self, *, using: str = DEFAULT_DB_ALIAS) -> None:
        """Put the triggers on the table; those that are there are made again."""
        connection = connections[using]
        if not self._has_table(connection):
            return
        with transaction.atomic(using=using), connection.cursor() as cursor:
            for statement in [*self._drops(connection), *self._creates(connection)]:
                cursor.execute(statement)

    def drop(self, *, using: str = DEFAULT_DB_ALIAS) -> None:
        """Take the triggers from the table. For tests that flush only."""
        connection = connections[using]
        with transaction.atomic(using=using), connection.cursor() as cursor:
            for statement in self._drops(connection):
                cursor.execute(statement)

    def missing(self, *, using: str = DEFAULT_DB_ALIAS) -> list[str]:
        """List the triggers that are not there or do not fire (of a table that is)."""
        connection = connections[using]
        if not self._has_table(connection):
            return []
        sql = (
            "SELECT tgname FROM pg_trigger"
            " WHERE tgrelid = to_regclass(%s) AND tgenabled IN ('O', 'A')"
            if connection.vendor == "postgresql"
            else "SELECT name FROM sqlite_master"
            " WHERE type = 'trigger' AND tbl_name = %s"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [self.table])
            there = {name for (name,) in cursor.fetchall()}
        return [name for name in self._clauses(connection) if name not in there]

    def _clauses(self, connection: BaseDatabaseWrapper) -> dict[str, str]:
        """Give, by the name of each trigger, when it fires in words of the engine."""
        if connection.vendor == "postgresql":
            return {
                f"{self.prefix}_no_change": f"BEFORE UPDATE OR DELETE ON {self.table}",
                f"{self.prefix}_no_truncate": f"BEFORE TRUNCATE ON {self.table}",
            }
        # INSERT OR REPLACE deletes without firing DELETE triggers.
        is_there = f"EXISTS (SELECT 1 FROM {self.table} WHERE id = NEW.id)"
        return {
            f"{self.prefix}_no_update": f"BEFORE UPDATE ON {self.table}",
            f"{self.prefix}_no_delete": f"BEFORE DELETE ON {self.table}",
            f"{self.prefix}_no_replace": f"BEFORE INSERT ON {self.table}"
            f" WHEN {is_there}",
        }

    def _drops(self, connection: BaseDatabaseWrapper) -> list[str]:
        on_table = f" ON {self.table}" if connection.vendor == "postgresql" else ""
        names = self._clauses(connection)
        return [f"DROP TRIGGER IF EXISTS {name}{on_table}" for name in names]

    def _creates(self, connection: BaseDatabaseWrapper) -> list[str]:
        clauses = self._clauses(connection)
        if connection.vendor != "postgresql":
            return [
                f"CREATE TRIGGER {name} {clause}"
                f" BEGIN SELECT RAISE(ABORT, '{self.message}'); END"
                for name, clause in clauses.items()
            ]
        function = (
            f"CREATE OR REPLACE FUNCTION {self.function}() RETURNS trigger AS $$ BEGIN"
            f" RAISE EXCEPTION '{self.message}'"
            " USING ERRCODE = 'integrity_constraint_violation'; END $$ LANGUAGE plpgsql"
        )
        # Per statement: also what would touch no row is refused.
        return [function] + [
            f"CREATE TRIGGER {name} {clause}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {self.function}()"
            for name, clause in clauses.items()
        ]

    def _has_table(self, connection: BaseDatabaseWrapper) -> bool:
        with connection.cursor() as cursor:
            return self.table in connection.introspection.table_names(cursor)
