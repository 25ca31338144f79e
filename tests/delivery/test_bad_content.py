"""Values and contents that would break a mail: refused or encoded, and no other."""

from email import message_from_bytes, policy

import pytest

from delivery.channels.mail import Assembler, MailError, mailbox
from delivery.models import Attempt, DeliveryContent
from delivery.states import DeliveryStatus, MessageStatus
from tests import factories
from tests.delivery.sending_stage import HTML, Wire, make_sending, send_once, status_of
from tests.delivery.test_composing import leased, make_composer

pytestmark = pytest.mark.django_db
NAMES = {
    "CR LF": "Eve\r\nBcc: victim@example.org",
    "LF": "Eve\nBcc: victim@example.org",
    "CR": "Eve\rBcc: victim@example.org",
    "NUL": "Eve\0",
    "comma": "Eve, victim@example.org",
    "quotes": 'Eve" <victim@example.org>',
    "80 kB": "Eve " * 20_000,
    "80 kB in a word": "Eve" * 27_000,
    "encoded word": "=?utf-8?b?QmNjOg==?=",
    "bidi": "Eve\u202e",
    "beyond the BMP": "\U0001d518" * 1000,
}


# Line breaks become spaces; what cannot be seen is taken out.
SUBJECTS = {
    "CR LF": "Hi Eve Bcc: victim@example.org",
    "LF": "Hi Eve Bcc: victim@example.org",
    "CR": "Hi Eve Bcc: victim@example.org",
    "NUL": "Hi Eve",
    "bidi": "Hi Eve",
}


@pytest.mark.parametrize("name", NAMES)
def test_value_in_the_subject_adds_no_header_and_breaks_no_line(name):
    composer = make_composer()

    raw = composer.compose(leased(1), {"first_name": NAMES[name]}).content

    message = message_from_bytes(raw, policy=policy.default)
    assert message["Bcc"] is None and message.get_all("To") == ["p1@example.com"]
    expected = SUBJECTS.get(name, f"Hi {NAMES[name]}")
    assert " ".join(message["Subject"].split()) == " ".join(expected.split())
    assert max(map(len, raw.split(b"\r\n"))) <= 998


MAILBOXES = {
    "CR LF": "Shop <a@example.com>\r\nBcc: victim@example.org",
    "LF in the name": "Shop\nX-Evil: 1 <a@example.com>",
    "control": "Shop\x01 <a@example.com>",
    "two": "a@example.com, b@example.com",
    "comma": "Shop <a@example.com,b@example.com>",
    "quote": 'Shop <a"b@example.com>',
    "no address": "Shop",
}


@pytest.mark.parametrize("field", ["sender", "reply_to"])
@pytest.mark.parametrize("name", MAILBOXES)
def test_mailbox_that_would_break_a_header_sends_nothing(name, field):
    factories.make_profile(email="anna@example.com")
    delivery = make_sending(html=HTML)
    DeliveryContent.objects.update(**{field: MAILBOXES[name]})
    wire = Wire()

    send_once(wire)

    delivery.refresh_from_db()
    assert (delivery.status, wire.taken) == (DeliveryStatus.FAILED, [])
    assert delivery.stop_note.endswith(".")


@pytest.mark.parametrize("text", ["Shop\0 <a@example.com>", "a\0@example.com"])
def test_mailbox_with_nul_is_none(text):
    """PostgreSQL stores none; it may come from elsewhere."""
    with pytest.raises(MailError, match="control characters"):
        mailbox(text)


@pytest.mark.parametrize(
    "text",
    [f"Shop <{'a' * 80_000}@example.com>", f"{'Shop' * 20_000} <a@example.com>"],
    ids=["address", "name"],
)
def test_mailbox_of_80_kilobytes_is_refused(text):
    """No column holds one; it may come from elsewhere."""
    with pytest.raises(MailError, match="a line of more than 998 characters"):
        Assembler(sender=text, reply_to="", feedback_id="1", date=factories.CREATED_AT)


def test_name_with_a_comma_and_quotes_is_quoted():
    composer = make_composer(sender='Shop, "the best" & co <a@example.com>')

    raw = composer.compose(leased(1), {"first_name": "Anna"}).content

    message = message_from_bytes(raw, policy=policy.default)
    (sender,) = message["From"].addresses
    assert sender.display_name == 'Shop, "the best" & co'
    assert sender.addr_spec == "a@example.com"


def test_message_that_cannot_be_made_leaves_the_others_alone():
    """Also when what is wrong with it comes from the profile's own attributes."""
    words = {"anna": "short", "eve": "long " * 200_000}
    people = {
        name: factories.make_profile(
            email=f"{name}@example.com", attributes={"word": word}
        )
        for name, word in words.items()
    }
    delivery = make_sending(html="<p>{{ profile.attributes.word }}</p>")
    wire = Wire()

    send_once(wire)

    assert wire.recipients == ["anna@example.com"]
    assert status_of(delivery, people["anna"]) == MessageStatus.SENT
    assert status_of(delivery, people["eve"]) == MessageStatus.FAILED
    (attempt,) = Attempt.objects.filter(profile_id=people["eve"].pk)
    assert attempt.code == "not_rendered"
    assert attempt.reply.endswith(".")
