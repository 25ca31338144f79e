"""Deliveries on their way: how far each is, whatever else is being sent."""

from datetime import UTC, datetime, timedelta

import pytest

from delivery import on_their_way, start_deliveries
from delivery.models import Attempt, Delivery, Message
from delivery.states import DeliveryStatus, MessageStatus
from profiles.channels import Channel
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def people():
    for number in range(10):
        factories.make_profile(
            external_id=f"P-{number}", email=f"p{number}@example.com"
        )


def begun(label: str, *, channel: Channel = Channel.EMAIL) -> Delivery:
    delivery = factories.make_analysed_delivery(label=label, channel=channel)
    Delivery.objects.filter(pk=delivery.pk).update(
        status=DeliveryStatus.SENDING, started_at=NOW
    )
    delivery.refresh_from_db()
    return delivery


def set_statuses(delivery: Delivery, *statuses: MessageStatus) -> None:
    rows = Message.objects.filter(analysis_id=delivery.current_analysis_id)
    ids = sorted(rows.values_list("profile_id", flat=True))
    for profile_id, status in zip(ids, statuses, strict=False):
        rows.filter(profile_id=profile_id).update(status=status)


def attempt(delivery: Delivery, *, seconds_ago: float) -> None:
    Attempt.objects.create(
        analysis_id=delivery.current_analysis_id,
        profile_id=1,
        number=1,
        slot_id=1,
        started_at=NOW,
        ended_at=NOW - timedelta(seconds=seconds_ago),
        outcome=0,
        phase=0,
    )


def journey(delivery: Delivery) -> on_their_way.Journey:
    (only,) = on_their_way.of([delivery], now=NOW)
    return only


def test_each_delivery_is_counted_by_itself(django_assert_num_queries):
    spring, autumn = begun("Spring"), begun("Autumn")
    sent, failed = MessageStatus.SENT, MessageStatus.FAILED
    set_statuses(spring, sent, sent, sent, failed, MessageStatus.EXCLUDED_AFTER)
    set_statuses(autumn, sent, MessageStatus.EXCLUDED)

    with django_assert_num_queries(2):
        first, second = on_their_way.of([spring, autumn], now=NOW)

    assert (first.to_send, first.sent, first.failed, first.excluded) == (10, 3, 1, 1)
    assert (first.done, first.percent) == (5, 50)
    # Who was excluded by the analysis was never to be sent.
    assert (second.to_send, second.sent, second.percent) == (9, 1, 11)


def test_row_that_waits_for_its_file_is_as_far_as_it_gets():
    delivery = begun("Calls")
    Delivery.objects.filter(pk=delivery.pk).update(channel=Channel.PHONE)
    delivery.refresh_from_db()
    set_statuses(delivery, MessageStatus.SENDING, MessageStatus.SENDING)

    assert (journey(delivery).sent, journey(delivery).percent) == (2, 20)


def test_rate_is_that_of_the_last_minute():
    delivery = begun("Spring")
    for seconds in (0, 1, 2, 4, 70):
        attempt(delivery, seconds_ago=seconds)
    assert journey(delivery).rate == 1
    for _more in range(16):
        attempt(delivery, seconds_ago=3)
    assert journey(delivery).rate == 5


def test_paused_delivery_has_no_rate_and_says_so():
    delivery = begun("Spring")
    attempt(delivery, seconds_ago=1)
    Delivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.PAUSED)
    delivery.refresh_from_db()

    paused = journey(delivery)

    assert (paused.rate, paused.is_paused, paused.tone) == (0, True, "warn")


def test_only_what_has_begun_is_on_its_way():
    begun("Spring")
    factories.make_delivery(label="Draft")
    factories.make_delivery(label="Over", status="finished", started_at=NOW)
    factories.make_delivery(label="Paused", status="paused", started_at=NOW)

    labels = [each.label for each in start_deliveries.begun(NOW)]

    assert labels == ["Paused", "Spring"]
    found = start_deliveries.find(NOW).on_their_way
    assert [each.label for each in found] == labels


def test_nothing_on_its_way_costs_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert on_their_way.of([], now=NOW) == []
