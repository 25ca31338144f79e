"""Places: how many of our connections carry mail to one recipient domain at once.

Some providers refuse more than a few. SENDING_CONNECTIONS says how many a domain gets,
over all workers on all machines. A place is a session advisory lock of PostgreSQL with
one of as many keys, on the connection that gates: it is free again when that connection
leaves the domain, ends or is killed. SQLite has one sender, and so one connection.

Who finds no place does not wait for it: those messages are put off for some seconds,
and others go on.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection

FULL_FOR: Final = timedelta(seconds=5)
MOST: Final = 64  # places of one domain


class Places:
    """The place that one connection has, if any; it has one at a time."""

    def __init__(self, limits: Mapping[str, int] | None = None) -> None:
        self._limits = settings.SENDING_CONNECTIONS if limits is None else limits
        self._domain = ""
        self._key: int | None = None
        self._full: dict[str, datetime] = {}

    def full_until(self, domain: str, *, now: datetime) -> datetime | None:
        """Take a place at a domain, leaving that at another; None when we have it.

        Else gives when to ask again; until then it is not asked for again.
        """
        if domain == self._domain:
            return None
        limit = self._limits.get(domain, self._limits.get("*", 0)) if domain else 0
        if connection.vendor != "postgresql" or limit <= 0:
            self.leave()
            return None
        until = self._full.get(domain)
        if until is not None and until > now:
            return until
        self.leave()
        self._key = _taken(_keys(domain, min(limit, MOST)))
        if self._key is None:
            self._full[domain] = now + FULL_FOR
            return self._full[domain]
        self._domain = domain
        return None

    @property
    def is_limited(self) -> bool:
        """Say whether the domain asked about last has a limit, and we have a place."""
        return self._key is not None

    def leave(self) -> None:
        """Give the place back."""
        if self._key is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [self._key])
        self._domain, self._key = "", None


def _keys(domain: str, count: int) -> list[int]:
    """Give the keys of the places of a domain: 64 bits each, far from any id."""
    texts = (f"campaign place: {number}@{domain}" for number in range(count))
    return [
        int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
        - (1 << 63)
        for text in texts
    ]


def _taken(keys: list[int]) -> int | None:
    """Take the first free key. CASE asks for one after the other, and then stops."""
    asked = "".join(
        f" WHEN pg_try_advisory_lock(%s) THEN {number}" for number in range(len(keys))
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT CASE{asked} END", keys)
        number = cursor.fetchone()[0]
    return None if number is None else keys[number]
