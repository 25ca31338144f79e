"""Sending as a process: some senders side by side, until they are asked to stop.

On PostgreSQL any number of such processes work on any number of machines. On SQLite
there is one, held by a lock on a file, and it has one sender.
"""

import gc
import hashlib
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from threading import Event, Thread
from time import monotonic
from types import FrameType
from typing import Final

from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from delivery import transports
from delivery.sending import Sender
from delivery.working import Tally
from profiles import locks

CONNECTIONS: Final = 4
MOST_CONNECTIONS: Final = 64
TRY_AGAIN_AFTER: Final = 30.0  # seconds
_REPORT_EVERY: Final = 5.0  # seconds
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

logger = logging.getLogger(__name__)

Report = Callable[[str], None]


class SendingRefused(Exception):
    """A process that must not, or cannot, send; the text is a sentence."""


def run(*, is_once: bool, connections: int, report: Report) -> Tally:
    """Send what is due until a signal comes, or until nothing is due.

    Reports progress as lines of text. Raises SendingRefused.
    """
    check_can_send()
    if not 1 <= connections <= MOST_CONNECTIONS:
        raise SendingRefused(
            _("%(count)s connections are too many or too few. Give 1 to %(most)s.")
            % {"count": connections, "most": MOST_CONNECTIONS}
        )
    if connection.vendor != "postgresql":
        connections = 1
    # What is there now stays: looking through it for waste costs much and finds none.
    gc.freeze()
    with alone_on_sqlite(), _stopped_by_signals() as stopping:
        return _run(connections, is_once=is_once, stopping=stopping, report=report)


@contextmanager
def beside() -> Iterator[None]:
    """Send, for the block, beside what the process does otherwise.

    That it must not, or that another process does on SQLite, is no trouble here: it
    is said in the log, and tried again.
    """
    stopping = Event()
    thread = Thread(target=_send_beside, args=[stopping])
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _send_beside(stopping: Event) -> None:
    while not stopping.is_set():
        try:
            check_can_send()
            with alone_on_sqlite():
                Sender(transports.open_transport, stopping=stopping).run(is_once=False)
        except SendingRefused as refusal:
            logger.warning("%s", refusal)
            stopping.wait(TRY_AGAIN_AFTER)
        finally:
            connection.close()


def check_can_send() -> None:
    """Raise SendingRefused on a replica, without migrations, or behind a pooler.

    The gate decides on the primary only; a pooler that lends a connection for one
    transaction would break the locks that say who lives.
    """
    try:
        plan = MigrationExecutor(connection)
        pending = plan.migration_plan(plan.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise SendingRefused(
            _("Nothing can be sent: the database does not answer. Start it first.")
        ) from error
    if pending:
        raise SendingRefused(
            _("Nothing can be sent: the database lacks migrations. Run migrate first.")
        )
    if connection.vendor != "postgresql":
        return
    if _ask("SELECT pg_is_in_recovery()"):
        raise SendingRefused(
            _(
                "Nothing can be sent: this database is a replica, which sees opt-outs"
                " too late. Name the primary in DATABASE_URL."
            )
        )
    if connection.settings_dict.get("ATOMIC_REQUESTS") or _is_pooled():
        raise SendingRefused(
            _(
                "Nothing can be sent: a pooler gives each transaction another"
                " connection. Connect to PostgreSQL itself, or pool by session."
            )
        )


@contextmanager
def alone_on_sqlite() -> Iterator[None]:
    """Hold, on SQLite, the lock of the one that sends. Raises SendingRefused."""
    if connection.vendor == "postgresql":
        yield
        return
    with locks.held(lock_name()) as is_held:
        if not is_held:
            raise SendingRefused(
                _(
                    "Another process sends already: on SQLite there can be one. End it"
                    " first, or use PostgreSQL."
                )
            )
        yield


def lock_name() -> str:
    """Name the lock of the process that sends from this database."""
    database = str(connection.settings_dict["NAME"]).encode()
    return f"sending-{hashlib.blake2b(database, digest_size=6).hexdigest()}"


def _run(connections: int, *, is_once: bool, stopping: Event, report: Report) -> Tally:
    senders = [
        Sender(transports.open_transport, stopping=stopping) for _ in range(connections)
    ]
    if connections == 1 and is_once:
        senders[0].run(is_once=True)
        return _told(senders, report)
    failures: list[BaseException] = []
    threads = [
        Thread(target=_work, args=[sender, failures], kwargs={"is_once": is_once})
        for sender in senders
    ]
    for thread in threads:
        thread.start()
    told = before = 0
    while any(thread.is_alive() for thread in threads):
        began = monotonic()
        for thread in threads:
            thread.join(_REPORT_EVERY / len(threads))
        told = _total(senders).sent
        if told != before:
            rate = (told - before) / max(monotonic() - began, 0.001)
            report(
                _("%(sent)s sent, %(rate)s a second")
                % {"sent": told, "rate": int(rate)}
            )
        before = told
    if failures:
        raise failures[0]
    return _told(senders, report)


def _work(sender: Sender, failures: list[BaseException], *, is_once: bool) -> None:
    try:
        sender.run(is_once=is_once)
    except DatabaseError as error:
        sender.stopping.set()
        failures.append(error)
    finally:
        connection.close()


def _told(senders: list[Sender], report: Report) -> Tally:
    tally = _total(senders)
    report(
        _(
            "%(sent)s sent, %(failed)s failed, %(excluded)s excluded after the"
            " analysis, %(deferred)s to be tried again"
        )
        % vars(tally)
    )
    if tally.trouble:
        raise SendingRefused(
            _("The server took nothing: %(trouble)s. What is due waits for it.")
            % {"trouble": tally.trouble}
        )
    return tally


def _total(senders: list[Sender]) -> Tally:
    total = Tally()
    for field in fields(Tally):
        for sender in senders:
            value = getattr(total, field.name) or getattr(sender.tally, field.name)
            if field.name != "trouble":
                value = getattr(total, field.name) + getattr(sender.tally, field.name)
            setattr(total, field.name, value)
    return total


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    stopping = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_pooled() -> bool:
    """Say whether two transactions are on two connections, or settings are lost."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        first = cursor.fetchone()
        cursor.execute("SET application_name = 'campaign-sending'")
        cursor.execute("SELECT pg_backend_pid(), current_setting('application_name')")
        pid, name = cursor.fetchone()
    return bool(pid != first[0] or name != "campaign-sending")


def _ask(sql: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return bool(cursor.fetchone()[0])
