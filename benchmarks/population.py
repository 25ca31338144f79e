"""The population that the analysis is measured on, the same for every run.

Per channel email: 2 % without an address, 0.5 % invalid, 5 % opted out of email, 1 %
of every channel, 4 % with the address of another profile; 3 % of addresses are
quarantined, 2 % erroneous, and as many foreign ones; one domain in 200 is blocked.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

SEED = 20261123
_ROWS_AT_ONCE = 50_000
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
Row = tuple[Any, ...]


def load(size: int) -> None:
    """Fill an empty database with `size` profiles and what belongs to them."""
    _store("profiles_profile", PROFILE_COLUMNS, (_profile(each) for each in _ids(size)))
    _store("profiles_address", ADDRESS_COLUMNS, _addresses(size))
    _store("optout_optout", ("profile_id", "channel", "opted_out_at"), _opt_outs(size))
    _store("quarantine_quarantinedaddress", QUARANTINE_COLUMNS, _quarantined(size))
    _store(
        "profiles_domainsuffix",
        ("suffix", "domain"),
        (
            (suffix, f"d{n}.example.com")
            for n in range(1000)
            for suffix in (f"d{n}.example.com", "example.com", "com")
        ),
    )
    _store(
        "quarantine_blockeddomain",
        ("domain", "note", "created_by", "created_at"),
        ((f"d{n}.example.com", "", "", _EPOCH) for n in range(0, 1000, 200)),
    )
    with connection.cursor() as cursor:
        is_postgresql = connection.vendor == "postgresql"
        cursor.execute("VACUUM ANALYZE" if is_postgresql else "ANALYZE")


PROFILE_COLUMNS = (
    "id",
    "external_id",
    "first_name",
    "last_name",
    "language",
    "time_zone",
    "street",
    "postcode",
    "city",
    "country",
    "attributes",
    "created_at",
    "updated_at",
)
ADDRESS_COLUMNS = (
    "profile_id",
    "channel",
    "value",
    "digest",
    "domain",
    "is_deliverable",
    "is_preferred",
    "created_at",
)
QUARANTINE_COLUMNS = (
    "channel",
    "digest",
    "address",
    "domain",
    "status",
    "is_provisional",
    "reason",
    "error_text",
    "significant_error_count",
    "last_delivery_label",
    "source",
    "updated_by",
    "created_at",
    "updated_at",
)


def _ids(size: int) -> range:
    return range(1, size + 1)


def _lot(number: int, salt: int) -> float:
    """Draw the lot of a profile for one property: always the same, in [0, 1)."""
    return random.Random(number * 1_000_003 + salt + SEED).random()


def _profile(number: int) -> Row:
    created_at = _EPOCH + timedelta(minutes=(number * 7919) % 2_000_000)
    return (
        number,
        f"B-{number:09}",
        "Anna",
        "Lind",
        "sv",
        "",
        "Storgatan 1",
        "111 22",
        "Stockholm",
        "SE",
        '{"colour": "red"}',
        created_at,
        created_at,
    )


def _person(number: int, size: int) -> int:
    """Give the number in a profile's address: 4 % carry that of another one."""
    if _lot(number, 1) < 0.04:
        return int(_lot(number, 2) * size) + 1
    return number


def _digest(channel: int, person: int) -> str:
    return str(UUID(int=random.Random(person * 31 + channel).getrandbits(128)))


def _addresses(size: int) -> Iterator[Row]:
    for number in _ids(size):
        lot = _lot(number, 3)
        if lot < 0.02:
            continue
        person = _person(number, size)
        domain = f"d{person % 1000}.example.com"
        yield (
            number,
            0,
            f"person{person}@{domain}",
            _digest(0, person),
            domain,
            lot >= 0.025,
            True,
            _EPOCH,
        )


def _opt_outs(size: int) -> Iterator[Row]:
    for number in _ids(size):
        if _lot(number, 4) < 0.05:
            yield number, 0, _EPOCH
        if _lot(number, 5) < 0.01:
            yield number, -1, _EPOCH


def _quarantined(size: int) -> Iterator[Row]:
    for number in _ids(size):
        lot = _lot(number, 6)
        if lot < 0.05:
            yield _quarantine_row(0, number, 3 if lot < 0.03 else 2)
        elif lot < 0.07:
            yield _quarantine_row(0, number + 10 * size, 3)


def _quarantine_row(channel: int, person: int, status: int) -> Row:
    domain = f"d{person % 1000}.example.com"
    return (
        channel,
        _digest(channel, person),
        f"person{person}@{domain}",
        domain,
        status,
        False,
        "user_unknown",
        "",
        0,
        "",
        "import",
        "",
        _EPOCH,
        _EPOCH,
    )


def _store(table: str, columns: Iterable[str], rows: Iterator[Row]) -> None:
    names = list(columns)
    write = _copy if connection.vendor == "postgresql" else _insert
    with transaction.atomic():
        write(table, names, rows)


def _copy(table: str, columns: list[str], rows: Iterator[Row]) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _insert(table: str, columns: list[str], rows: Iterator[Row]) -> None:
    places = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
    with connection.cursor() as cursor:
        cursor.connection.executemany(
            statement, (tuple(map(_for_sqlite, row)) for row in rows)
        )


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    if isinstance(value, str) and len(value) == 36 and value.count("-") == 4:
        return value.replace("-", "")
    return value
