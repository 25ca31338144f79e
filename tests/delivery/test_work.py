"""The worker: runs what is due, and gives the tasks of killed workers another one."""

import signal
import subprocess
import sys
from datetime import datetime
from threading import Thread

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from delivery import reaping, tasks
from delivery.management.commands import work
from profiles import locks
from profiles.models import Profile
from tests import factories


def make_lost_task(*worker_ids: str) -> DBTaskResult:  # type: ignore[type-arg]
    task = tasks.analyse.enqueue(0, "operator").db_result  # type: ignore[attr-defined]
    for worker_id in worker_ids:
        task.claim(worker_id)
    return task  # type: ignore[no-any-return]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.mark.django_db(transaction=True)
def test_work_runs_what_is_due(opted_in_profile: Profile) -> None:
    delivery = factories.make_delivery()
    tasks.analyse.enqueue(delivery.pk, "operator")

    call_command("work", "--once")

    delivery.refresh_from_db()
    assert delivery.current_analysis is not None
    assert DBTaskResult.objects.get().status == "SUCCESSFUL"


@pytest.mark.django_db(transaction=True)
def test_work_leaves_signals_and_locks_as_they_were() -> None:
    handler = signal.getsignal(signal.SIGTERM)
    files = set(settings.LOCK_DIR.glob("worker-*"))

    call_command("work", "--once")

    assert signal.getsignal(signal.SIGTERM) is handler
    assert set(settings.LOCK_DIR.glob("worker-*")) == files


@pytest.mark.django_db(transaction=True)
def test_work_runs_the_task_of_a_killed_worker(opted_in_profile: Profile) -> None:
    delivery = factories.make_delivery()
    task = tasks.analyse.enqueue(delivery.pk, "operator").db_result  # type: ignore[attr-defined]
    task.claim("killed")

    call_command("work", "--once")

    delivery.refresh_from_db()
    assert delivery.current_analysis is not None


def test_task_of_a_dead_worker_goes_back_to_the_queue(db: None, now: datetime) -> None:
    task = make_lost_task("dead")

    assert reaping.revive(now=now) == 1

    task.refresh_from_db()
    assert task.status == "READY"


def test_task_of_a_living_worker_is_left_alone(db: None, now: datetime) -> None:
    task = make_lost_task("dead", "alive")

    with locks.held(reaping.lock_of("alive")):
        assert reaping.revive(now=now) == 0

    task.refresh_from_db()
    assert task.status == "RUNNING"


def test_task_that_lost_four_workers_is_given_up(db: None, now: datetime) -> None:
    task = make_lost_task("a", "b", "c", "d")

    assert reaping.revive(now=now) == 0

    task.refresh_from_db()
    assert task.status == "FAILED"
    assert task.finished_at == now
    assert task.traceback == "Its workers died."


def test_task_revived_by_another_worker_is_not_revived_twice(
    db: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_lost_task("dead")

    def claimed_meanwhile(name: str) -> None:
        DBTaskResult.objects.filter(pk=task.pk).update(started_at=now)

    monkeypatch.setattr(locks, "forget", claimed_meanwhile)

    assert reaping.revive(now=now) == 0


def test_worker_looks_for_lost_tasks_again_and_again(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is not shared with the thread: each look is a stand-in."""
    looks, nights, ticks = [], [], []
    monkeypatch.setattr(work, "REVIVE_EVERY", 0.01)
    monkeypatch.setattr(reaping, "revive", lambda *, now: looks.append(now))
    monkeypatch.setattr(work.confirmation, "purge", lambda *, now: None)
    monkeypatch.setattr(work.bursts, "detect", lambda now: None)
    monkeypatch.setattr(
        work.cleaning, "clean_nightly", lambda *, now: nights.append(now)
    )
    monkeypatch.setattr(
        work.ticking, "tick", lambda *, now, stopping: ticks.append(stopping)
    )
    ended = work.Event()
    thread = Thread(target=work.revive_until, args=[ended])

    thread.start()
    thread.join(0.2)
    ended.set()
    thread.join()

    assert len(looks) > 1
    assert len(nights) > 0
    assert set(ticks) == {ended}


def test_lock_of_a_killed_process_is_free() -> None:
    with locks.held("trial"):
        pass
    reader = subprocess.Popen(
        [sys.executable, "-c", LOCKER, str(settings.LOCK_DIR / "trial.lock")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "locked\n"

    was_held = locks.is_held("trial")
    reader.kill()
    reader.wait()
    reader.stdout.close()

    assert was_held
    assert not locks.is_held("trial")


LOCKER = """
import fcntl, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(60)
"""
