"""Measure how fast the lists of the console open when there are a million rows.

    python -m benchmarks.lists [SIZE] [--only NAME] [--rounds N]

Fills the PostgreSQL database of DATABASE_URL, which must be empty and is left full,
with SIZE profiles (1000000) and what belongs to them; one that was filled before is
taken as it is. Then opens every list through Django's test client: the first page, the
one after it, one far down, each filter, searches that find much and nothing. Prints
the median of N rounds (5) and the queries of each, and marks those over 300 ms, 20
queries or 100 kB; exits 1 when there are any.
"""

import argparse
import os
import sys
from statistics import median
from time import perf_counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks import lists_world  # noqa: E402
from benchmarks.lists_pages import pages_of  # noqa: E402
from delivery.models import Delivery  # noqa: E402

MOST_MILLISECONDS = 300
MOST_QUERIES = 20
MOST_BYTES = 100_000
SIZE = 1_000_000
# Names of files as they are, so that none has to be collected before.
STORAGES = settings.STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("size", type=int, nargs="?", default=SIZE)
    parser.add_argument("--only", default="", help="a part of the names of pages")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if connection.vendor != "postgresql":
        sys.exit("DATABASE_URL names no PostgreSQL database. Give an empty one.")

    delivery = prepare(options.size)
    with override_settings(STORAGES=STORAGES):
        return measure(delivery, only=options.only, rounds=options.rounds)


def prepare(size: int) -> Delivery:
    call_command("migrate", verbosity=0)
    known = Delivery.objects.filter(label="To everybody").first()
    if known is not None:
        return known
    user = User.objects.create_superuser("benchmark")
    began = perf_counter()
    delivery = lists_world.load(size, by=user)
    print(f"{size:,} profiles made in {perf_counter() - began:.0f} s")
    return delivery


def measure(delivery: Delivery, *, only: str, rounds: int) -> int:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="benchmark"))
    over = 0
    for name, path in pages_of(delivery):
        if only in name:
            over += is_over(client, name, path, rounds=rounds)
    print(f"{over} pages are over a limit.")
    return 1 if over else 0


def is_over(client: Client, name: str, path: str, *, rounds: int) -> bool:
    """Open a page, print its line, and say whether a limit is passed."""
    with CaptureQueriesContext(connection) as queries:
        page = client.get(path)
        asked = queries.captured_queries
    if page.status_code != 200:
        sys.exit(f"{name}: {path} answered {page.status_code}.")
    seconds = median(timed(client, path) for _ in range(rounds))
    figures = (1000 * seconds, len(asked), len(page.content))
    limits = (MOST_MILLISECONDS, MOST_QUERIES, MOST_BYTES)
    passed = any(each > most for each, most in zip(figures, limits, strict=True))
    mark = "  OVER" if passed else ""
    took, count, size = figures
    print(f"{name:<48} {took:7.0f} ms {count:3} queries {size:8,} bytes{mark}")
    # What was slow, for whoever mends it.
    for query in asked if passed else ():
        if float(query["time"]) > 0.05:
            print(f"    {query['time']} s  {query['sql'][:600]}")
    return passed


def timed(client: Client, path: str) -> float:
    began = perf_counter()
    client.get(path)
    return perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
