"""Whose message a report is about: said by an authentic token, and by nothing else."""

import random
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from delivery.channels import mail
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.inbound import identity
from delivery.inbound.identity import Found
from delivery.models import Attempt, Message
from delivery.states import MessageStatus
from optout import mail_tokens, tokens
from optout.mail_tokens import MailLink, MailPurpose
from optout.tokens import Purpose
from profiles.addresses import parse
from profiles.channels import Channel
from tests import factories
from tests.delivery.sending_stage import Wire, make_sending, send_once

LINK = MailLink(7, Channel.EMAIL, 3, 9)
VERP = mail.verp_sender(LINK, "example.com")
MAILTO = f"u+{mail_tokens.make(LINK, MailPurpose.MAILTO)}@example.com"
NOW = timezone.now()


@pytest.mark.parametrize(
    "text",
    [
        VERP,
        VERP.upper(),
        f"<{VERP}>",
        f'"Bounce" <{VERP}>, other@example.com',
        f"from mx by us for <{VERP}>; Mon",
        f"rfc822;{VERP}",
        f"b-{'a' * 48}@example.com, {VERP}",
    ],
    ids=[
        "bare",
        "upper",
        "brackets",
        "list",
        "received",
        "typed",
        "after-a-forged-one",
    ],
)
def test_token_is_found_however_it_is_written(text):
    assert identity.find([text], MailPurpose.VERP) == Found(LINK)


@pytest.mark.parametrize(
    "text",
    [
        VERP.replace(VERP[10], "a" if VERP[10] != "a" else "b", 1),
        VERP[:-13] + "@example.com",
        VERP.replace("@", "a@"),
        f"b-{'a' * 48}@example.com",
        MAILTO.replace("u+", "b-"),
    ],
    ids=["altered", "cut", "stretched", "made-up", "of-another-purpose"],
)
def test_token_that_we_did_not_make_is_a_forgery(text):
    assert identity.find([text], MailPurpose.VERP) == Found(is_forged=True)


@pytest.mark.parametrize(
    "text",
    ["", "bounces@example.com", "b-1@example.com", MAILTO, "b-" + "é" * 48 + "@x"],
)
def test_text_without_a_token_is_of_a_stranger(text):
    assert identity.find([text], MailPurpose.VERP) == Found()


def test_every_flipped_character_of_a_token_is_a_forgery():
    token = mail_tokens.make(LINK, MailPurpose.VERP)
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    for place, letter in enumerate(token):
        other = letters[(letters.index(letter) + 1) % 32]
        forged = f"b-{token[:place]}{other}{token[place + 1 :]}@example.com"
        assert identity.find([forged], MailPurpose.VERP) == Found(is_forged=True)


def test_ten_thousand_random_tokens_name_nobody():
    lots = random.Random(1)
    for _turn in range(10_000):
        token = "".join(lots.choices("abcdefghijklmnopqrstuvwxyz234567", k=48))
        found = identity.find([f"b-{token}@example.com"], MailPurpose.VERP)
        assert found == Found(is_forged=True)


def test_one_click_link_in_a_quoted_header_is_read():
    link = identity.public_link(LINK, now=NOW)
    token = tokens.make(link, Purpose.ONE_CLICK)
    header = f"<http://localhost:8000/u/{token}>, <{MAILTO}>"

    assert identity.find_link([header], now=NOW) == Found(LINK)
    forged = header.replace(token[10:14], "AAAA", 1)
    assert identity.find_link([forged], now=NOW) == Found(is_forged=True)
    assert identity.find_link(["<https://x.example/y>"], now=NOW) == Found()


@pytest.mark.parametrize(
    "text", [VERP, VERP.partition("@")[0], VERP[2:].partition("@")[0], f" {VERP} "]
)
def test_token_is_read_as_a_provider_hands_it_back(text):
    assert identity.bare(text) == Found(LINK)


@pytest.mark.parametrize(
    ("text", "found"),
    [("", Found()), ("spring-2026", Found()), ("b-" + "a" * 48, Found(is_forged=True))],
    ids=["nothing", "of-others", "forged"],
)
def test_what_a_provider_hands_back_may_be_none_of_ours(text, found):
    assert identity.bare(text) == found


