"""Each pair of the table has its relation, both ways round."""

from collections import Counter
from dataclasses import replace

import pytest

from profiles.addresses import ParsedAddress
from profiles.channels import Channel
from tests.profiles.address_pairs import PAIRS, RELATIONS, Pair, failures, the_parse


def test_table_covers_every_channel_and_relation() -> None:
    assert len(PAIRS) >= 300
    assert {channel for pair in PAIRS for channel in pair.channels} == set(Channel)
    assert {pair.relation for pair in PAIRS} == set(RELATIONS)


def test_no_pair_of_the_table_is_written_twice() -> None:
    counts = Counter(
        (pair.channels, pair.country, pair.first, pair.second) for pair in PAIRS
    )

    assert [pair for pair, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(pair, id=f"{line}-{pair.relation}-{pair.note}")
        for line, pair in enumerate(PAIRS, start=2)
    ],
)
def test_pair_of_the_table_has_its_relation(pair: Pair) -> None:
    assert failures(pair, the_parse) == []


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(pair, id=f"{line}-{pair.relation}-{pair.note}")
        for line, pair in enumerate(PAIRS, start=2)
        if pair.channels[0] != pair.channels[1] or pair.relation.startswith("both")
    ],
)
def test_pair_has_the_same_relation_the_other_way_round(pair: Pair) -> None:
    turned = replace(
        pair, channels=pair.channels[::-1], first=pair.second, second=pair.first
    )

    assert failures(replace(turned, domain=""), _without_domain) == []


def _without_domain(channel: Channel, text: str, country: str) -> ParsedAddress:
    return replace(the_parse(channel, text, country), domain="")
