"""Reading mails that chance has made: no exception, half a second, 256 MB.

Usage: python -m tests.fuzz.reports [--seconds N] [--seed N] [--keep FOLDER]

Says every minute how far it is, and prints one line of JSON when the time is over or it
is told to stop (SIGINT, SIGTERM). Exit status 0 when nothing was found; what was found
is kept in FOLDER, and its seed is printed.
"""

import argparse
import json
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from delivery.inbound import qualifying
from delivery.inbound.qualifying import ReadFile
from delivery.inbound.reading import ReadMail, read
from tests.fuzz.mutations import mutated

FOLDER: Final = Path(__file__).parents[1] / "data/bounces"
MOST_SECONDS: Final = 0.5  # of CPU, for one mail
MOST_MEMORY: Final = 256 * 1024  # kB, of the whole process
TELL_EVERY: Final = 60.0  # seconds
KEYS: Final = ["recipient", "status", "reply", "type", "confirm", "reason"]


@dataclass
class Found:
    """What a run found: how many mails, of which kinds, the slowest, and troubles."""

    kinds: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    troubles: list[tuple[bytes, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.kinds.total()


@dataclass
class Watch:
    """Notes what a mail costs, and what is raised over it, and goes on."""

    found: Found
    raw: bytes
    began: float = field(default_factory=time.process_time)

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> bool:
        took = time.process_time() - self.began
        self.found.slowest = max(self.found.slowest, took)
        if took > MOST_SECONDS:
            self.found.troubles.append((self.raw, f"It took {took:.2f} s."))
        if isinstance(error, Exception):
            self.found.kinds["raised"] += 1
            self.found.troubles.append((self.raw, repr(error)))
        return isinstance(error, Exception)


def seeds() -> list[bytes]:
    return [path.read_bytes() for path in sorted(FOLDER.glob("*.eml"))]


def run(mails: Iterator[bytes], *, seconds: float) -> Found:
    """Read mails for so long, and gather what is wrong with any of them."""
    found = Found()
    began = told = time.monotonic()
    with suppress(KeyboardInterrupt):
        for raw in mails:
            now = time.monotonic()
            if now - began > seconds:
                break
            if now - told > TELL_EVERY:
                told = now
                print(f"{now - began:.0f} s: {found.count} mails", file=sys.stderr)
            with Watch(found, raw):
                mail = read(raw)
                found.kinds[mail.kind.value] += 1
                found.troubles += [(raw, trouble) for trouble in faults(mail)]
    return found


def faults(mail: ReadMail) -> Iterator[str]:
    """Name what a read mail must not say."""
    line = json.dumps(qualifying.described(ReadFile("a.eml", mail)))
    for each in json.loads(line)["recipients"]:
        if list(each) != KEYS:
            yield f"The keys are {list(each)}."
        if "@" not in each["recipient"] or ";" in each["recipient"]:
            yield f"{each['recipient']!r} is no recipient."
        if each["confirm"] and each["type"] != "hard":
            yield "What is not hard is to be confirmed."


def endless(seed: int, raws: Sequence[bytes]) -> Iterator[bytes]:
    random = Random(seed)
    while True:
        yield mutated(raws, random)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("--keep", type=Path, default=Path("test-results/fuzz"))
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found = run(endless(chosen.seed, seeds()), seconds=chosen.seconds)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = {
        "seed": chosen.seed,
        "mails": found.count,
        "kinds": dict(found.kinds.most_common()),
        "slowest_seconds": round(found.slowest, 3),
        "most_megabytes": most // 1024,
        "troubles": len(found.troubles),
    }
    print(json.dumps(figures))
    for number, (raw, trouble) in enumerate(found.troubles[:50]):
        chosen.keep.mkdir(parents=True, exist_ok=True)
        (chosen.keep / f"{number}.eml").write_bytes(raw)
        print(f"{number}.eml: {trouble}", file=sys.stderr)
    return 1 if found.troubles or most > MOST_MEMORY else 0


if __name__ == "__main__":
    sys.exit(main())
