"""How well, and how fast, reports are read: against answers that people checked.

Usage: python -m benchmarks.bounces FOLDER EXPECTED [--only F | --but F] [--wrong]

EXPECTED has one line of JSON for each file of FOLDER: `file`, and `recipients`, each
with `recipient` and `hard` (1 or 0) and, for a complaint, `feedback`. --only and --but
take a list of names (JSON) to read alone, or to leave out; --wrong shows what was read
otherwise. Each of the rounds reads every mail as if it were the first of its kind.
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path
from statistics import median

import django
from django.conf import settings

settings.configure(USE_I18N=False)
django.setup()

from delivery.inbound.reading import Kind, read  # noqa: E402
from quarantine.qualification import family_of  # noqa: E402
from quarantine.reasons import ErrorType  # noqa: E402

ROUNDS = 7


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("expected", type=Path)
    parser.add_argument("--only", type=Path)
    parser.add_argument("--but", type=Path)
    parser.add_argument("--wrong", action="store_true")
    chosen = parser.parse_args()
    lines = map(json.loads, chosen.expected.read_text().splitlines())
    answers = {line["file"]: line["recipients"] for line in lines}
    if chosen.only:
        only = set(json.loads(chosen.only.read_text()))
        answers = {name: each for name, each in answers.items() if name in only}
    if chosen.but:
        but = set(json.loads(chosen.but.read_text()))
        answers = {name: each for name, each in answers.items() if name not in but}
    mails = {name: (chosen.folder / name).read_bytes() for name in answers}
    if not mails:
        sys.exit(f"{chosen.expected} names no mail that is to be read.")
    read_mails = {name: read(raw) for name, raw in mails.items()}
    score(answers, read_mails, shows=chosen.wrong)
    rates = sorted(rate(list(mails.values())) for _ in range(ROUNDS))
    print(f"{median(rates):,.0f} a second on one core (goal 1,000; {rates[0]:,.0f} to"
          f" {rates[-1]:,.0f} in {ROUNDS} rounds)")  # fmt: skip
    return 0


def rate(mails: list[bytes]) -> float:
    """Read mails with nothing remembered of them; gives how many a second."""
    re.purge()
    family_of.cache_clear()
    began = time.process_time()
    for raw in mails:
        read(raw)
    return len(mails) / (time.process_time() - began)


def score(answers, read_mails, *, shows: bool) -> None:
    total = found = right = soft = soft_as_hard = taken = 0
    for name, people in answers.items():
        got = read_mails[name]
        by_address = {each.recipient.lower(): each for each in got.recipients}
        is_bounce = got.kind == Kind.BOUNCE
        if not people or all(each["feedback"] for each in people):
            taken += is_bounce
        if shows and not people and is_bounce:
            print(f"{name}: nobody, read as a bounce")
        for each in people:
            total += 1
            mine = by_address.get(each["recipient"].lower())
            found += mine is not None
            is_hard = mine is not None and (
                mine.qualification.error_type == ErrorType.HARD
            )
            right += mine is not None and is_hard == bool(each["hard"])
            soft += not each["hard"]
            soft_as_hard += is_hard and not each["hard"]
            if shows and (mine is None or is_hard != bool(each["hard"])):
                print(f"{name} {got.kind.value}: {each['reason']} {each['status']}"
                      f" hard={each['hard']} <{each['recipient']}>:"
                      f" {mine and (mine.qualification, mine.diagnostic[:160])}"
                      f" {'' if mine else list(by_address)}")  # fmt: skip
    print(f"recipient found: {found / total:.1%} of {total} (goal 93 %)")
    print(f"hard or not, right: {right / max(found, 1):.1%} of found,"
          f" {right / total:.1%} of all (goal 95 %)")  # fmt: skip
    print(f"soft called hard: {soft_as_hard / max(soft, 1):.1%} of {soft} (goal 2 %)")
    print(f"complaints and auto-replies taken for a bounce: {taken} (goal 0)")


if __name__ == "__main__":
    sys.exit(main())
