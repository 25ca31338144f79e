"""Mail to unsubscribe, replies of people, and replies of machines."""

from email.message import EmailMessage

import pytest
from django.core import mail as outgoing

from delivery.models import InboundState
from optout import mail_tokens
from optout.mail_tokens import MailLink, MailPurpose
from optout.models import ConsentEvent, OptOut, Subscription
from optout.models.ledger import ConsentSource
from profiles.channels import Channel
from profiles.models import Profile
from quarantine.models import QuarantinedAddress
from tests import factories
from tests.delivery.inbound.report_mails import take_in
from tests.delivery.sending_stage import Wire, make_sending, send_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Profile:
    return factories.make_profile(email="anna@example.com")


def mailto_of(profile: Profile, **ids: int) -> str:
    link = MailLink(profile.pk, Channel.EMAIL, **ids)
    return f"u+{mail_tokens.make(link, MailPurpose.MAILTO)}@example.com"


def mail_of(to: str, *lines: str, body: str = "") -> bytes:
    headers = ["From: Anna <anna@example.com>", f"To: {to}", *lines]
    return "\r\n".join([*headers, "", body]).encode()


def titled(to: str) -> str:
    local, _at, domain = to.partition("@")
    return f"U+{local[2:].upper()}@{domain.title()}"


HTML = "Content-Type: text/html; charset=utf-8"
CLIENTS = {
    "apple-mail": lambda to: mail_of(to, "Subject: unsubscribe"),
    "gmail": lambda to: mail_of(
        to, "Subject: unsubscribe", body="This message was automatically generated."
    ),
    "no-subject": lambda to: mail_of(to),
    "empty-subject": lambda to: mail_of(to, "Subject: "),
    "other-subject": lambda to: mail_of(to, "Subject: Re: Spring news!"),
    "swedish-subject": lambda to: mail_of(
        to, "Subject: =?utf-8?Q?Avregistrera_mig_nu_tack_=C3=A5=C3=A4=C3=B6?="
    ),
    "upper-case": lambda to: mail_of(to.upper(), "Subject: UNSUBSCRIBE"),
    "title-case": lambda to: mail_of(titled(to), "Subject: unsubscribe"),
    "brackets": lambda to: mail_of(f"<{to}>", "Subject: unsubscribe"),
    "name": lambda to: mail_of(f'"u+ Unsubscribe" <{to}>', "Subject: unsubscribe"),
    "several-recipients": lambda to: mail_of(f"info@example.com,\r\n <{to}>"),
    "folded-to": lambda to: mail_of(f"\r\n <{to}>", "Subject: unsubscribe"),
    "envelope-only": lambda to: mail_of(
        "undisclosed-recipients:;", f"Delivered-To: {to}"
    ),
    "original-to": lambda to: mail_of(
        "list@example.com", f"X-Original-To: {to}", "Subject: unsubscribe"
    ),
    "auto-submitted": lambda to: mail_of(
        to, "Auto-Submitted: auto-generated", "Subject: unsubscribe"
    ),
    "auto-replied": lambda to: mail_of(
        to, "Auto-Submitted: auto-replied", "Precedence: bulk"
    ),
    "null-sender": lambda to: mail_of(to, "Return-Path: <>", "Subject: unsubscribe"),
    "html": lambda to: mail_of(to, HTML, body="<p>Please keep me!</p>"),
    "contrary-body": lambda to: mail_of(to, body="Do not unsubscribe me, thank you."),
    "signature": lambda to: mail_of(
        to, "Subject: unsubscribe", body="\r\n--\r\nSent from my phone"
    ),
    "bare-line-feeds": lambda to: mail_of(to, "Subject: unsubscribe").replace(
        b"\r\n", b"\n"
    ),
    "from-somebody-else": lambda to: mail_of(to, "Sender: secretary@example.org"),
    "eight-bit-header": lambda to: mail_of(to, "Subject: avpr\u00e4nta"),
}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_mail_to_unsubscribe_stops_whatever_the_client_makes_of_it(anna, client):
    row = take_in(client(mailto_of(anna)))

    assert (row.state, row.meaning) == (InboundState.APPLIED, "opt_out")
    flag = OptOut.objects.get()
    assert (flag.profile_id, flag.channel) == (anna.pk, Channel.EMAIL)
    assert ConsentEvent.objects.get().source == ConsentSource.MAILTO
    assert outgoing.outbox == []


