"""Somebody who stops messages at the worst moment: the next ones of a live worker.

Usage: python -m tests.soak.stopper LOG COUNT SINK_LOG MESSAGES [SABOTAGE]

Spreads COUNT stops over the sending of MESSAGES, as the sink's log grows. Each is a
one-click opt-out, or a quarantine of the address. Notes as JSON: profile, kind, and
the moments before it was asked for and after it was acknowledged.
"""

import json
import os
import random
import sys
import time
from pathlib import Path

import django

django.setup()

from django.db import Error, connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from optout import preferences  # noqa: E402
from optout.models.ledger import ConsentSource  # noqa: E402
from profiles.channels import Channel  # noqa: E402
from quarantine.reasons import Event, Reason, Source  # noqa: E402
from quarantine.transitions import apply  # noqa: E402
from tests.soak import sabotage, world  # noqa: E402

NEXT = 6
_FRONTIER = """
SELECT profile_id FROM delivery_part part JOIN LATERAL (
    SELECT profile_id FROM delivery_message message
    WHERE message.analysis_id = part.analysis_id AND message.status = 2
    AND message.profile_id BETWEEN part.first_profile_id AND part.last_profile_id
    ORDER BY profile_id LIMIT %s
) next ON true WHERE part.slot_id IS NOT NULL AND NOT part.is_done
"""


def main(log_path: str, count: int, sink_path: Path, messages: int) -> None:
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    lots = random.Random(os.getpid())
    done = 0
    while done < count:
        if sink_lines(sink_path) < messages * 0.9 * done / count:
            time.sleep(0.002)
            continue
        try:
            done += stop_one(log, lots)
        except Error:
            connection.close()
            time.sleep(0.05)


def stop_one(log: int, lots: random.Random) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_FRONTIER, [NEXT])
        found = [row[0] for row in cursor.fetchall()]
    if not found:
        time.sleep(0.002)
        # When all is sent there is nobody left to stop.
        return 1 if lots.random() < 0.01 else 0
    profile_id = lots.choice(found)
    kind = lots.choice(["opt-out", "opt-out", "quarantine"])
    before = time.monotonic_ns()
    is_news = opt_out(profile_id) if kind == "opt-out" else quarantine(profile_id)
    line = {
        "profile": profile_id,
        "kind": kind,
        "before": before,
        "acknowledged": time.monotonic_ns(),
        "is_news": is_news,
    }
    os.write(log, f"{json.dumps(line)}\n".encode())
    return 1


def opt_out(profile_id: int) -> bool:
    event_id = preferences.opt_out_one(
        profile_id,
        Channel.EMAIL,
        source=ConsentSource.ONE_CLICK,
        now=timezone.now(),
        delivery_id=1,
    )
    return event_id is not None


def quarantine(profile_id: int) -> bool:
    apply(
        world.identity(profile_id),
        Event.COMPLAINT,
        by="soak",
        source=Source.OPERATOR,
        reason=Reason.COMPLAINT,
        now=timezone.now(),
    )
    return True


def sink_lines(path: Path) -> int:
    # Lines are of about one length: the size tells how far the sending is.
    return path.stat().st_size // 190 if path.exists() else 0


if __name__ == "__main__":
    sabotage.apply(sys.argv[5] if len(sys.argv) > 5 else "")
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
