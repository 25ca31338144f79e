"""Messages on their way, for deliveries that must have none when a stop is answered.

The sender of such a message holds shared locks, of its profile and of its address,
from before the gate until the server has answered. Whoever stops it commits first, and
then waits until those locks are free: every message that starts later sees the stop.
So a stop is never delayed in being kept, only in being answered, and for two seconds
at most. Then it is answered all the same, and whoever answers says that it takes effect
within a minute: watched() tells. A file with thousands of messages, which starts them
all at once, has one lock for all of them. PostgreSQL only: SQLite has no locks that
sessions share.

Of many at once, as imports stop them, only those are waited for that somebody is
sending to right then: a lock for each would fill the server's lock table.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import OperationalError, connection, transaction

LONGEST_WAIT: Final = "2s"
_PROFILES: Final = 0x4D << 56
# No profile has this key; a digest that has it only waits in vain, once in 2**64.
_FILES: Final = (0x4E << 56) + 1
_LOCK_NOT_AVAILABLE: Final = "55P03"  # SQLSTATE
# From so many on, those are looked for that are on their way.
_MANY: Final = 16
_SENDING_NOW: Final = (
    "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks"
    " WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ShareLock' AND granted"
    " AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)

logger = logging.getLogger(__name__)


class Stopping(Exception):
    """Somebody who stops this message waits for others: it must not start now."""


@dataclass
class Watch:
    """What stops met: `is_late` when one could not wait until nothing was on its way.

    Nothing starts after it all the same; what was on its way ends within a minute.
    """

    is_late: bool = False


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched() -> Iterator[Watch]:
    """Learn, for the block, what stops met that were made in it and committed."""
    watch = Watch()
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)


@contextmanager
def sending(profile_id: int, digest: UUID | str) -> Iterator[None]:
    """Say, for the block, that a message to this profile and address is on its way.

    Raises Stopping when somebody who stops it is in the way for longer than the
    session's lock_timeout.
    """
    if connection.vendor != "postgresql":
        yield
        return
    taken: list[int] = []
    try:
        for key in _keys([profile_id], [digest]):
            _take_shared(key)
            taken.append(key)
        yield
    finally:
        if taken and connection.is_usable():
            _call("pg_advisory_unlock_shared", taken)


def closing_file() -> None:
    """Say, until the transaction ends, that a file starts all of its messages.

    Whoever stops one of them meanwhile is answered after that.
    """
    if connection.vendor == "postgresql":
        _call("pg_advisory_xact_lock", [_FILES])


def wait_until_none(
    profile_ids: Iterable[int], digests: Iterable[UUID | str] = ()
) -> bool:
    """Wait until nothing is on its way to these; tells whether that is so now.

    Called after the stop is committed; inside a transaction it waits for the commit,
    and watched() tells what came of it.
    """
    keys = _keys(profile_ids, digests)
    if connection.vendor != "postgresql" or not keys:
        return True
    if connection.in_atomic_block:
        transaction.on_commit(lambda: _wait(keys), robust=True)
        return True
    return _wait(keys)


def _take_shared(key: int) -> None:
    try:
        _call("pg_advisory_lock_shared", [key])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise Stopping from error
        raise


def _wait(keys: list[int]) -> bool:
    """Wait for each key; nearly always nobody holds one, which one question tells."""
    if len(keys) > _MANY:
        keys = _held_among(keys)
    if _are_free(keys):
        return True
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                # Of the statement: that of a lock would count for each of them.
                cursor.execute(f"SET LOCAL statement_timeout = '{LONGEST_WAIT}'")
            _call("pg_advisory_xact_lock_shared", [_FILES])
            if keys:
                _call("pg_advisory_xact_lock", keys)
    except OperationalError:
        logger.warning("A message was still on its way when a stop was answered.")
        watch = _watch.get()
        if watch is not None:
            watch.is_late = True
        return False
    return True


def _are_free(keys: list[int]) -> bool:
    no_file = "pg_try_advisory_xact_lock_shared(%s)"
    calls = [no_file, *["pg_try_advisory_xact_lock(%s)"] * len(keys)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {' AND '.join(calls)}", [_FILES, *keys])
        return bool(cursor.fetchone()[0])


def _held_among(keys: list[int]) -> list[int]:
    """Give those that a sender holds; who takes one later sees the stop."""
    with connection.cursor() as cursor:
        cursor.execute(_SENDING_NOW)
        held = {key for (key,) in cursor.fetchall()}
    return sorted(held.intersection(keys))


def _keys(profile_ids: Iterable[int], digests: Iterable[UUID | str]) -> list[int]:
    """Give one 64-bit key each, in order, so that no two wait for each other."""
    of_profiles = {_PROFILES + profile_id for profile_id in profile_ids}
    of_addresses = {_key_of(digest) for digest in digests}
    return sorted(of_profiles | of_addresses)


def _key_of(digest: UUID | str) -> int:
    value = digest if isinstance(digest, UUID) else UUID(digest)
    return int.from_bytes(value.bytes[:8], signed=True)


def _call(function: str, keys: list[int]) -> None:
    calls = ", ".join([f"{function}(%s)"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", keys)
