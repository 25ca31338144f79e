"""Stopping by a link in few statements: the same as the long way, or nothing."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from optout import flagging, ledger, preferences, recipients
from optout.models import ConsentEvent, OptOut
from optout.models.ledger import ConsentSource, Direction
from optout.recipients import Recipient
from optout.tokens import Link, Purpose
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, Profile
from tests import factories
from tests.optout.public_links import FORM, PAIR, address

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
ABOUT = {
    "source": ConsentSource.ONE_CLICK,
    "delivery_id": 12,
    "language": "sv",
    "now": NOW,
}


@pytest.fixture
def profile() -> Profile:
    return factories.make_profile(email="jane@example.org", sms="+46701234567")


def written(profile: Profile) -> tuple[dict[str, object], dict[str, object]]:
    [event] = ConsentEvent.objects.filter(profile_id=profile.pk).values()
    [flag] = OptOut.objects.filter(profile=profile).values()
    same = {"id", "profile_id", "address_digest"}
    return (
        {name: value for name, value in event.items() if name not in same},
        {name: value for name, value in flag.items() if name not in same},
    )


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.FAX, ANY_CHANNEL])
def test_short_way_writes_what_the_long_way_writes(profile, channel) -> None:
    other = factories.make_profile(email="john@example.org")
    event_id = preferences.opt_out_one(profile.pk, channel, **ABOUT)
    preferences.opt_out(other, channel, by="", **ABOUT)
    assert ConsentEvent.objects.get(pk=event_id).profile_id == profile.pk
    assert written(profile) == written(other)


def test_ledger_row_has_the_digest_of_the_preferred_address(profile) -> None:
    factories.make_address(profile=profile, value="old@example.org", is_preferred=False)
    event_id = preferences.opt_out_one(profile.pk, Channel.EMAIL, **ABOUT)
    preferred = Address.objects.get(value="jane@example.org")
    assert ConsentEvent.objects.get(pk=event_id).address_digest == preferred.digest


def test_stopping_again_and_for_nobody_writes_nothing(profile) -> None:
    assert preferences.opt_out_one(profile.pk, Channel.EMAIL, **ABOUT)
    assert preferences.opt_out_one(profile.pk, Channel.EMAIL, **ABOUT) is None
    assert preferences.opt_out_one(999_999, Channel.EMAIL, **ABOUT) is None
    assert OptOut.objects.count() == ConsentEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_flag_without_its_ledger_row_is_not_kept(profile) -> None:
    at = connection.ops.adapt_datetimefield_value(NOW)
    raising = flagging.raising((profile.pk, Channel.EMAIL), now=at)
    nameless = ConsentEvent(
        at=NOW, profile_id=profile.pk, direction=Direction.OUT, source=None
    )
    with pytest.raises(IntegrityError):
        ledger.record_change(*raising, event=nameless)
    assert not OptOut.objects.exists()
    assert not ConsentEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_click_takes_few_statements(profile) -> None:
    url = address(profile, Purpose.ONE_CLICK)
    with CaptureQueriesContext(connection) as queries:
        Client().generic("POST", url, PAIR, FORM)
    verbs = [query["sql"].split()[0] for query in queries]
    if connection.vendor == "postgresql":
        # The last one asks whether a message is on its way.
        assert verbs == ["SELECT", "WITH", "SELECT"]
    else:
        assert verbs == ["SELECT", "BEGIN", "INSERT", "INSERT", "COMMIT"]


@pytest.mark.parametrize("language", ["sv", ""])
@pytest.mark.parametrize(
    ("sent_to", "shown"),
    [
        ("old@example.org", "old@example.org"),
        ("jane@example.org", "jane@example.org"),
        ("gone@example.org", "jane@example.org"),
        (None, "jane@example.org"),
    ],
)
def test_page_is_about_the_address_the_message_went_to(
    sent_to, shown, language
) -> None:
    profile = factories.make_profile(email="jane@example.org", language=language)
    factories.make_address(profile=profile, value="old@example.org", is_preferred=False)
    known = Address.objects.filter(value=sent_to).first()
    unknown = UUID(int=1)
    digest = known.digest if known else unknown if sent_to else None
    link = Link(profile.pk, Channel.EMAIL, NOW, digest=digest)
    assert recipients.find(link) == Recipient(link, language, shown)


@pytest.mark.parametrize("channel", [ANY_CHANNEL, Channel.FAX])
def test_link_without_an_address_shows_none(profile, channel) -> None:
    for profile_id in (profile.pk, 999_999):
        link = Link(profile_id, channel, NOW)
        assert recipients.find(link) == Recipient(link)
