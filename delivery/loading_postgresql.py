"""Loading on PostgreSQL: several sessions on one snapshot fill one bare table.

Each session finds the duplicate rule's losers of its share of the digests, tells
them to the others, and then works parts off a common list. A session's rows are
committed when it has done its last part; the table is attached after all have.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import (
    FIRST_EXCEPTION,
    CancelledError,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Barrier, BrokenBarrierError, Lock
from typing import Any

from django.db import connection, transaction

from delivery import eligibility, partitions
from delivery.eligibility import IdRange, Sql
from delivery.loading import COLUMNS, Target, Watch, outcomes, rows_from
from delivery.models import Analysis

SESSIONS = 2
_LOOK_EVERY = 0.2  # seconds
_FEW = 0.1  # of a target
# Hash joins spill below 128 MB; parallel workers do not pay inside an INSERT.
SESSION_SETTINGS = (
    "SET LOCAL work_mem = '256MB'",
    "SET LOCAL max_parallel_workers_per_gather = 0",
    "SET LOCAL jit = off",
)


def fill(analysis: Analysis, target: Target, *, watch: Watch) -> str:
    """Compute and store the rows of an analysis; gives the name of their table.

    A large target is shared among SESSIONS sessions, a small one, or one inside a
    transaction of the caller, is done on the connection at hand.
    """
    table = partitions.create(analysis.pk)
    if target.is_small or connection.in_atomic_block:
        watch.report(_fill_here(analysis, target.ids, table))
    else:
        _Run(analysis, table, target.size, target.parts()).execute(watch)
    partitions.build_key(analysis.pk)
    return table


def publish(analysis: Analysis) -> None:
    """Make the rows visible in the message table."""
    partitions.attach(analysis.pk)


def discard(analysis_id: int) -> None:
    """Drop the rows of an analysis and what earlier runs left behind."""
    partitions.drop(analysis_id)
    partitions.drop_superseded()


def _fill_here(analysis: Analysis, ids: IdRange, table: str) -> int:
    with transaction.atomic():
        if len(connection.atomic_blocks) == 1:
            _execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for setting in SESSION_SETTINGS:
            _execute(setting)
        losers = eligibility.duplicates(analysis.delivery, now=analysis.started_at)
        _execute("CREATE TEMP TABLE analysis_losers (profile_id bigint PRIMARY KEY)")
        _execute(f"INSERT INTO analysis_losers {losers.text}", losers.params)
        count = _insert_part(analysis, ids, table)
        _execute("DROP TABLE analysis_losers")
        return count


def _insert_part(analysis: Analysis, ids: IdRange, table: str) -> int:
    part = outcomes(analysis, ids, losers="analysis_losers")
    # OFFSET 0 keeps the planner from computing the reasons once for each use.
    source = f"({part.text} OFFSET 0) outcome"
    return _execute(
        f"INSERT INTO {table} ({COLUMNS}) {rows_from(source, analysis)}", part.params
    )


@dataclass
class _Run:
    """One analysis shared among sessions."""

    analysis: Analysis
    table: str
    size: int
    parts: Sequence[IdRange]
    done: int = 0
    snapshot: "Future[str]" = field(default_factory=Future)
    losers: list[int] = field(default_factory=list)
    _queue: "SimpleQueue[IdRange]" = field(default_factory=SimpleQueue)
    _lock: Lock = field(default_factory=Lock)
    _all_know: Barrier = field(default_factory=lambda: Barrier(SESSIONS))
    _connections: list[Any] = field(default_factory=list)

    def execute(self, watch: Watch) -> None:
        """Work all parts off; raises what a session, or the watch, raised."""
        for part in self.parts:
            self._queue.put(part)
        with ThreadPoolExecutor(SESSIONS, "analysis") as pool:
            sessions = [pool.submit(self._session, share) for share in range(SESSIONS)]
            try:
                self._wait_for(sessions, watch)
            finally:
                # Nothing is left to cancel when all went well.
                self._give_up(sessions)

    def _wait_for(self, sessions: "list[Future[None]]", watch: Watch) -> None:
        pending: Any = sessions
        while pending:
            finished, pending = wait(
                pending, timeout=_LOOK_EVERY, return_when=FIRST_EXCEPTION
            )
            for session in sorted(
                finished, key=lambda each: _is_consequence(each.exception())
            ):
                session.result()
            watch.report(self.done)

    def _give_up(self, sessions: "list[Future[None]]") -> None:
        if all(session.done() for session in sessions):
            return
        self._all_know.abort()
        while not self._queue.empty():
            self._queue.get_nowait()
        for each in list(self._connections):
            each.cancel_safe(timeout=5)

    def _session(self, share: int) -> None:
        is_complete = False
        try:
            with _session_transaction() as raw_connection:
                self._connections.append(raw_connection)
                self._share_snapshot(share)
                self._share_losers(share)
                self._work_off_parts()
            is_complete = True
        finally:
            if not is_complete:
                # Wake up a session that waits for what will not come.
                self.snapshot.cancel()
                self._all_know.abort()
            connection.close()

    def _share_snapshot(self, share: int) -> None:
        if share == 0:
            self.snapshot.set_result(_fetch("SELECT pg_export_snapshot()")[0][0])
        else:
            _execute(f"SET TRANSACTION SNAPSHOT '{self.snapshot.result()}'")
        for setting in SESSION_SETTINGS:
            _execute(setting)

    def _share_losers(self, share: int) -> None:
        losers = _losers(self.analysis, _share_of_digests(share), self.size)
        with self._lock:
            self.losers.extend(losers)
        self._all_know.wait()
        _execute("CREATE TEMP TABLE analysis_losers (profile_id bigint) ON COMMIT DROP")
        _copy_ids("analysis_losers", sorted(self.losers))
        _execute("ANALYZE analysis_losers")

    def _work_off_parts(self) -> None:
        while True:
            try:
                part = self._queue.get_nowait()
            except Empty:
                return
            count = _insert_part(self.analysis, part, self.table)
            with self._lock:
                self.done += count


def _losers(analysis: Analysis, among: Sql, size: int) -> list[int]:
    """Find the losers of the duplicate rule in a share of a target of this size."""
    delivery = analysis.delivery
    sharing = eligibility.sharing(delivery, among=among)
    _execute(
        "CREATE TEMP TABLE analysis_sharing (profile_id bigint PRIMARY KEY)"
        " ON COMMIT DROP"
    )
    count = _execute(
        f"INSERT INTO analysis_sharing {sharing.text} ORDER BY 1", sharing.params
    )
    _execute("ANALYZE analysis_sharing")
    losers = eligibility.duplicates(
        delivery, now=analysis.started_at, found="analysis_sharing"
    )
    # To look up a few of many takes half the time of a hash of the few, which every
    # one of the many is looked up in; the planner thinks otherwise.
    few = "off" if count < size * _FEW else "on"
    _execute(f"SET LOCAL enable_hashjoin = {few}")
    rows = _fetch(losers.text, losers.params)
    _execute("SET LOCAL enable_hashjoin = on")
    return [row[0] for row in rows]


def _is_consequence(error: BaseException | None) -> bool:
    """Say whether a session only failed because another one did."""
    return isinstance(error, BrokenBarrierError | CancelledError)


@contextmanager
def _session_transaction() -> Iterator[Any]:
    with transaction.atomic():
        _execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection.connection


def _share_of_digests(share: int) -> Sql:
    """Give the condition that leaves one share of all digests."""
    step = (1 << 128) // SESSIONS
    lower = f"twin.digest >= '{share * step:032x}'"
    if share == SESSIONS - 1:
        return Sql(lower)
    return Sql(f"{lower} AND twin.digest < '{(share + 1) * step:032x}'")


def _copy_ids(table: str, ids: list[int]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} FROM STDIN") as copy,
    ):
        copy.write("".join(f"{each}\n" for each in ids))


def _execute(sql: str, params: tuple[Any, ...] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def _fetch(sql: str, params: tuple[Any, ...] = ()) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
