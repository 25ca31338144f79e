"""Watching an analysis: it tells how far it is, and hears when it is to stop."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from time import monotonic

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from delivery.models import Analysis

BETWEEN_SIGNS = 0.5  # seconds

# Is told (profiles done, profiles in all); what it raises stops the analysis.
Progress = Callable[[int, int], None]


class StopAsked(Exception):
    """Somebody asked the analysis to stop."""


class Watch:
    """Tells how far an analysis is, and stops it when somebody asked for that.

    Speaks through a connection that sees what others wrote while the analysis reads
    one snapshot; where there is no such connection it tells the caller only.
    """

    def __init__(
        self,
        analysis: Analysis,
        total: int,
        *,
        progress: Progress | None,
        channel: BaseDatabaseWrapper | None,
    ) -> None:
        self._analysis = analysis
        self._total = total
        self._progress = progress
        self._channel = channel
        self._told_at = 0.0

    def report(self, done: int) -> None:
        """Tell that `done` profiles are done; raises StopAsked when asked to."""
        total = max(self._total, done)
        if self._progress is not None:
            self._progress(done, total)
        if self._channel is None or monotonic() - self._told_at < BETWEEN_SIGNS:
            return
        self._told_at = monotonic()
        if self._is_asked_to_stop(self._channel, done, total):
            raise StopAsked

    def _is_asked_to_stop(
        self, channel: BaseDatabaseWrapper, done: int, total: int
    ) -> bool:
        table = Analysis._meta.db_table
        alive_at = channel.ops.adapt_datetimefield_value(timezone.now())
        with channel.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET profiles_done = %s, profiles_total = %s,"
                " heartbeat_at = %s WHERE id = %s",
                (done, total, alive_at, self._analysis.pk),
            )
            cursor.execute(
                f"SELECT stop_requested_at IS NOT NULL FROM {table} WHERE id = %s",
                (self._analysis.pk,),
            )
            return bool(cursor.fetchone()[0])


@contextmanager
def watched(
    analysis: Analysis, total: int, progress: Progress | None
) -> Iterator[Watch]:
    """Give the watch of an analysis of `total` profiles, and its connection."""
    if connection.in_atomic_block or is_in_memory():
        yield Watch(analysis, total, progress=progress, channel=None)
    elif connection.vendor == "postgresql":
        yield Watch(analysis, total, progress=progress, channel=connection)
    else:
        # The connection at hand reads its snapshot and must not write meanwhile.
        with closing(connection.copy()) as channel:
            yield Watch(analysis, total, progress=progress, channel=channel)


def is_in_memory() -> bool:
    """Say whether there is no second connection to the database."""
    name = str(connection.settings_dict["NAME"])
    return connection.vendor == "sqlite" and ("memory" in name or name == "")
