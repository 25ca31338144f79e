"""Locks that live exactly as long as their holder: a killed process holds none."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

# One 64-bit key per delivery, apart from keys that other stories may take.
_ANALYSIS_KEYS = 7_301 << 40


@contextmanager
def held_for_analysis(delivery_id: int) -> Iterator[bool]:
    """Try to hold the lock on the analysis of a delivery; yields whether we do.

    On PostgreSQL a session advisory lock, on SQLite a lock on a file in LOCK_DIR.
    """
    if connection.vendor == "postgresql":
        with _advisory_lock(_ANALYSIS_KEYS + delivery_id) as is_held:
            yield is_held
    else:
        with _file_lock(_file_of(delivery_id)) as is_held:
            yield is_held


def _file_of(delivery_id: int) -> Path:
    """Name a file for the delivery of this database; others may share LOCK_DIR."""
    database = str(connection.settings_dict["NAME"]).encode()
    name = hashlib.blake2b(database, digest_size=6).hexdigest()
    return Path(settings.LOCK_DIR) / f"analysis-{name}-{delivery_id}.lock"


@contextmanager
def _advisory_lock(key: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        is_held = bool(cursor.fetchone()[0])
    try:
        yield is_held
    finally:
        # A connection that was lost, or a transaction that failed, lets go by itself.
        if is_held and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


@contextmanager
def _file_lock(path: Path) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
