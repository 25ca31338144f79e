"""Whole mails, as programs read them: what every one of them must be."""

import re
from collections import Counter
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import composing, content_html
from delivery.channels import mail
from delivery.channels.mail import Assembler, Letter, MailError
from delivery.composing import CompositionError, MailComposer
from delivery.models import DeliveryContent
from delivery.parts import Leased
from optout import mail_tokens
from optout.mail_tokens import MailPurpose
from profiles.addresses import parse
from profiles.channels import Channel
from tests import factories
from tests.delivery.sending_stage import HTML

COUNT = 1_000
NAMES = [
    "Anna",
    "Åsa",
    "<b>Bo</b>",
    "{{7*7}}",
    '"><img src=x onerror=x>',
    "𝔘",
    "a" * 300,
]
LIST_HEADERS = ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"]


def make_composer(**content) -> MailComposer:
    delivery = factories.make_delivery(service=factories.make_service(name="letters"))
    brand = factories.make_brand(postal_address="Box 1\n903 01 Umeå")
    DeliveryContent.objects.create(
        delivery=delivery,
        brand=brand,
        **({"subject": "Hi {{ profile.first_name }}", "html": HTML} | content),
    )
    delivery.refresh_from_db()
    return MailComposer(delivery)


def leased(number: int, address: str = "") -> Leased:
    parsed = parse(Channel.EMAIL, address or f"p{number}@example.com")
    return Leased(number, parsed.digest, parsed.value, 0)


def fields(number: int) -> dict[str, object]:
    return {
        "first_name": NAMES[number % len(NAMES)],
        "language": ["", "sv"][number % 2],
    }


def test_thousand_mails_are_each_whole_and_unlike_the_others(db):
    composer = make_composer()
    ids = set()
    for number in range(1, COUNT + 1):
        composition = composer.compose(leased(number), fields(number))
        raw = composition.content
        message = message_from_bytes(raw, policy=policy.default)

        assert message.defects == []
        assert raw.isascii() and raw.count(b"\n") == raw.count(b"\r\n")
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        names = Counter(name for name in message if name.startswith("List-"))
        assert names == dict.fromkeys(LIST_HEADERS, 1)
        assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
        assert message.get_all("To") == [f"p{number}@example.com"]
        ids.add(message["Message-ID"])
        html = message.get_body(("html",)).get_content()
        text = message.get_body(("plain",)).get_content()
        assert len(html.encode()) <= content_html.LARGEST_HTML
        assert re.search(r'<a href="http[^"]+">Unsubscribe</a>', html)
        for part in (html, text):
            assert "http://localhost:8000/" in part
            assert "903 01 Umeå" in part
    assert len(ids) == COUNT


def test_values_add_no_markup_and_run_nothing(db):
    composer = make_composer()
    for number in range(1, len(NAMES) + 1):
        content = composer.compose(leased(number), fields(number)).content
        message = message_from_bytes(content, policy=policy.default)
        html = message.get_body(("html",)).get_content()

        assert "<b>Bo" not in html and "<img" not in html
        assert "49" not in message["Subject"]


def test_footer_speaks_the_language_of_its_recipient(db):
    composer = make_composer(html="<p>Hej</p>")

    texts = {
        language: composer.compose(leased(1), {"language": language}).content
        for language in ("sv", "de", "xx")
    }

    assert b"Avsluta prenumerationen" in texts["sv"] or b"Avanm" in texts["sv"]
    assert b"Abmelden" in texts["de"]
    assert b"Unsubscribe" in texts["xx"]


def test_message_is_the_same_at_every_attempt(db):
    composer = make_composer()
    again = MailComposer(composer.delivery)
    composer.delivery.started_at = again.delivery.started_at = factories.CREATED_AT

    first = MailComposer(composer.delivery).compose(leased(7), fields(7))

    assert MailComposer(composer.delivery).compose(leased(7), fields(7)) == first


def test_envelope_says_whom_a_bounce_is_about(db):
    composer = make_composer()

    sender = composer.compose(leased(7), fields(7)).sender

    local, _at, domain = sender.partition("@")
    assert (len(local) <= 64, domain) == (True, "example.com")
    link = mail_tokens.read(local.removeprefix("b-"), MailPurpose.VERP)
    assert (link.profile_id, link.delivery_id) == (7, composer.delivery.pk)


def test_service_mail_has_no_list_headers(db):
    composer = make_composer(is_marketing=False)

    message = message_from_bytes(composer.compose(leased(1), fields(1)).content)

    assert [name for name in message if name.startswith("List-")] == []


@pytest.mark.parametrize(
    "address",
    ["a@example.com\r\nBcc: b@example.com", "a b@example.com", "a\0@x.example"],
)
def test_address_that_would_be_a_header_fails_that_message(db, address):
    composer = make_composer()
    message = replace(leased(1), address=address)

    with pytest.raises(CompositionError):
        composer.compose(message, fields(1))


@pytest.mark.parametrize("sender", ["Shop", "Shop <a@b", "A <a@b.c>\r\nBcc: x@y.z"])
def test_sender_that_is_no_mailbox_fails_the_content(db, sender):
    with pytest.raises(CompositionError):
        composing.composer_of(make_composer(sender=sender).delivery)


LINES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=300)


@given(subject=LINES, name=LINES, text=st.text(max_size=500).map(lambda t: t + "\n"))
def test_any_text_arrives_as_it_was(subject, name, text):
    text = re.sub(r"[\ud800-\udfff]", "", text)
    name = re.sub(r'[<>"\\]', "", name).strip()
    sender = f"{name} <a@example.com>"
    assembler = Assembler(
        sender=sender, reply_to="", feedback_id="1:a:b:c", date=factories.CREATED_AT
    )

    raw = assembler.assemble(
        Letter("b@example.com", subject, text, "", "1@example.com")
    )

    message = message_from_bytes(raw, policy=policy.default)
    assert message.get_all("To") == ["b@example.com"]
    lines = re.split(r"\r\n|\r|\n", text)
    body = message.get_content()
    assert re.split(r"\r\n|\r|\n", body) == lines
    assert " ".join(message["Subject"].split()) == " ".join(subject.split())


@pytest.mark.parametrize("mark", ["\r", "\n", "\0", "\r\nBcc: x@example.com"])
def test_line_break_in_a_header_is_refused(mark):
    assembler = Assembler(
        sender="a@example.com", reply_to="", feedback_id="1", date=factories.CREATED_AT
    )

    with pytest.raises(MailError):
        assembler.assemble(
            Letter("b@example.com", f"Hi{mark}", "x", "", "1@example.com")
        )


def test_message_ids_cannot_be_guessed_and_never_change():
    first = mail.message_id(1, 2, "example.com")

    assert first == mail.message_id(1, 2, "example.com")
    assert first != mail.message_id(1, 3, "example.com")
    assert re.fullmatch(r"1\.2\.[a-z2-7]{16}@example\.com", first)
