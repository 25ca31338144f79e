"""Measure the analysis against its read floor and a bare COPY, in one run.

    python -m benchmarks.analysis SIZE [--rounds N]

Fills the database of DATABASE_URL, which must be empty and is left full, with SIZE
profiles (100000, 1000000, ...), then takes turns, N times each:

read floor    SELECT count(*) over the analysis's own query of the kept profiles, all
              rules and duplicates, same settings, one session, no parallel workers
write floor   the same rows copied into a bare table
analysis      delivery.analysis.prepare, from nothing to a published result

and prints the medians and their ratios, as a table and as a line of JSON.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import population  # noqa: E402
from delivery import analysis, audiences, eligibility  # noqa: E402
from delivery.loading_postgresql import SESSION_SETTINGS  # noqa: E402
from delivery.models import Delivery, Message  # noqa: E402
from profiles.models import Profile  # noqa: E402

IS_POSTGRESQL = connection.vendor == "postgresql"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    call_command("migrate", verbosity=0)
    prepare_population(options.size)
    delivery = Delivery.objects.create(
        label="Benchmark", channel=0, audience=audiences.everybody()
    )
    seconds = measure(delivery, options.rounds)
    report(options.size, seconds)


def prepare_population(size: int) -> None:
    present = Profile.objects.count()
    if present not in (0, size):
        sys.exit(f"The database has {present} profiles. Give an empty one.")
    if present == 0:
        population.load(size)


def measure(delivery: Delivery, rounds: int) -> dict[str, float]:
    """Give the median seconds of each thing measured, taken in turns."""
    parts: dict[str, Callable[[], float]] = {
        "read floor": lambda: timed(lambda: read_floor(delivery)),
        "analysis": lambda: timed(lambda: run_analysis(delivery)),
        "write floor": lambda: write_floor(delivery),
    }
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(rounds):
        for name, part in parts.items():
            if IS_POSTGRESQL:
                execute("CHECKPOINT")
            taken[name].append(part())
    return {name: median(times) for name, times in taken.items()}


def read_floor(delivery: Delivery) -> int:
    kept = eligibility.kept(delivery, now=timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:
        for setting in SESSION_SETTINGS if IS_POSTGRESQL else ():
            cursor.execute(setting)
        cursor.execute(f"SELECT COUNT(*) FROM ({kept.text}) kept", kept.params)
        return int(cursor.fetchone()[0])


def run_analysis(delivery: Delivery) -> None:
    # Each run is the first of its delivery: comparing is not part of the floor.
    Delivery.objects.filter(pk=delivery.pk).update(current_analysis=None)
    delivery.current_analysis = None
    analysis.prepare(delivery, by="benchmark", now=timezone.now())


def write_floor(delivery: Delivery) -> float:
    """Write the rows of the last analysis into a bare table; gives the seconds."""
    source = (
        f"SELECT * FROM {Message._meta.db_table}"
        f" WHERE analysis_id = {delivery.current_analysis_id}"
    )
    execute("DROP TABLE IF EXISTS benchmark_bare")
    execute(f"CREATE TABLE benchmark_bare AS {source} LIMIT 0")
    if IS_POSTGRESQL:
        seconds = copy_rows(source)
    else:
        seconds = timed(lambda: execute(f"INSERT INTO benchmark_bare {source}"))
    execute("DROP TABLE benchmark_bare")
    return seconds


def copy_rows(source: str) -> float:
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY ({source}) TO STDOUT (FORMAT binary)") as copy:
            blocks = [bytes(block) for block in copy]
        started = perf_counter()
        with cursor.copy("COPY benchmark_bare FROM STDIN (FORMAT binary)") as copy:
            for block in blocks:
                copy.write(block)
    return perf_counter() - started


def timed(part: Callable[[], object]) -> float:
    started = perf_counter()
    part()
    return perf_counter() - started


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def report(size: int, seconds: dict[str, float]) -> None:
    floor = seconds["read floor"]
    print(f"{connection.vendor}, {size:,} profiles, median of the rounds")
    for name, each in seconds.items():
        print(
            f"{name:<12} {each:8.2f} s {size / each:12,.0f} profiles/s"
            f" {each / floor:6.2f} x read floor"
        )
    figures = {name.replace(" ", "_"): round(each, 3) for name, each in seconds.items()}
    print(json.dumps({"engine": connection.vendor, "size": size, **figures}))


if __name__ == "__main__":
    main()
