"""Show that forged and replayed reports change nothing, however many there are.

    python -m benchmarks.forged [COUNT]

Sends a delivery to some people over a wire that takes everything, lets one bounce and
one unsubscription take effect, and then stores and reads COUNT reports (100,000) that
are forged, replayed, or of nobody's message. Compares everything that a report may
change before and after, prints how many changes there were, which must be 0, how the
reports were taken, and how many were stored and read a second; exits 1 otherwise.
Works on SQLite in memory, and leaves nothing behind.
"""

import argparse
import json
import os
import sys
from time import perf_counter

import django

os.environ["DATABASE_URL"] = "sqlite://:memory:"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from delivery.inbound import processing, storing  # noqa: E402
from delivery.models import InboundKind  # noqa: E402
from tests import factories  # noqa: E402
from tests.delivery.inbound.forgeries import (  # noqa: E402
    Forger,
    snapshot,
    unsubscribe_address,
)
from tests.delivery.inbound.report_mails import dsn, take_in  # noqa: E402
from tests.delivery.sending_stage import Wire, make_sending, send_once  # noqa: E402

PEOPLE = 200
SEED = 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    count = parser.parse_args().count
    call_command("migrate", verbosity=0)
    forger = prepare()
    before = snapshot()
    began = perf_counter()
    now = timezone.now()
    for raw in forger.reports(count):
        storing.store(InboundKind.MAIL, raw, source="maildir", now=now)
    tally = processing.read_waiting(now)
    seconds = perf_counter() - began
    after = snapshot()
    changes = sum(row not in before for row in after) + abs(len(after) - len(before))
    line = {
        "reports": tally.count,
        "changes": changes,
        "seed": SEED,
        "states": dict(tally.states),
        "per_second": round(tally.count / seconds),
    }
    print(json.dumps(line))
    return 0 if changes == 0 and tally.count == count else 1


def prepare() -> Forger:
    """Send to some people, and let what will be replayed take effect."""
    people = [factories.make_profile() for _number in range(PEOPLE)]
    make_sending()
    wire = Wire()
    send_once(wire)
    first = wire.taken[0]
    take_in(dsn(first.sender, first.recipient, number=0))
    unsubscribe = unsubscribe_address(people[0].pk)
    take_in(f"To: {unsubscribe}\r\n\r\n".encode())
    return Forger(first.sender, unsubscribe, wire.recipients)


if __name__ == "__main__":
    sys.exit(main())
