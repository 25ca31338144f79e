"""Slots: who works on a part, and whether they still live.

A slot is one connection that gates messages. On PostgreSQL it holds a session advisory
lock of its number on that very connection: when its process is killed or its
connection breaks, the server lets go, and the number is free to see for anybody. No
number is used twice, so nobody is taken for somebody who came later. SQLite has one
sending process at a time, so every other slot is of the past.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection
from django.utils import timezone

from delivery.models import Part, Slot

_KEYS = 7_302 << 40


def now() -> datetime:
    """Give the time that all slots go by: the database's, so that no clock is ahead."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def take() -> Slot:
    """Take a new slot on the connection at hand, which must then stay open."""
    slot = Slot.objects.create(
        host=socket.gethostname()[:255], pid=os.getpid(), started_at=now()
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_KEYS + slot.pk])
    return slot


def give_back(slot: Slot) -> None:
    """End a slot whose parts are all released."""
    slot.ended_at = now()
    slot.save(update_fields=["ended_at"])
    if connection.vendor == "postgresql":
        _unlock(slot.pk)


def dead_ones(own: Slot) -> Iterator[int]:
    """Yield the numbers of dead slots that still have parts, each while it is ours.

    Whoever holds the lock of a dead slot is the only one who recovers it.
    """
    held = Part.objects.filter(is_done=False, slot__isnull=False)
    others = held.exclude(slot=own).values_list("slot_id", flat=True).distinct()
    for slot_id in list(others):
        if connection.vendor != "postgresql":
            yield slot_id
            continue
        with _locked(slot_id) as is_dead:
            if is_dead:
                yield slot_id


@contextmanager
def _locked(slot_id: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_KEYS + slot_id])
        is_dead = bool(cursor.fetchone()[0])
    try:
        yield is_dead
    finally:
        if is_dead and connection.is_usable():
            _unlock(slot_id)


def _unlock(slot_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_KEYS + slot_id])
