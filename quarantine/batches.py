"""Writing many decided changes of addresses at once; nothing here decides anything."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from profiles import bulk
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Source, Status

_STATUSES = {status.value: status for status in Status}
_ADDRESSES = QuarantinedAddress._meta.db_table
_EVENTS = QuarantineEvent._meta.db_table


class Key(NamedTuple):
    """The identity of an address; the digest as 32 hexadecimal digits."""

    channel: int
    digest: str


class NewAddress(NamedTuple):
    key: Key
    address: str
    domain: str
    status: int
    reason: str


class Change(NamedTuple):
    key: Key
    status: int
    reason: str


class Happening(NamedTuple):
    """One line of history."""

    key: Key
    event: str
    from_status: int | None
    to_status: int
    reason: str


def lock_addresses() -> None:
    """Keep other writers out until the transaction ends; readers go on.

    What was looked up then still holds when it is written, and imports that touch the
    same addresses cannot wait for each other. SQLite has one writer anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {_ADDRESSES} IN SHARE ROW EXCLUSIVE MODE")


def look_up(keys: Iterable[Key]) -> dict[Key, Status]:
    """Give the status of each address that has a row: one query per channel."""
    by_channel: dict[int, list[str]] = {}
    for key in keys:
        by_channel.setdefault(key.channel, []).append(key.digest)
    known: dict[Key, Status] = {}
    with connection.cursor() as cursor:
        for channel, digests in by_channel.items():
            cursor.execute(*_looking_up(channel, digests))
            for digest, status in cursor.fetchall():
                known[Key(channel, digest)] = _STATUSES[status]
    return known


def insert(
    rows: Iterable[NewAddress], *, source: Source, by: str, now: datetime
) -> None:
    """Make the rows of addresses that had none."""
    at = connection.ops.adapt_datetimefield_value(now)
    same = (False, "", 0, "", source.value, by, at, at)
    bulk.insert(
        _ADDRESSES,
        (
            *("channel", "digest", "address", "domain", "status", "reason"),
            *("is_provisional", "error_text", "significant_error_count"),
            *("last_delivery_label", "source", "updated_by"),
            *("created_at", "updated_at"),
        ),
        [(*row.key, *row[1:], *same) for row in rows],
    )


def update(
    changes: Sequence[Change], *, source: Source, by: str, now: datetime
) -> None:
    """Give known addresses their new status and reason."""
    if not changes:
        return
    at = connection.ops.adapt_datetimefield_value(now)
    same = (source.value, by, at)
    sets = (
        "SET status = {}, reason = {}, source = %s, updated_by = %s, updated_at = %s,"
        " is_provisional = FALSE, batch_id = NULL"
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            flat = [(*change.key, change.status, change.reason) for change in changes]
            cursor.execute(
                f"UPDATE {_ADDRESSES} known"
                f" {sets.format('wanted.status', 'wanted.reason')} FROM"
                " unnest(%s::int[], %s::uuid[], %s::int[], %s::text[])"
                " AS wanted (channel, digest, status, reason)"
                " WHERE known.channel = wanted.channel"
                " AND known.digest = wanted.digest",
                [*same, *map(list, zip(*flat, strict=True))],
            )
        else:
            cursor.executemany(
                f"UPDATE {_ADDRESSES} {sets.format('%s', '%s')}"
                " WHERE channel = %s AND digest = %s",
                [(each.status, each.reason, *same, *each.key) for each in changes],
            )


def record(
    happenings: Iterable[Happening], *, source: Source, by: str, now: datetime
) -> None:
    """Write what happened into the history."""
    at = connection.ops.adapt_datetimefield_value(now)
    same = (at, source.value, "", by)
    bulk.insert(
        _EVENTS,
        (
            *("channel", "digest", "event", "from_status", "to_status", "reason"),
            *("at", "source", "note", "actor"),
        ),
        [(*each.key, *each[1:], *same) for each in happenings],
        nullable=["from_status"],
    )


def _looking_up(channel: int, digests: list[str]) -> tuple[str, list[Any]]:
    if connection.vendor == "postgresql":
        return (
            f"SELECT replace(digest::text, '-', ''), status FROM {_ADDRESSES}"
            " WHERE channel = %s AND digest = ANY(%s::uuid[])",
            [channel, digests],
        )
    return (
        f"SELECT digest, status FROM {_ADDRESSES}"
        " WHERE channel = %s AND digest IN (SELECT value FROM json_each(%s))",
        [channel, json.dumps(digests)],
    )
