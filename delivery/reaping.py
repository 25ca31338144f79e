"""Tasks whose worker was killed get another worker.

A worker holds a lock of its own name from before it claims its first task until it
ends. A task that runs while the lock of its last worker is free has lost it: it goes
back to the queue, a few times at most, lest one task kill every worker. Running a
task twice is harmless: it is a nudge, and what it nudges claims its own row.
"""

import logging
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django_tasks_db.models import DBTaskResult

from profiles import locks

REVIVALS = 3

logger = logging.getLogger(__name__)


def lock_of(worker_id: str) -> str:
    """Name the lock that the worker of this id holds while it lives."""
    return f"worker-{worker_id}"


def revive(*, now: datetime) -> int:
    """Put the tasks of dead workers back into the queue; return how many."""
    lost = [task for task in DBTaskResult.objects.running() if not _is_served(task)]
    return sum(_revive(task, now=now) for task in lost)


def _is_served(task: DBTaskResult[Any, Any]) -> bool:
    return bool(task.worker_ids) and locks.is_held(lock_of(task.worker_ids[-1]))


def _revive(task: DBTaskResult[Any, Any], *, now: datetime) -> bool:
    # Only what we looked at: another worker may have revived it meanwhile.
    seen = DBTaskResult.objects.running().filter(pk=task.pk, started_at=task.started_at)
    for worker_id in task.worker_ids:
        locks.forget(lock_of(worker_id))

    if len(task.worker_ids) > REVIVALS:
        logger.error("Task %s lost %s workers; given up.", task.pk, REVIVALS + 1)
        seen.update(status="FAILED", finished_at=now, traceback=_("Its workers died."))
        return False

    logger.warning("Task %s lost its worker; it runs again.", task.pk)
    return seen.update(status="READY") == 1
