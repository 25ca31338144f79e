"""The promises under load, kills and crashes; and each broken by its mistake.

The checker itself is tried on made-up evidence first: what breaks no promise, and
what breaks each.
"""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak import checker
from tests.soak.checker import Act, Evidence, Start, Stop, Taken

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = Evidence(
    starts=[Start(1, 10, pid=7), Start(2, 20, pid=8)],
    stops=[Stop(3, "opt-out", 4, 5), Stop(4, "quarantine", 4, 5)],
    taken=[Taken(1, 11), Taken(2, 21)],
    statuses={1: "sent", 2: "sent", 3: "excluded", 4: "excluded"},
    flags={"opt-out": {3}, "quarantine": {4}},
    raised=Counter([3]),
    ledger=Counter([3]),
)
BREAKS = {
    "1": {"starts": [Start(3, 6)]},
    "2": {
        "taken": [*KEPT.taken, Taken(3, 6)],
        "is_strict": True,
    },
    "3": {"starts": [Start(4, 6)]},
    "4 open": {"statuses": {1: "leased"}},
    "4 lost": {"statuses": {5: "sent"}},
    "5": {"taken": [*KEPT.taken, Taken(1, 12)]},
    "6": {"flags": {"opt-out": {3}, "quarantine": set()}},
    "7 opt-out": {
        "acts": [Act("yes by file", 3, "d3")],
        "mailable": {"d3": 3},
    },
    "7 quarantine": {
        "acts": [Act("valid by file", 4, "d4")],
        "mailable": {"d4": 4},
        "denylisted": {"d4"},
    },
    "9 opt-out": {"acts": [Act("no by file", 9, "d9")]},
    "9 quarantine": {"acts": [Act("valid by file", 4, "d4")]},
    "10": {"acts": [Act("erased", 9, "d9")], "mailable": {"d9": 10}},
    "8": {"ledger": Counter([3, 3])},
}


def test_kept_promises_are_not_called_broken():
    assert checker.broken(KEPT) == []


@pytest.mark.parametrize("name", BREAKS)
def test_checker_finds_a_broken_promise(name):
    found = checker.broken(replace(KEPT, **BREAKS[name]))

    number = name.partition(" ")[0]
    assert [each.partition(":")[0] for each in found] == [f"promise {number}"]


def test_copies_that_could_not_be_known_are_allowed():
    twice = replace(KEPT, taken=[*KEPT.taken, Taken(1, 12, "drop")])

    assert checker.broken(twice) == []
    assert checker.broken(replace(BREAKS_5, kills=1)) == []


BREAKS_5 = replace(KEPT, taken=[*KEPT.taken, Taken(1, 12)])


def soak(*options: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "options",
    [
        "--messages 5000 --kills 10 --stops 750",
        "--messages 2000 --kills 5 --stops 400 --strict",
        "--messages 2000 --kills 2 --stops 400 --crashes 5",
    ],
    ids=["kills", "strict", "crashes"],
)
def test_every_promise_is_kept(options):
    run = soak(*options.split())

    assert run["broken"] == []
    assert run["stops"] > 100
    assert min(run["kills"], *run["acts"].values()) > 0
    assert (run["crashes"] > 0) == ("--crashes" in options)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("mistake", "promises", "options"),
    [
        ("decided_at_the_lease", "1", "--stops 300 --kills 0"),
        ("nothing_held_on_the_wire", "2", "--stops 400 --kills 0 --strict"),
        ("listed_passed_over", "3", "--stops 300 --kills 0"),
        ("doubtful_taken_for_sent", "4", "--stops 0 --kills 3"),
        ("living_taken_for_dead", "5", "--stops 0 --kills 0 --messages 3000"),
        ("commits_not_waited_for", "6", "--stops 500 --kills 0 --crashes 8"),
        ("change_recorded_twice", "8", "--stops 100 --kills 0"),
        ("file_lifts_stops", "7", "--stops 200 --kills 0"),
        ("last_file_wins", "9", "--stops 200 --kills 0"),
        ("erased_forgotten", "10", "--stops 200 --kills 0"),
    ],
    ids=lambda value: value if str(value).isidentifier() else "",
)
def test_mistake_breaks_its_promise(mistake, promises, options):
    soak(
        *("--messages", "1000", "--sabotage", mistake, "--expect", promises),
        *options.split(),
    )
