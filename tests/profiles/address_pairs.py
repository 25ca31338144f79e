"""The table of pairs: which addresses are the same, and which are none.

tests/data/addresses.csv is plain ASCII: other letters are written as in Python
(`\\u00e5`, `\\t`), so that no editor can normalise what the table is about. `a:b` in
the column channel gives the first address one channel and the second another.
Numbers are from the ranges that regulators keep for fiction, or assigned to nobody.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from profiles.addresses import ParsedAddress, parse
from profiles.channels import Channel, channel_of

TABLE = Path(__file__).parent.parent / "data" / "addresses.csv"
Parse = Callable[[Channel, str, str], ParsedAddress]
# Relation: is the first deliverable, is the second, have they one digest.
RELATIONS = {
    "same": (True, True, True),
    "different": (True, True, False),
    "first_invalid": (False, True, False),
    "both_invalid_same": (False, False, True),
    "both_invalid_different": (False, False, False),
}


@dataclass(frozen=True)
class Pair:
    channels: tuple[Channel, Channel]
    country: str
    first: str
    second: str
    relation: str
    domain: str
    note: str


def read_pairs() -> list[Pair]:
    with TABLE.open(encoding="ascii", newline="") as lines:
        return [_pair(row) for row in csv.DictReader(lines)]


def _pair(row: dict[str, str]) -> Pair:
    first, _, second = row["channel"].partition(":")
    return Pair(
        channels=(channel_of(first), channel_of(second or first)),
        country=row["country"],
        first=_unescaped(row["first"]),
        second=_unescaped(row["second"]),
        relation=row["relation"],
        domain=row["domain"],
        note=row["note"],
    )


def _unescaped(text: str) -> str:
    return text.encode("ascii").decode("unicode_escape")


PAIRS = read_pairs()


def the_parse(channel: Channel, text: str, country: str) -> ParsedAddress:
    return parse(channel, text, country=country)


def failures(pair: Pair, parse_one: Parse) -> list[str]:
    """List what a way of parsing gets wrong about one pair of the table."""
    first = parse_one(pair.channels[0], pair.first, pair.country)
    second = parse_one(pair.channels[1], pair.second, pair.country)
    found = (
        first.is_deliverable,
        second.is_deliverable,
        first.digest == second.digest,
    )
    wrong = []
    if found != RELATIONS[pair.relation]:
        wrong.append(
            f"{pair.note}: {found} for {first.canonical!a}, {second.canonical!a}"
        )
    if first.domain != pair.domain:
        wrong.append(f"{pair.note}: domain {first.domain!a}")
    return wrong


def all_failures(pairs: Iterable[Pair], parse_one: Parse) -> list[str]:
    return [failure for pair in pairs for failure in failures(pair, parse_one)]
