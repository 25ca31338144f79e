"""Locks that the system lets go when their process ends, however it ends.

A lock is a file in LOCK_DIR that one process at a time has locked. So a worker that
was killed is told from one that is busy at once and exactly, without a time-out.
Processes that share work must share VAR_DIR; uploads wait there as well.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

# Somebody who only looks holds the lock for microseconds: try again, not once.
_TRIES = 5
_PAUSE = 0.02  # seconds


@contextmanager
def held(name: str) -> Iterator[bool]:
    """Hold the lock of this name for the block; yield whether we got it."""
    descriptor = _open(name)
    try:
        yield _try_to_lock(descriptor)
    finally:
        os.close(descriptor)


def is_held(name: str) -> bool:
    """Tell whether a living process holds the lock of this name."""
    if not _path(name).exists():
        return False

    descriptor = _open(name)
    try:
        return not _try_to_lock(descriptor)
    finally:
        os.close(descriptor)


def forget(name: str) -> None:
    """Remove the file of a lock that nobody will ever take again."""
    _path(name).unlink(missing_ok=True)


def _try_to_lock(descriptor: int) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return True
    return False


def _open(name: str) -> int:
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _path(name: str) -> Path:
    return Path(settings.LOCK_DIR) / f"{name}.lock"
