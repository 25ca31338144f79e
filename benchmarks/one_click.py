"""Measure one click against the least that a view can write, in one run.

    python -m benchmarks.one_click [--profiles N] [--requests N] [--rounds N]

Fills the database of DATABASE_URL, when it is empty, with profiles, and leaves it full.
Then takes turns, in this process and through the whole WSGI application with the
middleware of production:

floor         a view that runs one UPDATE and one INSERT in one transaction, on
              tables with nothing but a primary key, and answers with nothing
one click     the endpoint of RFC 8058: each request posts an authentic link of another
              profile, which is opted out by it

and prints requests per second and their ratio, as a table and as a line of JSON. Needs
`manage.py collectstatic`.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from io import BytesIO
from statistics import median
from time import perf_counter
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Exists, OuterRef  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

from benchmarks import population  # noqa: E402
from campaign import urls  # noqa: E402
from optout import tokens  # noqa: E402
from optout.models import ConsentEvent, OptOut  # noqa: E402
from optout.tokens import Link, Purpose  # noqa: E402
from profiles.channels import Channel  # noqa: E402
from profiles.models import Address, Profile  # noqa: E402

BODY = b"List-Unsubscribe=One-Click"
GOAL = 0.6
WARM_UP = 50
ENVIRON = {
    "REQUEST_METHOD": "POST",
    "CONTENT_TYPE": "application/x-www-form-urlencoded",
    "CONTENT_LENGTH": str(len(BODY)),
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": settings.ALLOWED_HOSTS[0],
    "wsgi.url_scheme": "https" if settings.IS_HTTPS else "http",
    "wsgi.errors": sys.stderr,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profiles", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()

    call_command("migrate", verbosity=0)
    if not Profile.objects.exists():
        population.load(options.profiles)
    urls.urlpatterns.append(path("floor/<int:profile_id>", floor))
    links = iter(fresh_links(options.requests * options.rounds + WARM_UP))
    make_bare_tables()
    rates = measure(links, requests=options.requests, rounds=options.rounds)
    execute("DROP TABLE benchmark_flag")
    execute("DROP TABLE benchmark_event")
    report(rates)


@csrf_exempt
def floor(request: HttpRequest, profile_id: int) -> HttpResponse:
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE benchmark_flag SET at = %s WHERE profile_id = %s", [now, profile_id]
        )
        cursor.execute(
            "INSERT INTO benchmark_event (at, profile_id) VALUES (%s, %s)",
            [now, profile_id],
        )
    return HttpResponse()


def make_bare_tables() -> None:
    at = "timestamptz" if connection.vendor == "postgresql" else "datetime"
    for name in ("benchmark_flag", "benchmark_event"):
        execute(f"DROP TABLE IF EXISTS {name}")
    execute(f"CREATE TABLE benchmark_flag (profile_id bigint PRIMARY KEY, at {at})")
    key = "bigserial" if connection.vendor == "postgresql" else "integer"
    execute(
        f"CREATE TABLE benchmark_event (id {key} PRIMARY KEY, at {at},"
        " profile_id bigint)"
    )
    execute(
        "INSERT INTO benchmark_flag (profile_id) SELECT id FROM"
        f" {Profile._meta.db_table}"
    )


def fresh_links(count: int) -> list[Link]:
    """Give links of profiles with an address that are not opted out yet."""
    known = OptOut.objects.filter(profile=OuterRef("profile"), channel=Channel.EMAIL)
    preferred = Address.objects.filter(channel=Channel.EMAIL, is_preferred=True)
    fresh = preferred.filter(~Exists(known)).order_by("pk")[:count]
    if len(fresh) < count:
        sys.exit(f"Only {len(fresh)} profiles are left. Give an empty database.")
    made_at = timezone.now()
    return [
        Link(each.profile_id, Channel.EMAIL, made_at, 0, 12, each.digest)
        for each in fresh
    ]


def measure(
    links: Iterator[Link], *, requests: int, rounds: int
) -> dict[str, list[float]]:
    """Give the requests per second of each round, taken in turns."""
    application = WSGIHandler()
    rate(application, [path_of(next(links)) for _ in range(WARM_UP)])
    rate(application, [f"/floor/{each}" for each in range(1, WARM_UP + 1)])
    before = ConsentEvent.objects.count()
    rates: dict[str, list[float]] = {"floor": [], "one click": []}
    for _ in range(rounds):
        own = [next(links) for _ in range(requests)]
        paths = {
            "floor": [f"/floor/{link.profile_id}" for link in own],
            "one click": [path_of(link) for link in own],
        }
        for name, each in paths.items():
            if connection.vendor == "postgresql":
                execute("CHECKPOINT")
            rates[name].append(rate(application, each))
    written = ConsentEvent.objects.count() - before
    if written != requests * rounds:
        sys.exit(f"{requests * rounds} clicks wrote {written} events.")
    return rates


def path_of(link: Link) -> str:
    return f"/u/{tokens.make(link, Purpose.ONE_CLICK)}"


def rate(application: WSGIHandler, paths: list[str]) -> float:
    """Post to each path, one after the other; gives requests per second."""
    started = perf_counter()
    for each in paths:
        answer = application(
            {**ENVIRON, "PATH_INFO": each, "wsgi.input": BytesIO(BODY)}, ignore
        )
        b"".join(answer)
        answer.close()
        if answer.status_code != 200:
            sys.exit(f"{each.split('/')[1]} answered {answer.status_code}.")
    return len(paths) / (perf_counter() - started)


def ignore(status: str, headers: list[tuple[str, str]], *more: Any) -> None:
    """Stand for the server, which would write these."""


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def report(rates: dict[str, list[float]]) -> None:
    pairs = zip(rates["one click"], rates["floor"], strict=True)
    ratio = median(ours / least for ours, least in pairs)
    print(f"{connection.vendor}, median of {len(rates['floor'])} rounds")
    for name, each in rates.items():
        print(f"{name:<10} {median(each):8,.0f} requests/s")
    print(f"{'ratio':<10} {ratio:8.2f} (goal: {GOAL} or more)")
    figures = {
        name.replace(" ", "_"): round(median(each)) for name, each in rates.items()
    }
    print(
        json.dumps({"engine": connection.vendor, **figures, "ratio": round(ratio, 3)})
    )


if __name__ == "__main__":
    main()
