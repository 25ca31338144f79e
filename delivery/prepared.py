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

Scalar = int | str | UUID | datetime | None
Value = int | Sequence[Scalar] | None


class Prepared:
    """One statement on the connection at hand, from open() to close()."""

    def __init__(self, text: str) -> None:
        """Let the server plan a statement with parameters $1, $2 and so on."""
        with connection.wrap_database_errors:
            self._server: PGconn = connection.connection.pgconn
            self._name = b"campaign_%d" % next(_NUMBERS)
            _checked(self._server.prepare(self._name, text.encode()))

    def ask(self, values: Sequence[Value]) -> list[tuple[bytes, ...]]:
        """Run it in a transaction of its own; gives its rows, as text without NULL.

        A list is given as an array. Raises what Django raises for a statement of the
        same kind.
        """
        written = [_written(value) for value in values]
        with connection.wrap_database_errors:
            # Its types know no NULL, which libpq takes as well.
            answer = self._server.exec_prepared(self._name, written)  # type: ignore[arg-type]
            result = _checked(answer)
        columns = range(result.nfields)
        return [
            tuple(result.get_value(row, each) or b"" for each in columns)
            for row in range(result.ntuples)
        ]

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


def _written(value: Value) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, list):
        return f"{{{','.join(map(_element, value))}}}".encode("utf-8", "replace")
    return str(value).encode()


def _element(value: Scalar) -> str:
    """Write an element of an array (PostgreSQL's manual, Array Input Syntax)."""
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        # No text of PostgreSQL can hold a zero byte; the driver drops it as well.
        escaped = value.replace("\0", "").replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