@pytest.fixture
def sent(db):
    profile = factories.make_profile(email="Anna@example.com")
    delivery = make_sending()
    wire = Wire()
    send_once(wire)
    return profile, delivery, wire


def link_of(sent) -> MailLink:
    profile, delivery, _wire = sent
    return MailLink(profile.pk, Channel.EMAIL, 0, delivery.pk)


def test_envelope_sender_on_the_wire_names_its_message(sent):
    profile, delivery, wire = sent
    found = identity.find([wire.taken[0].sender], MailPurpose.VERP)
    assert found.link is not None

    reported = identity.reported(found.link)

    assert reported is not None
    assert (reported.delivery, reported.profile_id) == (delivery, profile.pk)
    assert reported.address.digest == parse(Channel.EMAIL, "anna@example.com").digest
    assert reported.domain == "example.com"
    assert reported.sent_at == Attempt.objects.get().started_at


def test_address_is_the_one_that_was_written_to(sent):
    profile = sent[0]
    profile.addresses.all().delete()
    factories.make_address(profile=profile, value="new@example.org")

    reported = identity.reported(link_of(sent))

    assert reported is not None
    assert reported.address.digest == parse(Channel.EMAIL, "anna@example.com").digest


def test_address_that_was_erased_from_the_log_is_still_known_by_its_digest(sent):
    digest = Message.objects.get().digest
    Message.objects.update(address="")

    reported = identity.reported(link_of(sent))

    assert reported is not None
    assert UUID(str(reported.address.digest)) == digest
    assert reported.address.value == ""


@pytest.mark.parametrize(
    "change",
    [{"profile_id": 10**9}, {"delivery_id": 10**9}, {"delivery_id": 0}],
    ids=["profile", "delivery", "of-a-proof"],
)
def test_authentic_token_of_no_message_names_none(sent, change):
    profile, delivery, _wire = sent
    known = {"profile_id": profile.pk, "channel": 0, "delivery_id": delivery.pk}

    assert identity.reported(MailLink(**(known | change))) is None


def test_message_that_was_never_sent_has_no_reports(sent):
    Attempt.objects.update(outcome=OutcomeKind.HARD)
    Message.objects.update(status=MessageStatus.FAILED)

    assert identity.reported(link_of(sent)) is None


def test_message_whose_server_is_still_being_asked_may_have_reports(sent):
    Attempt.objects.all().delete()
    Message.objects.update(status=MessageStatus.SENDING)

    reported = identity.reported(link_of(sent))

    assert reported is not None and reported.sent_at is None
    assert reported.is_fresh(NOW)


def test_reports_have_an_effect_for_fourteen_days(sent):
    reported = identity.reported(link_of(sent))
    assert reported is not None and reported.sent_at is not None

    assert reported.is_fresh(reported.sent_at + timedelta(days=14))
    assert not reported.is_fresh(reported.sent_at + timedelta(days=14, seconds=1))


def test_message_is_known_by_the_id_we_gave_it(sent):
    content = sent[2].taken[0].content.decode()
    [line] = [each for each in content.splitlines() if each.startswith("Message-ID")]
    name = line.partition(": ")[2]

    assert identity.link_of_message([name]) == link_of(sent)
    assert identity.link_of_message(["<x@y>", name.strip("<>").upper()]) == link_of(
        sent
    )
    assert identity.link_of_message([name.replace("@", "a@")]) is None
    place = name.index("@") - 5
    other = "a" if name[place] != "a" else "b"
    forged = f"{name[:place]}{other}{name[place + 1 :]}"
    assert identity.link_of_message([forged]) is None


def test_message_that_a_server_may_have_taken_has_reports(db):
    factories.make_profile()
    delivery = make_sending()
    lost = Outcome(OutcomeKind.AMBIGUOUS, Phase.CONTENT)
    send_once(Wire(lost))
    profile_id = Message.objects.get().profile_id

    assert identity.reported(MailLink(profile_id, 0, 0, delivery.pk)) is not None
