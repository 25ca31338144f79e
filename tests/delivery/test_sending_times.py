"""When a delivery begins and ends: its date, its validity, the hour of each place."""

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery import scheduling
from delivery.models import Delivery, Message
from delivery.states import DeliveryStatus, MessageStatus
from tests import factories
from tests.delivery.sending_stage import (
    Wire,
    counts,
    make_confirmed,
    make_people,
    make_sending,
    send_once,
)

pytestmark = pytest.mark.django_db


def test_what_is_unsent_when_the_validity_ends_expires():
    make_people(2)
    delivery = make_sending()
    Delivery.objects.update(expires_at=timezone.now())
    wire = Wire()

    send_once(wire)

    delivery.refresh_from_db()
    assert counts(delivery) == {MessageStatus.EXPIRED: 2}
    assert (delivery.status, wire.taken) == (DeliveryStatus.FINISHED, [])


def test_delivery_that_comes_too_late_waits_for_a_person():
    make_people(1)
    late = timezone.now() - timedelta(days=2)
    delivery = make_confirmed(contact_at=late)
    wire = Wire()

    send_once(wire)

    delivery.refresh_from_db()
    assert (delivery.status, wire.taken) == (DeliveryStatus.ANALYSED, [])
    assert "24" in delivery.stop_note


def test_delivery_of_a_later_date_waits_for_it():
    make_people(1)
    delivery = make_confirmed(contact_at=timezone.now() + timedelta(hours=1))
    wire = Wire()

    send_once(wire)
    assert wire.taken == []
    Delivery.objects.update(contact_at=timezone.now())
    send_once(wire)

    assert counts(delivery) == {MessageStatus.SENT: 1}


def test_time_of_day_comes_to_each_where_they_live():
    contact_at = timezone.now().replace(hour=9, minute=0) + timedelta(days=2)
    zones = {"Asia/Tokyo": 0, "Europe/Stockholm": 0, "": 0}
    for zone in zones:
        factories.make_profile(external_id=zone or "none", time_zone=zone)
    delivery = make_confirmed(contact_at=contact_at, is_in_local_time=True)

    scheduling.start(delivery, now=timezone.now())

    due = {
        each.profile.time_zone: each.due_at - contact_at
        for each in Message.objects.select_related("profile")
    }
    assert due["Asia/Tokyo"] == timedelta(hours=-9)
    assert due[""] == timedelta()
    assert due["Europe/Stockholm"] in {timedelta(hours=-1), timedelta(hours=-2)}
    delivery.refresh_from_db()
    assert delivery.expires_at - contact_at == timedelta(days=4)
