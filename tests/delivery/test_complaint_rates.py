"""Complaint rates per recipient domain, and the pauses that they bring about."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from delivery import complaint_rates
from delivery import lanes as lanes_module
from delivery.complaint_rates import LaneError
from delivery.lanes import Lanes
from delivery.models import DeliveryContent, DomainDay, HoldLevel, LaneHold, Message
from delivery.states import MessageStatus
from tests import factories
from tests.delivery.sending_stage import Wire, make_sending, send_once

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = date(2026, 11, 25)
DOMAIN = "example.com"


def complain(times: int = 1, *, day: date = DAY, now: datetime = NOW) -> None:
    for _turn in range(times):
        complaint_rates.count_complaint(DOMAIN, day, now=now)


def level() -> str:
    hold = LaneHold.objects.filter(domain=DOMAIN).first()
    return hold.level if hold else ""


def test_messages_add_up_by_domain_and_day():
    tomorrow = DAY + timedelta(days=1)
    complaint_rates.count_sent({(DOMAIN, DAY): 2, ("example.org", DAY): 1})
    complaint_rates.count_sent({(DOMAIN, DAY): 3, (DOMAIN, tomorrow): 1})
    complaint_rates.count_sent({})

    rows = DomainDay.objects.order_by("domain", "day")
    assert list(rows.values_list("domain", "day", "sent")) == [
        (DOMAIN, DAY, 5),
        (DOMAIN, tomorrow, 1),
        ("example.org", DAY, 1),
    ]
    assert complaint_rates.sent_since(DOMAIN, NOW) == 6
    assert complaint_rates.sent_since(DOMAIN, NOW + timedelta(days=1)) == 1


@pytest.mark.parametrize(
    ("sent", "complaints", "expected"),
    [
        (10_000, 9, ""),
        (10_000, 10, HoldLevel.WARNED),
        (10_000, 19, HoldLevel.WARNED),
        (10_000, 20, HoldLevel.PAUSED),
        (10_000, 29, HoldLevel.PAUSED),
        (10_000, 30, HoldLevel.STOPPED),
        (999, 50, ""),
        (1_000, 3, HoldLevel.STOPPED),
    ],
    ids=["below", "0.1", "under-0.2", "0.2", "under-0.3", "0.3", "too-few", "least"],
)
def test_share_of_complaints_decides_about_the_lane(sent, complaints, expected):
    complaint_rates.count_sent({(DOMAIN, DAY): sent})

    complain(complaints)

    assert level() == expected


def test_complaints_of_one_day_are_judged_by_the_messages_of_that_day():
    earlier = DAY - timedelta(days=3)
    complaint_rates.count_sent({(DOMAIN, earlier): 100_000, (DOMAIN, DAY): 1_000})

    complain(20, day=earlier)

    assert level() == ""


def test_pause_ends_by_itself_after_a_day_and_a_stop_does_not():
    complaint_rates.count_sent({(DOMAIN, DAY): 10_000})
    complain(20)
    later = NOW + timedelta(days=1, seconds=1)

    assert complaint_rates.held_until(now=NOW) == {DOMAIN: NOW + timedelta(days=1)}
    assert complaint_rates.held_until(now=later) == {}
    complain(10)
    much_later = NOW + timedelta(days=300)
    assert complaint_rates.held_until(now=much_later) == {
        DOMAIN: much_later + complaint_rates.LOOK_AGAIN
    }


def test_lane_never_gets_milder_by_one_more_complaint():
    complaint_rates.count_sent({(DOMAIN, DAY): 10_000})
    complain(30)
    complaint_rates.count_sent({(DOMAIN, DAY): 10_000})

    complain()

    assert level() == HoldLevel.STOPPED


def test_person_resumes_a_lane_and_what_was_known_is_forgiven():
    complaint_rates.count_sent({(DOMAIN, DAY): 10_000})
    complain(30)

    complaint_rates.lift(LaneHold.objects.get().pk, by="anna", now=NOW)

    hold = LaneHold.objects.get()
    assert (hold.level, hold.lifted_by, hold.lifted_at) == ("lifted", "anna", NOW)
    assert complaint_rates.held_until(now=NOW) == {}
    complain(5)
    assert level() == HoldLevel.LIFTED
    complaint_rates.count_sent({(DOMAIN, DAY): 1_000})
    complain()
    assert level() == HoldLevel.STOPPED


def test_lane_that_is_not_paused_cannot_be_resumed():
    complaint_rates.count_sent({(DOMAIN, DAY): 10_000})
    complain(10)

    with pytest.raises(LaneError, match="it is not paused. Reload the page."):
        complaint_rates.lift(LaneHold.objects.get().pk, by="anna", now=NOW)


def hold_back(domain: str) -> None:
    LaneHold.objects.create(
        domain=domain,
        level=HoldLevel.STOPPED,
        since=NOW,
        day=DAY,
        sent=1000,
        complaints=3,
    )


def test_held_domain_gets_no_marketing_mail_and_all_others_do():
    held = factories.make_profile(email=f"a@{DOMAIN}")
    free = factories.make_profile(email="a@example.org")
    delivery = make_sending()
    hold_back(DOMAIN)
    wire = Wire()

    send_once(wire)

    assert wire.recipients == ["a@example.org"]
    statuses = dict(
        Message.objects.filter(analysis_id=delivery.current_analysis_id).values_list(
            "profile_id", "status"
        )
    )
    assert statuses == {held.pk: MessageStatus.READY, free.pk: MessageStatus.SENT}
    due_at = Message.objects.get(profile_id=held.pk).due_at
    assert due_at is not None and due_at > timezone.now() + timedelta(minutes=4)


def test_mail_that_is_no_marketing_goes_out_to_a_held_domain():
    factories.make_profile(email=f"a@{DOMAIN}")
    make_sending()
    DeliveryContent.objects.update(is_marketing=False)
    hold_back(DOMAIN)
    wire = Wire()

    send_once(wire)

    assert wire.recipients == [f"a@{DOMAIN}"]


def test_what_is_sent_counts_for_its_domain():
    for number in range(3):
        factories.make_profile(email=f"p{number}@{DOMAIN}")
    factories.make_profile(email="p@example.org")
    make_sending()

    send_once(Wire())

    rows = DomainDay.objects.order_by("domain")
    assert list(rows.values_list("domain", "sent")) == [(DOMAIN, 3), ("example.org", 1)]


def test_run_of_complaints_stops_a_delivery_within_a_few_messages(
    settings, monkeypatch
):
    """Every fourth recipient complains at once: the lane is paused at the first look.

    The share is judged from 40 messages on, which are counted ten at a time.
    """
    settings.COMPLAINT_MINIMUM = 40
    monkeypatch.setattr(lanes_module, "_LOOK_EVERY", -1.0)
    monkeypatch.setattr("delivery.working._UNCOUNTED", 10)
    for number in range(120):
        factories.make_profile(email=f"p{number}@{DOMAIN}")
    make_sending()
    wire = Wire()

    def complain_sometimes(_message):
        if len(wire.taken) % 4 == 3:
            complain(day=timezone.now().date(), now=timezone.now())

    wire.before_each = complain_sometimes
    send_once(wire)

    assert level() == HoldLevel.STOPPED
    assert 40 <= len(wire.taken) <= 50


def test_lanes_are_looked_up_anew_every_two_seconds(monkeypatch):
    moments = [100.0]
    monkeypatch.setattr(lanes_module, "monotonic", lambda: moments[0])
    lanes = Lanes()
    assert lanes.paused_until(DOMAIN, now=NOW, is_marketing=True) is None
    hold_back(DOMAIN)

    assert lanes.paused_until(DOMAIN, now=NOW, is_marketing=True) is None
    moments[0] += 2.1
    assert lanes.paused_until(DOMAIN, now=NOW, is_marketing=True) is not None
    assert lanes.paused_until(DOMAIN, now=NOW) is None
