"""The example data, with what a few days of work make of it.

Every step is what a person, a mail server or the worker would do, on its own day of
a clock that stands still for the pictures.
"""

import json
from datetime import datetime, timedelta
from typing import Final

import time_machine
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from delivery import (
    analysis,
    audiences,
    confirming,
    editing,
    example,
    operators,
    proofs,
)
from delivery.inbound import processing, storing, text_messages, texts
from delivery.models import Delivery, DeliveryContent, InboundKind
from delivery.sending import Sender
from delivery.transports import open_transport
from optout import asking, bursts, signing_up, stopping, uploads
from optout.models import Brand, Service
from optout.models.ledger import ConsentSource
from optout.models.uploads import UploadKind
from optout.tokens import Link
from profiles.addresses import parse
from profiles.channels import Channel
from profiles.models import Address, Profile
from tools.screenshots.returned import Kept, kept_in
from tools.screenshots.stage import NOW

SENT_ON: Final = NOW - timedelta(days=3)
OPERATOR: Final = "alex"
GONE: Final = ("5.1.1", "550 5.1.1 No such user here")
FULL: Final = ("5.2.2", "552 5.2.2 Mailbox is full")
HTML: Final = (
    "<h1>The first seeds</h1><p>Hello {{ profile.first_name }}, sow tomatoes now and"
    " they are ready to move out in May.</p><p><a href='https://example.com/seeds'>"
    "Look at the seeds</a></p><p><a href='{{ unsubscribe_url }}'>Unsubscribe</a></p>"
)
TEXT: Final = "Hello {{ profile.first_name }}, sow tomatoes now. {{ unsubscribe_url }}"
PEOPLE_FILE: Final = (
    "external_id;email;no_email;birth_date\n"
    "NEW-1;nora@example.com;;1980-04-02\n"
    "NEW-2;otto@example.org;yes;\n"
    "NEW-3;pia@example.net;perhaps;\n"
    ";;;\n"
    "NEW-5;rune@example.com;;31/31/1990\n"
)


def make() -> str:
    """Fill the empty database; gives the password of the operator."""
    call_command("migrate", verbosity=0)
    with time_machine.travel(SENT_ON - timedelta(days=1)):
        account = operators.create(OPERATOR, is_administrator=True)
        Group.objects.create(name="garden team")
        example.load(now=SENT_ON - timedelta(days=1))
    with time_machine.travel(SENT_ON):
        sent = send_a_delivery()
    take_back(kept_in(settings.MAIL_DIR / Channel.EMAIL.code))
    with time_machine.travel(NOW - timedelta(hours=20)):
        opt_out_in_a_burst(sent)
        ask_without_a_link()
        upload_a_file()
        write_texts()
    with time_machine.travel(NOW - timedelta(hours=2)):
        prepare_the_next_one()
    return account.password


def written(delivery: Delivery, subject: str, **schedule: object) -> Delivery:
    """Give a delivery its content, and analyse it."""
    content = DeliveryContent(
        subject=subject, html=HTML, text=TEXT, brand=Brand.objects.default()
    )
    editing.save(delivery, content, schedule=schedule)
    now = datetime.now(NOW.tzinfo)
    analysis.prepare(Delivery.objects.get(pk=delivery.pk), by=OPERATOR, now=now)
    return Delivery.objects.get(pk=delivery.pk)


def send_a_delivery() -> Delivery:
    everybody = audiences.everybody()
    fresh = example.make("First seeds", Channel.EMAIL, everybody, now=SENT_ON)
    delivery = written(fresh, "The first seeds are here", contact_at=SENT_ON)
    confirming.confirm(delivery, by=OPERATOR, now=SENT_ON)
    Sender(open_transport).run(is_once=True)
    delivery.refresh_from_db()
    return delivery


def take_back(kept: list[Kept]) -> None:
    """Let some mailboxes be gone, a whole domain fail, and people answer."""
    of = {
        domain: [each for each in kept if each.domain == domain]
        for domain in ("example.com", "example.org", "example.net")
    }
    at = SENT_ON + timedelta(minutes=5)
    for each in of["example.com"][40:52]:
        come_in(each.bounce(*GONE), at)
    for each in of["example.com"][60:65]:
        come_in(each.bounce(*FULL), at)
    for number, each in enumerate(of["example.net"][:30]):
        come_in(each.bounce(*GONE), at + timedelta(minutes=number))
    for each in of["example.org"][:2]:
        come_in(each.complaint(), at + timedelta(hours=3))
    come_in(
        of["example.org"][7].reply("Please, no more of these. We have moved."),
        NOW - timedelta(hours=18),
    )


def come_in(raw: bytes, at: datetime) -> None:
    """Store one mail, and read it."""
    with time_machine.travel(at):
        row = storing.store(InboundKind.MAIL, raw, source="maildir", now=at)
        assert row is not None
        processing.read_one(row.pk, now=at)


def opt_out_in_a_burst(sent: Delivery) -> None:
    """Let a mail scanner press the button of many messages within seconds."""
    now = datetime.now(NOW.tzinfo)
    people = Profile.objects.filter(opt_outs=None, external_id__gt="EX-01000")
    for number, profile in enumerate(people.order_by("external_id")[:24]):
        link = Link(profile.pk, Channel.EMAIL, sent.started_at or now, 0, sent.pk)
        at = now + timedelta(milliseconds=250 * number)
        stopping.stop(link, source=ConsentSource.ONE_CLICK, language="en", now=at)
    bursts.detect(now + timedelta(minutes=1))


def ask_without_a_link() -> None:
    """Let somebody type a telephone number, and somebody an address to sign up."""
    now = datetime.now(NOW.tzinfo)
    number = a_number("GB")
    asking.ask(number, network="192.0.2.1", channels=[Channel.SMS], now=now)
    news = Service.objects.get(name="news")
    signing_up.ask(signing_up.Request("new@example.org", [news], "en"), now=now)


def upload_a_file() -> None:
    """Upload a file with mistakes, and let the worker do all that waits for it."""
    uploads.accept(
        SimpleUploadedFile("new-people.csv", PEOPLE_FILE.encode()),
        kind=UploadKind.PROFILES,
        is_dry_run=False,
        by=User.objects.get(username=OPERATOR),
        now=datetime.now(NOW.tzinfo),
    )
    call_command("work", once=True)


def write_texts() -> None:
    """Let one person stop by text message, and one write what no rule understands."""
    now = datetime.now(NOW.tzinfo)
    for country, said in (("US", "STOP"), ("SE", "Who gave you my number?")):
        sender = a_number(country)
        text = {"id": f"t-{said}", "from": sender, "text": said}
        raw = json.dumps(text).encode()
        texts.receive(text_messages.read(raw), raw=raw, now=now)


def a_number(country: str) -> str:
    """Give the mobile number of somebody in a country, as gateways write it."""
    numbers = Address.objects.filter(channel=Channel.SMS, profile__country=country)
    typed = numbers.latest("profile__external_id").value
    return parse(Channel.SMS, typed, country=country).canonical


def prepare_the_next_one() -> None:
    """Write and analyse the next delivery, and look at it in proofs."""
    now = datetime.now(NOW.tzinfo)
    spring = written(
        Delivery.objects.earliest("pk"), "Spring is coming", contact_at=None
    )
    colleagues = ["colleague@example.com", "printer@example.org"]
    proofs.send_proofs(spring, colleagues, by=OPERATOR, now=now)
