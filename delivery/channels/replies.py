"""Reading the replies of a mail server: whatever it says, and in whatever pieces."""

from dataclasses import dataclass
from typing import Final

from delivery.channels.patience import PatientSocket

KEPT: Final = 8 * 1024  # bytes of a reply that are kept
MOST: Final = 1024 * 1024  # bytes of a reply that are read


class ConnectionBroken(Exception):
    """The server closed the connection, or it was not to be waited for any longer."""


class BadReply(Exception):
    """The server said what is no reply (RFC 5321 section 4.2); the text is its line."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply with its code and the text of all its lines."""

    code: int
    text: str


class ReplyReader:
    """Reads replies off a socket, however they are cut into packets."""

    def __init__(self, connection: PatientSocket) -> None:
        self._connection = connection
        self._buffer = b""
        self._seconds = 0.0

    @property
    def has_line(self) -> bool:
        """Say whether a line, and so nearly always a reply, can be read at once."""
        return b"\n" in self._buffer or self._connection.has_pending

    def read(self, *, seconds: float) -> Reply:
        """Wait for one whole reply. Raises ConnectionBroken or BadReply.

        Of a long one the beginning is kept; one that does not end is a broken
        connection.
        """
        self._seconds = seconds
        lines: list[str] = []
        kept = total = 0
        while True:
            line = self._line()
            total += len(line)
            code, separator = line[:3], line[3:4]
            if not code.isdigit() or separator not in (b"", b" ", b"-"):
                raise BadReply(line[:200].decode("ascii", "backslashreplace"))
            if kept < KEPT:
                text = line[4 : 4 + KEPT - kept]
                lines.append(text.decode("ascii", "backslashreplace"))
                kept += len(text)
            if separator != b"-":
                return Reply(int(code), "\n".join(lines))
            if total > MOST:
                raise ConnectionBroken

    def _line(self) -> bytes:
        """Read a line; of one longer than is kept, its beginning."""
        start = b""
        dropped = 0
        while True:
            line, newline, rest = self._buffer.partition(b"\n")
            if newline:
                self._buffer = rest
                return (start + line)[: KEPT + 4].rstrip(b"\r")
            if len(line) > KEPT:
                start, dropped = (start + line)[: KEPT + 4], dropped + len(line)
                self._buffer = b""
            if dropped > MOST:
                raise ConnectionBroken
            self._buffer += self._receive()

    def _receive(self) -> bytes:
        try:
            received = self._connection.read(65536, seconds=self._seconds)
        except (OSError, ValueError) as error:
            raise ConnectionBroken from error
        if not received:
            raise ConnectionBroken
        return received
