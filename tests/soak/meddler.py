"""Somebody who would undo stops in every way that must not: files, releases, erasures.

Usage: python -m tests.soak.meddler LOG STOPS_LOG MESSAGES [SABOTAGE]

Until it is asked to stop, over and over: imports profiles whose stops were acknowledged
with rows that say yes, lists their denylisted addresses as valid, tries to release
them; says no for others by file; erases people and brings their addresses back with a
new profile. Notes each act as JSON once it is acknowledged: what, whom, and the digest.
"""

import io
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from threading import Event as Asked

import django

django.setup()

from django.db import Error, connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from delivery import erasure  # noqa: E402
from optout import importing  # noqa: E402
from profiles.models import Profile  # noqa: E402
from quarantine import importing as listing  # noqa: E402
from quarantine.models import QuarantinedAddress  # noqa: E402
from quarantine.release import release  # noqa: E402
from tests.soak import sabotage, world  # noqa: E402

AT_ONCE = 20
PAUSE = 0.1  # seconds
_asked = Asked()


def main(log_path: str, stops_path: Path, messages: int) -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: _asked.set())
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    lots = random.Random(11)
    while not _asked.wait(PAUSE):
        try:
            meddle(log, lots, stopped(stops_path), messages)
        except Error:
            connection.close()
            time.sleep(0.05)


def meddle(log: int, lots: random.Random, stops: list[dict], messages: int) -> None:
    if not stops:
        return
    some = lots.sample(stops, min(AT_ONCE, len(stops)))
    opted_out = {stop["profile"] for stop in some if stop["kind"] == "opt-out"}
    listed = {stop["profile"] for stop in some if stop["kind"] == "quarantine"}
    say_yes(opted_out)
    note(log, "yes by file", opted_out)
    list_as_valid(listed)
    note(log, "valid by file", listed)
    say_no(others := set(lots.sample(range(1, messages + 1), 3)))
    note(log, "no by file", others)
    erase(person := lots.randrange(1, messages + 1))
    note(log, "erased", {person})


def say_yes(people: set[int]) -> None:
    rows = [f"{key(pk)},{address(pk)},0,no" for pk in people]
    import_file("external_id,email,no_email,no_contact", rows)


def say_no(people: set[int]) -> None:
    import_file("external_id,no_email", [f"{key(pk)},yes" for pk in people])


def list_as_valid(people: set[int]) -> None:
    """Say by file that addresses are fine; try to release them without the right."""
    for status in ("valid", "allowlisted"):
        rows = [f"email,{address(pk)},{status}," for pk in people]
        text = "\n".join(["channel,address,status,reason", *rows])
        listing.import_file(io.BytesIO(text.encode()), now=timezone.now())
    held = QuarantinedAddress.objects.filter(digest__in=map(digest, people))
    release(held, by="soak", note="x", may_release_denylisted=False, now=timezone.now())


def erase(person: int) -> None:
    """Erase somebody, and bring their address back with a profile of its own."""
    now = timezone.now()
    profile = Profile.objects.get(pk=person)
    erasure.erase(profile, by="soak", reason="They asked.", now=now)
    import_file("external_id,email", [f"again-{person},{address(person)}"])


def import_file(header: str, rows: list[str]) -> None:
    text = "\n".join([header, *rows])
    importing.import_profiles(io.BytesIO(text.encode()), now=timezone.now())


def note(log: int, act: str, people: set[int]) -> None:
    for person in people:
        line = {"act": act, "profile": person, "digest": digest(person)}
        os.write(log, f"{json.dumps(line)}\n".encode())


def key(profile_id: int) -> str:
    # tests.soak.world makes them in order, from nought.
    return f"S{profile_id - 1:06}"


def address(profile_id: int) -> str:
    return world.identity(profile_id).value


def digest(profile_id: int) -> str:
    return str(world.identity(profile_id).digest)


def stopped(path: Path) -> list[dict]:
    """Read the stops acknowledged so far; the last line may be half written."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


if __name__ == "__main__":
    sabotage.apply(sys.argv[4] if len(sys.argv) > 4 else "")
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
