"""Who presses stop after a scanner did is not brought back with the scanner's burst."""

from datetime import UTC, datetime, timedelta

import pytest

from optout import bursts, reversing, stopping
from optout.models import (
    Burst,
    ConsentEvent,
    OptOut,
    RepeatedStop,
    Service,
    Subscription,
)
from optout.models.ledger import ConsentSource
from optout.reversing import Decision
from optout.tokens import Link
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FRAUD = Decision(by="ola", reason="not_theirs", note="A scanner of example.org.")
pytestmark = pytest.mark.django_db


def stop(profile: Profile, *, at: datetime = NOW, source="one_click", **fields) -> None:
    about = {"delivery_id": 7} | fields
    link = Link(profile.pk, Channel.EMAIL, NOW - timedelta(hours=1), **about)
    stopping.stop(link, source=ConsentSource(source), language="en", now=at)


def reverse_the_burst() -> int:
    bursts.detect(NOW + timedelta(hours=1))
    return reversing.reverse(Burst.objects.get(), FRAUD, now=NOW + timedelta(hours=2))


@pytest.fixture
def people() -> list[Profile]:
    return [factories.make_profile() for _ in range(25)]


@pytest.mark.parametrize("source", ["one_click", "landing_page"])
def test_who_pressed_again_stays_out(people, source):
    for profile in people:
        stop(profile)
    stop(people[3], at=NOW + timedelta(minutes=5), source=source)

    assert reverse_the_burst() == 24
    assert list(OptOut.objects.values_list("profile_id", flat=True)) == [people[3].pk]


def test_who_left_a_service_again_stays_out(people):
    news = factories.make_service()
    for profile in people:
        factories.make_subscription(profile=profile, service=news)
        stop(profile, service_id=news.pk)
    stop(people[3], at=NOW + timedelta(minutes=5), service_id=news.pk)

    assert reverse_the_burst() == 24
    left = Subscription.objects.filter(unsubscribed_at__isnull=False)
    assert [row.profile_id for row in left] == [people[3].pk]


def test_repeat_is_noted_once_and_is_no_change(people):
    for minutes in range(4):
        stop(people[0], at=NOW + timedelta(minutes=minutes))

    assert ConsentEvent.objects.count() == 1
    assert RepeatedStop.objects.get().at == NOW + timedelta(minutes=1)


def test_repeat_by_a_link_whose_service_is_gone_is_noted_for_the_channel(people):
    stop(people[0], service_id=99)
    stop(people[0], service_id=99)

    assert RepeatedStop.objects.get().event_id == ConsentEvent.objects.get().pk


def test_repeat_of_another_stop_says_nothing_of_this_one(people):
    news = factories.make_service()
    stop(people[0], service_id=news.pk)
    stop(people[0])
    stop(people[0], service_id=news.pk)

    of_the_service = ConsentEvent.objects.get(service_id=news.pk)
    assert RepeatedStop.objects.get().event_id == of_the_service.pk
    assert Service.objects.exists()


def test_stop_that_no_delivery_led_to_needs_no_note(people):
    stop(people[0], delivery_id=0)
    stop(people[0], delivery_id=0)

    assert not RepeatedStop.objects.exists()


def test_reversal_that_forgets_repeats_would_be_caught(people, monkeypatch):
    monkeypatch.setattr(stopping.repeated_stops, "note", lambda link, *, now: None)

    with pytest.raises(AssertionError):
        test_who_pressed_again_stays_out(people, "one_click")
