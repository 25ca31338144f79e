"""What tests of files start from: people with a postal address, and a delivery."""

import csv
import io

from django.utils import timezone

from delivery import extraction
from delivery.models import Delivery, ExtractionRow, Message
from delivery.states import MessageStatus
from optout import preferences
from optout.models.ledger import ConsentSource
from profiles.channels import Channel
from profiles.models import Address, Profile
from profiles.parsing import given_postal
from tests import factories
from tests.delivery.sending_stage import make_sending, send_once_by_settings

CITY = {"postcode": "903 20", "city": "Umeå", "country": "SE"}


def make_person(external_id: str, **fields: object) -> Profile:
    """Make somebody who can get a letter."""
    known = {"street": f"Storgatan {external_id}", **CITY} | fields
    profile = factories.make_profile(external_id=external_id, email=None, **known)
    given = given_postal({name: str(value) for name, value in known.items()})
    Address.objects.create(
        profile=profile,
        channel=Channel.DIRECT_MAIL,
        value=given.value,
        digest=given.digest,
    )
    return profile


def make_file(*, channel: Channel = Channel.DIRECT_MAIL, **fields: object) -> Delivery:
    """Make a delivery to everybody whose file is produced and not handed over."""
    delivery = make_sending(channel=channel, **({"html": ""} | fields))
    send_once_by_settings()
    delivery.refresh_from_db()
    return delivery


def handed_over(delivery: Delivery, by: str = "tests") -> bytes:
    """Hand the file of a delivery over; gives its bytes."""
    file = extraction.hand_over(delivery, by=by, now=timezone.now())
    return b"".join(extraction.content(file))


def rows_of(content: bytes) -> list[dict[str, str]]:
    text = content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def people_in(content: bytes) -> list[str]:
    """Give the external ids of a file, in its order."""
    return [row["external_id"] for row in rows_of(content)]


def sent_and_written(delivery: Delivery) -> tuple[set[int], set[int]]:
    """Give who is called sent, and who has a row: the same people, always."""
    sent = Message.objects.filter(
        analysis_id=delivery.current_analysis_id, status=MessageStatus.SENT
    )
    written = ExtractionRow.objects.filter(extraction_id=delivery.pk)
    return (
        set(sent.values_list("profile_id", flat=True)),
        set(written.values_list("profile_id", flat=True)),
    )


def make_people(count: int) -> list[Profile]:
    return [make_person(f"P{number}") for number in range(count)]


def opt_out(profile: Profile, channel: int = Channel.DIRECT_MAIL) -> None:
    preferences.opt_out(
        profile,
        channel,
        by="tests",
        source=ConsentSource.OPERATOR,
        now=timezone.now(),
    )
