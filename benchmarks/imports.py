"""Measure the import of profiles against a COPY of the rows it leaves, in one run.

    python -m benchmarks.imports [SIZE ...] [--json]

Makes up messy files of SIZE rows (100000 and 1000000 unless given), imports each into
an empty database of its own beside that of DATABASE_URL, and copies the rows that the
import left:

bare COPY     into tables of the same columns, without key, index or constraint
full COPY     into tables with the keys, indexes and constraints of the real ones

On SQLite both are INSERT .. SELECT. Prints rows per second, the peak of memory, and
the ratios. The database of its own is dropped at the end.
"""

import argparse
import csv
import json
import os
import random
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")
django.setup()

from django.db import connection  # noqa: E402

from optout.importing import import_profiles  # noqa: E402

TABLES = (
    "profiles_profile",
    "profiles_address",
    "optout_optout",
    "optout_consentevent",
)
COLUMNS = [
    "external_id",
    "first_name",
    "last_name",
    "email",
    "mobile",
    "language",
    "country",
    "created_at",
    "no_contact",
    "no_email",
    "no_sms",
    "favourite_colour",
]
FIRST_NAMES = ["Søren", "Åsa", "Иван", "李", 'D"Arcy', "O'Neil", "Anna-Lena", "Chloé"]
LAST_NAMES = ["Öberg", "van der Berg", "Smith, Jr.", "Çelik", "Nguyen", "Ñandú"]
MAILBOXES = ["person{}", "x+tag{}", "P.{}", "o'brien{}", "ü{}"]
DOMAINS = [
    "EXAMPLE.COM",
    "example.net",
    "example.org",
    "mail.example.com",
    "xn--bcher-kva.example",
    "bücher.example",
]
NUMBERS = ["+4670{0:07}", "070-{0:07}", ""]
Figures = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("size", type=_size, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()

    for size in options.size:
        with TemporaryDirectory(prefix="import-benchmark-") as folder:
            path = Path(folder, "profiles.csv")
            write_file(path, size)
            with own_database(Path(folder)):
                figures = measure(path, size)
        print(json.dumps(figures) if options.json else table(figures), flush=True)


def _size(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of rows")
    return int(text)


def write_file(path: Path, size: int) -> None:
    """Write a file as a CRM might: shuffled, many spellings, 2 % without an email."""
    numbers = random.Random(size)
    order = list(range(size))
    numbers.shuffle(order)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(_row(number, numbers) for number in order)


def _row(number: int, numbers: random.Random) -> list[str]:
    def flag(share: float) -> str:
        is_set = numbers.random() < share
        return numbers.choice(["1", "Yes", "TRUE"] if is_set else ["", "0", "False"])

    # Every twentieth shares the address of somebody else.
    owner = number if numbers.random() > 0.05 else number // 2
    mailbox = numbers.choice(MAILBOXES).format(owner)
    chance = numbers.random()
    email = f"{mailbox}@{numbers.choice(DOMAINS)}" if chance > 0.03 else "no-at-sign"
    created_at = datetime.fromtimestamp(1_500_000_000 + number * 60, UTC)
    return [
        f"C-{number:08}",
        numbers.choice(FIRST_NAMES),
        numbers.choice(LAST_NAMES),
        email if chance > 0.02 else "   ",
        numbers.choice(NUMBERS).format(number % 10_000_000),
        numbers.choice(["sv", "de", "en", "fr", ""]),
        "SE",
        created_at.isoformat(),
        flag(0.01),
        flag(0.05),
        flag(0.05),
        numbers.choice(["blue", "red", ""]),
    ]


@contextmanager
def own_database(folder: Path) -> Iterator[None]:
    """Make an empty database beside that of DATABASE_URL, and drop it afterwards."""
    former = str(connection.settings_dict["NAME"])
    is_file = connection.vendor == "sqlite"
    connection.settings_dict["TEST"]["NAME"] = (
        str(folder / "benchmark.sqlite3") if is_file else f"{former}_import_benchmark"
    )
    creation = connection.creation
    creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        creation.destroy_test_db(former, verbosity=0)


def measure(path: Path, size: int) -> Figures:
    started = perf_counter()
    summary = import_profiles(path, now=datetime.now(UTC), by="benchmark")
    seconds = perf_counter() - started
    if summary.created != size:
        sys.exit(f"The import created {summary.created} profiles of {size}.")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    bare = copy_seconds(path.parent, is_bare=True)
    full = copy_seconds(path.parent, is_bare=False)
    return {
        "database": connection.vendor,
        "rows": size,
        "seconds": round(seconds, 2),
        "rows_per_second": round(size / seconds),
        "peak_megabytes": peak,
        "bare_copy_seconds": round(bare, 2),
        "ratio_to_bare_copy": round(seconds / bare, 2),
        "full_copy_seconds": round(full, 2),
        "ratio_to_full_copy": round(seconds / full, 2),
    }


def copy_seconds(folder: Path, *, is_bare: bool) -> float:
    """Copy all rows the import left into empty tables; give the seconds it took."""
    return sum(_copied(folder, table, is_bare=is_bare) for table in TABLES)


def _copied(folder: Path, table: str, *, is_bare: bool) -> float:
    if connection.vendor == "sqlite":
        return _inserted(table, is_bare=is_bare)
    file = folder / "rows.csv"
    like = f"LIKE {table}" + ("" if is_bare else " INCLUDING ALL")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_copy")
        cursor.execute(f"CREATE TABLE benchmark_copy ({like})")
        with (
            file.open("wb") as stream,
            cursor.copy(f"COPY {table} TO STDOUT (FORMAT csv)") as copy,
        ):
            stream.writelines(copy)
        started = perf_counter()
        with (
            file.open("rb") as stream,
            cursor.copy("COPY benchmark_copy FROM STDIN (FORMAT csv)") as copy,
        ):
            while block := stream.read(1 << 20):
                copy.write(block)
    return perf_counter() - started


def _inserted(table: str, *, is_bare: bool) -> float:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_copy")
        if is_bare:
            cursor.execute(
                f"CREATE TABLE benchmark_copy AS SELECT * FROM {table} LIMIT 0"
            )
        else:
            _create_like(table)
        started = perf_counter()
        cursor.execute(f"INSERT INTO benchmark_copy SELECT * FROM {table}")
    return perf_counter() - started


def _create_like(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name = %s"
            " AND type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC",
            [table],
        )
        for number, (statement,) in enumerate(cursor.fetchall()):
            # The names of indexes are taken.
            name = f"INDEX benchmark_copy_{number} ON benchmark_copy "
            renamed = re.sub(r"INDEX \S+ ON \S+ ", name, statement, count=1)
            cursor.execute(renamed.replace(f'"{table}"', "benchmark_copy"))


def table(figures: Figures) -> str:
    return "\n".join(f"{name:<20} {figure:>12}" for name, figure in figures.items())


if __name__ == "__main__":
    main()
