"""A statement that PostgreSQL prepared once, asked with as little as possible between.

The driver's cursor converts, caches and waits in Python: half of what a gate costs on
our side. Here parameters and answers are the text that the server reads and writes, and
the wait is libpq's own, during which other threads run.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Final
from uuid import UUID

from django.db import connection
from psycopg import OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_NUMBERS: Final = count(1)

Value = int | str | UUID | datetime | None


class Prepared:
    """One statement on the connection at hand, from open() to close()."""

    def __init__(self, text: str) -> None:
        """Let the server plan a statement with parameters $1, $2 and so on."""
        with connection.wrap_database_errors:
            self._server: PGconn = connection.connection.pgconn
            self._name = b"campaign_%d" % next(_NUMBERS)
            _checked(self._server.prepare(self._name, text.encode()))

    def ask(self, values: Sequence[Value]) -> tuple[bytes | None, ...] | None:
        """Run it in a transaction of its own; gives the first row, as text.

        Raises what Django raises for a statement of the same kind.
        """
        written = [None if value is None else _written(value) for value in values]
        with connection.wrap_database_errors:
            # Its types know no NULL, which libpq takes as well.
            answer = self._server.exec_prepared(self._name, written)  # type: ignore[arg-type]
            result = _checked(answer)
        if not result.ntuples:
            return None
        return tuple(result.get_value(0, each) for each in range(result.nfields))

    def close(self) -> None:
        """Let the server forget it."""
        self._server.exec_(b"DEALLOCATE " + self._name)


def _checked(result: PGresult) -> PGresult:
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return result
    if result.error_field(DiagnosticField.SQLSTATE) is None:
        # The server said nothing: the connection is gone.
        raise OperationalError(result.get_error_message())
    raise error_from_result(result)


def moment_of(text: bytes) -> datetime:
    """Read a time as the server writes it (DateStyle ISO)."""
    return datetime.fromisoformat(text.decode())


def _written(value: int | str | UUID | datetime) -> bytes:
    if isinstance(value, datetime):
        return value.isoformat().encode()
    if isinstance(value, str):
        # As the driver does: no text of PostgreSQL can hold it.
        return value.replace("\0", "").encode("utf-8", "replace")
    return str(value).encode()
