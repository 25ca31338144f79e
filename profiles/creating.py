"""Creating profiles and their addresses, many thousands a second.

What a profile is made of is written ahead, as the database takes it (`prepare`), by
the thread that reads the file; creating only hands it over. On PostgreSQL that is a
line of COPY, put together here: the csv module takes twice the time.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.db import connection

from profiles import bulk
from profiles.addresses import suffixes
from profiles.bulk import Values
from profiles.models import DomainSuffix
from profiles.parsing import ParsedRow

VALUES: Final = (
    "first_name",
    "last_name",
    "language",
    "time_zone",
    "birth_date",
    "street",
    "postcode",
    "city",
    "country",
)
# What an index is on stands first: see `create`.
COLUMNS: Final = (
    "external_id",
    "id",
    *VALUES,
    "attributes",
    "created_at",
    "updated_at",
)
ADDRESS_COLUMNS: Final = (
    "digest",
    "channel",
    "value",
    "domain",
    "is_deliverable",
    "profile_id",
    "is_preferred",
    "created_at",
)
_KNOWN_DOMAINS: Final = 100_000

_encode = json.JSONEncoder(ensure_ascii=False).encode
_needs_quotes = re.compile(r'[",\r\n]').search


@dataclass(frozen=True, slots=True)
class NewProfiles:
    """Profiles to be created, and their addresses, as the database takes them.

    `opted_out` holds (profile id, row) of the rows that set opt-outs.
    """

    ids: Sequence[int]
    profiles: bulk.Prepared
    addresses: bulk.Prepared
    domains: set[str]
    opted_out: Sequence[tuple[int, ParsedRow]]


def reserve_ids(count: int) -> list[int]:
    """Reserve ids for profiles to be created."""
    return bulk.reserve_ids("profiles_profile", count)


def prepare(rows: Sequence[ParsedRow], ids: Sequence[int], *, now: str) -> NewProfiles:
    """Write the profile that each row creates, under the first of the ids.

    In the order of their first column: an index that is filled in its own order
    takes a fifth less time than one that is filled at random.
    """
    write = _lines if connection.vendor == "postgresql" else _values
    profiles: list[Any] = []
    addresses: list[Any] = []
    for number, row in zip(ids, rows, strict=False):
        profile, owned = write(row, number, now)
        profiles.append(profile)
        addresses += owned
    profiles.sort()
    addresses.sort()
    return NewProfiles(
        ids[: len(rows)],
        bulk.prepare(profiles),
        bulk.prepare(addresses),
        {given.domain for row in rows for given in row.addresses},
        [(number, row) for number, row in zip(ids, rows, strict=False) if row.opt_outs],
    )


def create(new: NewProfiles) -> None:
    """Create profiles with their addresses."""
    bulk.insert_prepared(
        "profiles_profile",
        COLUMNS,
        new.profiles,
        nullable=["external_id", "birth_date"],
    )
    bulk.insert_prepared("profiles_address", ADDRESS_COLUMNS, new.addresses)


def _lines(row: ParsedRow, number: int, now: str) -> tuple[str, list[str]]:
    cells = row.values
    if cells and _needs_quotes("".join(cells.values())):
        cells = {name: _quoted(cell) for name, cell in cells.items()}
    value = cells.get
    profile = (
        f"{_quoted(row.external_id)},{number},"
        f"{value('first_name', '')},{value('last_name', '')},"
        f"{value('language', '')},{value('time_zone', '')},"
        f"{value('birth_date', '')},{value('street', '')},"
        f"{value('postcode', '')},{value('city', '')},{value('country', '')},"
        f"{_quoted_json(tuple(row.attributes.items()))},{row.created_at or now},{now}\n"
    )
    addresses: list[str] = []
    channel = None
    # Those of one channel stand together, in the rows and when combined.
    for digest, own, text, domain, is_deliverable in row.addresses:
        addresses.append(
            f"{digest},{own},{_quoted(text)},{domain},{is_deliverable},"
            f"{number},{own != channel},{now}\n"
        )
        channel = own
    return profile, addresses


def _values(row: ParsedRow, number: int, now: str) -> tuple[Values, list[Values]]:
    value = row.values.get
    profile = (
        row.external_id,
        number,
        *[value(name, "") for name in VALUES],
        _json(tuple(row.attributes.items())),
        row.created_at or now,
        now,
    )
    addresses: list[Values] = []
    channel = None
    for given in row.addresses:
        addresses.append((*given, number, given.channel != channel, now))
        channel = given.channel
    return profile, addresses


def _quoted(cell: str) -> str:
    if _needs_quotes(cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@lru_cache(maxsize=10_000)
def _json(attributes: tuple[tuple[str, str], ...]) -> str:
    return _encode(dict(attributes))


@lru_cache(maxsize=10_000)
def _quoted_json(attributes: tuple[tuple[str, str], ...]) -> str:
    return _quoted(_json(attributes))


class KnownDomains:
    """The domains whose suffixes are stored, so that each is written about once."""

    def __init__(self) -> None:
        self._known: set[str] = {""}

    def add(self, domains: set[str]) -> None:
        """Store the suffixes of domains that addresses have."""
        new = domains - self._known
        if not new:
            return
        DomainSuffix.objects.bulk_create(
            [
                DomainSuffix(suffix=suffix, domain=domain)
                for domain in sorted(new)
                for suffix in suffixes(domain)
            ],
            ignore_conflicts=True,
            batch_size=1000,
        )
        if len(self._known) > _KNOWN_DOMAINS:
            self._known = {""}
        self._known |= new
