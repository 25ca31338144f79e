"""Deliveries by file: whoever says no before it is handed over is not in it."""

import pytest
from django.db import connection
from django.utils import timezone

from delivery import erasure, extraction, working
from delivery.models import Extraction, ExtractionRow, Message
from delivery.states import ExclusionReason, MessageStatus
from profiles.channels import ANY_CHANNEL, Channel
from quarantine.reasons import Status
from tests import factories
from tests.delivery.extraction_stage import (
    handed_over,
    make_file,
    make_people,
    opt_out,
    people_in,
    sent_and_written,
)
from tests.delivery.sending_stage import make_sending, send_once_by_settings, status_of

pytestmark = pytest.mark.django_db


def test_whoever_says_no_while_rows_are_written_is_not_in_the_file(monkeypatch):
    """Behind the gate already, in the middle of producing."""
    people = make_people(3)
    delivery = make_sending(channel=Channel.DIRECT_MAIL, html="")
    take = working.PartRun._take

    def stopped_meanwhile(self, outcome, message, passage):
        take(self, outcome, message, passage)
        if message.profile_id == people[2].pk:
            opt_out(people[0])

    monkeypatch.setattr(working.PartRun, "_take", stopped_meanwhile)
    send_once_by_settings()

    assert people_in(handed_over(delivery)) == ["P1", "P2"]
    assert status_of(delivery, people[0]) == MessageStatus.EXCLUDED_AFTER
    excluded = Message.objects.get(profile_id=people[0].pk)
    assert excluded.primary_reason == ExclusionReason.OPTED_OUT_CHANNEL
    assert not ExtractionRow.objects.filter(profile_id=people[0].pk).exists()


STOPS = {
    "opt-out": lambda person: opt_out(person),
    "opt-out of everything": lambda person: opt_out(person, ANY_CHANNEL),
    "quarantine": lambda person: factories.make_quarantined_address(
        value=person.addresses.get().value, channel=Channel.DIRECT_MAIL
    ),
    "denylist": lambda person: factories.make_quarantined_address(
        value=person.addresses.get().value,
        channel=Channel.DIRECT_MAIL,
        status=Status.DENYLISTED,
    ),
    "address gone": lambda person: person.addresses.all().delete(),
    "erasure": lambda person: erasure.erase(
        person, by="tests", reason="asked", now=timezone.now()
    ),
}


@pytest.mark.parametrize("name", STOPS)
def test_whoever_says_no_before_the_first_download_is_not_in_the_file(name):
    people = make_people(3)
    delivery = make_file()

    STOPS[name](people[1])

    assert people_in(handed_over(delivery)) == ["P0", "P2"]
    assert status_of(delivery, people[1]) == MessageStatus.EXCLUDED_AFTER
    assert Extraction.objects.get().row_count == 2
    sent, written = sent_and_written(delivery)
    assert sent == written == {people[0].pk, people[2].pk}


def test_gate_passed_over_at_assembly_would_be_seen(monkeypatch):
    """The twin of the tests above: with this mistake they fail."""
    people = make_people(2)
    delivery = make_file()
    monkeypatch.setattr(extraction, "leave_out", lambda *args: 0)

    opt_out(people[0])

    assert people_in(handed_over(delivery)) == ["P0", "P1"]


def test_opted_out_before_the_gate_has_no_row():
    people = make_people(2)
    delivery = make_sending(channel=Channel.DIRECT_MAIL, html="")
    opt_out(people[0])

    send_once_by_settings()

    assert not ExtractionRow.objects.filter(profile_id=people[0].pk).exists()
    assert people_in(handed_over(delivery)) == ["P1"]


def test_one_statement_asks_about_everybody(django_assert_num_queries):
    make_people(5)
    delivery = make_file()

    with django_assert_num_queries(1 + (connection.vendor == "postgresql")):
        extraction.leave_out(delivery, MessageStatus.SENT)


def test_all_at_once_gives_what_the_gate_gives_one_by_one():
    people = make_people(len(STOPS) + 1)
    delivery = make_sending(channel=Channel.DIRECT_MAIL, html="")
    for stop, person in zip(STOPS.values(), people, strict=False):
        stop(person)
    send_once_by_settings()
    by_gate = dict(Message.objects.values_list("profile_id", "reasons"))

    Message.objects.update(status=MessageStatus.SENT, reasons=0)
    extraction.leave_out(delivery, MessageStatus.SENT)

    assert dict(Message.objects.values_list("profile_id", "reasons")) == by_gate
    assert sorted(map(bool, by_gate.values())) == [False] + [True] * len(STOPS)


def test_subscription_that_ended_keeps_out_of_the_file():
    (person,) = make_people(1)
    service = factories.make_service(channel=Channel.DIRECT_MAIL)
    subscription = factories.make_subscription(profile=person, service=service)
    delivery = make_file(service=service)

    subscription.expires_at = timezone.now()
    subscription.save()

    assert people_in(handed_over(delivery)) == []
    assert Message.objects.get().primary_reason == ExclusionReason.NOT_SUBSCRIBED
