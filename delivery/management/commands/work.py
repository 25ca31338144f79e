import logging
import signal
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.core.management.base import BaseCommand
from django.db import OperationalError, connection
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django_tasks_db.management.commands.db_worker import Worker

from delivery import dispatching, extraction, reaping
from delivery.inbound import ticking
from optout import bursts, confirmation
from profiles import locks
from quarantine import cleaning

REVIVE_EVERY = 60  # seconds
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run background work: uploads, analyses, sending. SIGTERM ends it politely."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help=_("Run what is due, then end.")
        )

    def handle(self, *args: object, **options: object) -> None:
        worker_id = get_random_string(32)
        lock = reaping.lock_of(worker_id)
        try:
            with locks.held(lock):
                reaping.revive(now=timezone.now())
                if options["once"]:
                    work(worker_id, is_once=True)
                    ticking.tick(now=timezone.now())
                    return
                with dispatching.beside():
                    work(worker_id, is_once=False)
        finally:
            locks.forget(lock)


def work(worker_id: str, *, is_once: bool) -> None:
    """Run tasks until a signal comes, or until none is due; the task in hand ends."""
    worker = Worker(
        queue_names=["*"],
        excluded_queue_names=[],
        interval=0 if is_once else 1,
        batch=is_once,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=worker_id,
    )
    with _signals_to(worker), _reaper():
        worker.run()


@contextmanager
def _signals_to(worker: Worker) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    worker.configure_signals()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _reaper() -> Iterator[None]:
    """Look for lost tasks, and for what is to be forgotten, beside the tasks."""
    ended = Event()
    thread = Thread(target=revive_until, args=[ended], daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def revive_until(ended: Event) -> None:
    while not ended.wait(REVIVE_EVERY):
        try:
            reaping.revive(now=timezone.now())
            confirmation.purge(now=timezone.now())
            bursts.detect(timezone.now())
            cleaning.clean_nightly(now=timezone.now())
            extraction.purge(now=timezone.now())
            ticking.tick(now=timezone.now(), stopping=ended)
        except OperationalError:
            logger.warning("The database did not answer; looking again in a minute.")
        finally:
            connection.close()
