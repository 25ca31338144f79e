"""Tokens in mail addresses: only what was made here, for this purpose, is honoured."""

import random
import re
from base64 import b32decode, b32encode
from dataclasses import replace
from itertools import combinations
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout import mail_tokens, tokens
from optout.mail_tokens import MailLink, MailPurpose
from optout.tokens import InvalidToken, Link, Purpose
from profiles.channels import ANY_CHANNEL, Channel
from tests.optout.test_tokens import LINK as WEB_LINK

LINK = MailLink(4711, Channel.EMAIL, 3, 12)
TAMPERED = 100_000
BITS = 240
IDS = st.integers(0, 2**48 - 1)


def is_honoured(token: str, purpose: MailPurpose = MailPurpose.MAILTO) -> bool:
    try:
        mail_tokens.read(token, purpose)
    except InvalidToken:
        return False
    return True


@given(
    st.builds(
        MailLink, IDS, st.sampled_from([ANY_CHANNEL, *Channel, -(2**15)]), IDS, IDS
    ),
    st.sampled_from(MailPurpose),
    st.randoms(use_true_random=False),
)
def test_what_was_made_is_read_in_any_case(link, purpose, numbers) -> None:
    token = mail_tokens.make(link, purpose)
    assert re.fullmatch("[a-z2-7]{48}", token)
    shouted = "".join(numbers.choice([each, each.upper()]) for each in token)
    assert mail_tokens.read(shouted, purpose) == link


def test_address_fits_into_a_local_part() -> None:
    most = 2**40
    token = mail_tokens.make(MailLink(most, 40, most, most), MailPurpose.MAILTO)
    assert len(token) <= 60
    assert len(f"u+{token}") <= 64


@pytest.mark.parametrize("made_for", MailPurpose)
@pytest.mark.parametrize("used_for", MailPurpose)
def test_mail_purposes_are_not_interchangeable(made_for, used_for) -> None:
    token = mail_tokens.make(LINK, made_for)
    assert is_honoured(token, used_for) is (made_for is used_for)


@pytest.mark.parametrize("web", Purpose)
@pytest.mark.parametrize("mail", MailPurpose)
def test_no_mail_token_opens_a_page_and_no_link_is_an_address(web, mail) -> None:
    address = mail_tokens.make(LINK, mail)
    link = tokens.make(WEB_LINK, web)
    for text in (address, f"1.{address}"):
        with pytest.raises(InvalidToken):
            tokens.read(text, web, now=WEB_LINK.made_at)
    for text in (link, link.partition(".")[2], link[:48], link[-48:]):
        assert not is_honoured(text, mail)


def test_no_seal_serves_both_a_link_and_an_address() -> None:
    made_for = [
        *(mail_tokens._mac("k" * 43, each, b"payload") for each in MailPurpose),
        *(tokens._mac("1", each, b"payload")[:10] for each in Purpose),
    ]
    assert len(set(made_for)) == len(made_for)


def test_no_tampered_address_is_honoured() -> None:
    token = mail_tokens.make(LINK, MailPurpose.MAILTO)
    assert is_honoured(token)
    sealed = int.from_bytes(b32decode(token, casefold=True))
    altered = {sealed ^ 1 << bit for bit in range(BITS)}
    altered |= {sealed ^ 1 << a ^ 1 << b for a, b in combinations(range(BITS), 2)}
    numbers = random.Random(2369)
    while len(altered) < TAMPERED // 2:
        altered.add(sealed ^ numbers.getrandbits(BITS) & numbers.getrandbits(BITS))
    while len(altered) < TAMPERED:
        altered.add(numbers.getrandbits(BITS))
    altered -= {sealed}
    texts = (b32encode(each.to_bytes(30)).decode().lower() for each in altered)
    assert [text for text in texts if is_honoured(text)] == []


@pytest.mark.parametrize(
    "alter",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token + "a",
        lambda token: token[:-1] + "=",
        lambda token: token[:-6] + "======",
        lambda token: token + "========",
        lambda token: " " + token[1:],
        lambda token: token[:-1] + "\n",
        lambda token: token[:-1] + "\0",
        lambda token: token[:-1] + "1",
        lambda token: token[:-1] + "\N{LATIN SMALL LETTER DOTLESS I}",
        lambda token: token[:-1] + "\N{LATIN SMALL LETTER LONG S}",
        lambda token: token[:-1] + "\udc80",
        lambda token: token * 20_000,
    ],
)
def test_odd_addresses_are_refused_at_once(alter) -> None:
    text = alter(mail_tokens.make(LINK, MailPurpose.MAILTO))
    started = perf_counter()
    assert not is_honoured(text)
    assert perf_counter() - started < 0.1


def test_addresses_of_every_key_of_the_ring_are_honoured(settings) -> None:
    old = dict(settings.PUBLIC_LINK_KEYS)
    token = mail_tokens.make(LINK, MailPurpose.MAILTO)
    settings.PUBLIC_LINK_KEYS = {"b": "n" * 40, **old}
    new = mail_tokens.make(LINK, MailPurpose.MAILTO)
    assert new != token
    assert is_honoured(token)
    assert is_honoured(new)
    settings.PUBLIC_LINK_KEYS = {"b": "n" * 40}
    assert not is_honoured(token)
    settings.PUBLIC_LINK_KEYS = {}
    assert not is_honoured(new)


@pytest.mark.parametrize("field", ["profile_id", "service_id", "delivery_id"])
@pytest.mark.parametrize("number", [-1, 2**48])
def test_number_that_no_address_can_hold_is_refused(field, number) -> None:
    with pytest.raises(ValueError, match=str(number)):
        mail_tokens.make(replace(LINK, **{field: number}), MailPurpose.MAILTO)


@pytest.mark.parametrize(
    "sabotage",
    [
        lambda ring, purpose, payload: b"\0" * 10,
        lambda ring, purpose, payload: payload[:10],
    ],
    ids=["no-key", "no-seal"],
)
def test_proof_notices_an_address_that_is_not_sealed(monkeypatch, sabotage) -> None:
    monkeypatch.setattr(mail_tokens, "_mac", sabotage)
    with pytest.raises(AssertionError):
        test_mail_purposes_are_not_interchangeable(MailPurpose.VERP, MailPurpose.MAILTO)


def test_link_and_address_say_the_same_of_a_message() -> None:
    link = Link(7, ANY_CHANNEL, WEB_LINK.made_at, 8, 9)
    address = mail_tokens.read(
        mail_tokens.make(MailLink(7, ANY_CHANNEL, 8, 9), MailPurpose.MAILTO),
        MailPurpose.MAILTO,
    )
    for name in ("profile_id", "channel", "service_id", "delivery_id"):
        assert getattr(address, name) == getattr(link, name)
