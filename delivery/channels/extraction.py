"""Messages that others bring to the people: each becomes a row of a file.

Its key lets a message have one row however often it is begun: a worker that was killed
between the row and its record leaves nothing in doubt.
"""

from django.db import connection

from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.channels.transport import Composition, Transport

_WRITE = (
    "INSERT INTO delivery_extractionrow (extraction_id, profile_id, line)"
    " VALUES (%s, %s, %s)"
    " ON CONFLICT (extraction_id, profile_id) DO UPDATE SET line = excluded.line"
)


def return_code(delivery_id: int, profile_id: int) -> str:
    """Name a message on its letter, for when it comes back: delivery and profile."""
    return f"{delivery_id}-{profile_id}"


class ExtractionTransport(Transport):
    """Writes rows through the connection that the gate is asked on."""

    def ready(self) -> Outcome | None:
        """Give None: the database is there, or nothing is."""
        return None

    def send(self, message: Composition) -> Outcome:
        """Write the row of one message."""
        delivery_id, _, profile_id = message.sender.partition("-")
        with connection.cursor() as cursor:
            cursor.execute(
                _WRITE, [int(delivery_id), int(profile_id), message.content.decode()]
            )
        return Outcome(OutcomeKind.SENT, Phase.CONTENT, code="row_written")

    def close(self) -> None:
        """Do nothing: the connection is the worker's."""
