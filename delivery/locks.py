"""Locks that live exactly as long as their holder: a killed process holds none."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

from profiles import locks

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
        with locks.held(_name_for(delivery_id)) as is_held:
            yield is_held


def _name_for(delivery_id: int) -> str:
    """Name a lock for the delivery of this database; others may share LOCK_DIR."""
    database = str(connection.settings_dict["NAME"]).encode()
    name = hashlib.blake2b(database, digest_size=6).hexdigest()
    return f"analysis-{name}-{delivery_id}"


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


def hold_number(digest: UUID) -> None:
    """Let, until the transaction ends, nobody else change or answer this number.

    The second half of the digest: the first half is the key of messages on their way
    (profiles.in_flight). On SQLite whoever writes is alone already.
    """
    if connection.vendor != "postgresql":
        return
    key = int.from_bytes(digest.bytes[8:], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