def test_mail_to_unsubscribe_from_a_service_ends_its_subscription(anna):
    service = factories.make_service()
    factories.make_subscription(profile=anna, service=service)

    take_in(mail_of(mailto_of(anna, service_id=service.pk)))

    assert Subscription.objects.get().unsubscribed_at is not None
    assert OptOut.objects.count() == 0


def test_mail_to_unsubscribe_again_changes_nothing(anna):
    take_in(mail_of(mailto_of(anna), "Message-ID: <1@x>"))

    row = take_in(mail_of(mailto_of(anna), "Message-ID: <2@x>"))

    assert row.state == InboundState.RECORDED
    assert ConsentEvent.objects.count() == 1


def test_forged_token_of_an_unsubscribe_address_stops_nobody(anna):
    to = mailto_of(anna)
    other = "a" if to[20] != "a" else "b"

    row = take_in(mail_of(f"{to[:20]}{other}{to[21:]}", "Subject: unsubscribe"))

    assert (row.state, row.meaning) == (InboundState.FORGED, "opt_out")
    assert OptOut.objects.count() == 0


def test_token_of_the_envelope_sender_is_none_to_unsubscribe_with(anna):
    link = MailLink(anna.pk, Channel.EMAIL)
    to = f"u+{mail_tokens.make(link, MailPurpose.VERP)}@example.com"

    assert take_in(mail_of(to)).state == InboundState.FORGED
    assert OptOut.objects.count() == 0


@pytest.fixture
def message_id(anna) -> str:
    make_sending()
    wire = Wire()
    send_once(wire)
    lines = wire.taken[0].content.decode().splitlines()
    [line] = [each for each in lines if each.startswith("Message-ID")]
    return line.partition(": ")[2]


def test_reply_that_plainly_says_stop_stops(anna, message_id):
    row = take_in(
        mail_of("campaign@example.com", f"In-Reply-To: {message_id}", body="STOP\r\n")
    )

    assert (row.state, row.meaning) == (InboundState.APPLIED, "stop")
    assert OptOut.objects.get().profile_id == anna.pk
    assert outgoing.outbox == []


def test_reply_that_says_stop_of_nobody_known_goes_to_a_person(anna):
    row = take_in(mail_of("campaign@example.com", body="STOP\r\n"))

    assert (row.state, row.meaning) == (InboundState.TRIAGE, "stop")
    assert OptOut.objects.count() == 0


def test_reply_to_a_message_id_that_is_forged_stops_nobody(anna, message_id):
    forged = message_id.replace(f".{anna.pk}.", f".{anna.pk + 1}.")

    row = take_in(
        mail_of("campaign@example.com", f"In-Reply-To: {forged}", body="STOP\r\n")
    )

    assert row.state == InboundState.TRIAGE
    assert OptOut.objects.count() == 0


def test_reply_that_says_something_else_is_recorded(message_id):
    row = take_in(
        mail_of(
            "campaign@example.com",
            f"In-Reply-To: {message_id}",
            body="Thank you, what a lovely letter.\r\n",
        )
    )

    assert (row.state, row.meaning) == (InboundState.RECORDED, "reply")


def auto_reply(to: str, *, subject: str, body: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "anna@example.com", to, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message.as_bytes()


def test_automatic_reply_counts_for_nothing_and_is_never_answered(anna, message_id):
    mail = auto_reply(
        "campaign@example.com",
        subject="Out of office",
        body="550 5.1.1 I am away. > Reply STOP to unsubscribe.",
        Auto_Submitted="auto-replied",
        In_Reply_To=message_id,
    )

    row = take_in(mail)

    assert (row.state, row.meaning) == (InboundState.RECORDED, "auto_reply")
    assert OptOut.objects.count() == QuarantinedAddress.objects.count() == 0
    assert outgoing.outbox == []
