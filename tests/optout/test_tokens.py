"""Tokens: only what was made here, for this purpose, in time, is honoured."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout import tokens
from optout.tokens import ExpiredToken, InvalidToken, Link, Purpose
from profiles.channels import ANY_CHANNEL, Channel

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = Link(4711, Channel.EMAIL, NOW, 0, 12, UUID(int=0x1234 << 100))
TAMPERED = 100_000
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.="


def is_honoured(token: str, purpose: Purpose = Purpose.ONE_CLICK) -> bool:
    try:
        tokens.read(token, purpose, now=NOW)
    except InvalidToken:
        return False
    return True


@given(
    st.builds(
        Link,
        profile_id=st.integers(0, 2**63 - 1),
        channel=st.sampled_from([ANY_CHANNEL, *Channel]),
        made_at=st.integers(0, 2**33).map(lambda at: datetime.fromtimestamp(at, UTC)),
        service_id=st.integers(0, 2**63 - 1),
        delivery_id=st.integers(0, 2**63 - 1),
        digest=st.none() | st.uuids(),
    ),
    st.sampled_from([Purpose.ONE_CLICK, Purpose.STOP]),
)
def test_what_was_made_is_read(link: Link, purpose: Purpose) -> None:
    token = tokens.make(link, purpose)
    assert tokens.read(token, purpose, now=NOW) == link
    assert len(token) <= 98


@pytest.mark.parametrize("made_for", Purpose)
@pytest.mark.parametrize("used_for", Purpose)
def test_purposes_are_not_interchangeable(made_for: Purpose, used_for: Purpose) -> None:
    token = tokens.make(LINK, made_for)
    assert is_honoured(token, used_for) is (made_for is used_for)


def test_no_tampered_token_is_honoured() -> None:
    token = tokens.make(LINK, Purpose.ONE_CLICK)
    assert is_honoured(token)
    numbers = random.Random(8058)
    tried = {token}
    while len(tried) <= TAMPERED:
        cells = list(token)
        for _ in range(numbers.choice([1, 1, 2, 5])):
            cells[numbers.randrange(len(cells))] = numbers.choice(ALPHABET)
        tried.add("".join(cells))
    assert [each for each in tried if is_honoured(each)] == [token]


def test_no_flipped_bit_is_honoured() -> None:
    token = tokens.make(LINK, Purpose.ONE_CLICK)
    for place, cell in enumerate(token):
        for bit in range(8):
            altered = token[:place] + chr(ord(cell) ^ 1 << bit) + token[place + 1 :]
            assert not is_honoured(altered)


@pytest.mark.parametrize(
    "alter",
    [
        lambda token: "",
        lambda token: ".",
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: "2" + token[1:],
        lambda token: token.partition(".")[2],
        lambda token: token.replace(".", ".\0", 1),
        lambda token: "/../" + token,
        lambda token: "1.\N{FULLWIDTH LATIN CAPITAL LETTER A}",
        lambda token: "1.\udc80",
        lambda token: "1." + "A" * 1_000_000,
    ],
)
def test_odd_texts_are_refused_at_once(alter) -> None:
    text = alter(tokens.make(LINK, Purpose.ONE_CLICK))
    started = perf_counter()
    assert not is_honoured(text)
    assert perf_counter() - started < 0.1


@pytest.mark.parametrize("purpose", [Purpose.ONE_CLICK, Purpose.STOP])
def test_opt_outs_never_expire(purpose: Purpose) -> None:
    token = tokens.make(LINK, purpose)
    later = NOW + timedelta(days=3653)
    assert tokens.read(token, purpose, now=later) == LINK


@pytest.mark.parametrize(
    ("purpose", "lifetime"),
    [
        (Purpose.PREFERENCES, timedelta(days=90)),
        (Purpose.CONFIRMATION, timedelta(hours=72)),
    ],
)
def test_other_purposes_expire(purpose: Purpose, lifetime: timedelta) -> None:
    token = tokens.make(LINK, purpose)
    assert tokens.read(token, purpose, now=NOW + lifetime) == LINK
    with pytest.raises(ExpiredToken) as refused:
        tokens.read(token, purpose, now=NOW + lifetime + timedelta(seconds=1))
    assert refused.value.link == LINK


def test_links_of_every_key_of_the_ring_are_honoured(settings) -> None:
    old = dict(settings.PUBLIC_LINK_KEYS)
    token = tokens.make(LINK, Purpose.STOP)
    settings.PUBLIC_LINK_KEYS = {"b": "n" * 40, **old}
    new = tokens.make(LINK, Purpose.STOP)
    assert new.startswith("b.")
    assert is_honoured(token, Purpose.STOP)
    assert is_honoured(new, Purpose.STOP)
    settings.PUBLIC_LINK_KEYS = {"b": "n" * 40}
    assert not is_honoured(token, Purpose.STOP)


def test_number_that_no_link_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        tokens.make(replace(LINK, delivery_id=-1), Purpose.STOP)


@pytest.mark.parametrize(
    "sabotage",
    [
        lambda key_id, purpose, payload: b"\0" * 16,
        lambda key_id, purpose, payload: payload[:16].ljust(16, b"\0"),
    ],
    ids=["no-key", "no-seal"],
)
def test_proof_notices_a_seal_that_seals_nothing(monkeypatch, sabotage) -> None:
    monkeypatch.setattr(tokens, "_mac", sabotage)
    with pytest.raises(AssertionError):
        test_purposes_are_not_interchangeable(Purpose.STOP, Purpose.ONE_CLICK)
