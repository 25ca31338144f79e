"""The processes that send: one that died, one that stops, one that may not start."""

from threading import Event

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from delivery import dispatching, sending, slots
from delivery.models import Attempt, Message, Part, Slot
from delivery.sending import Sender
from delivery.states import MessageStatus
from profiles import locks
from profiles.channels import Channel
from tests import factories
from tests.delivery.sending_stage import (
    Wire,
    counts,
    make_people,
    make_sending,
    send_once,
    status_of,
)

pytestmark = pytest.mark.django_db


def test_part_of_a_dead_slot_is_taken_at_once_and_its_doubtful_message_repeated():
    people = make_people(2)
    delivery = make_sending()
    dead = Slot.objects.create(host="gone", pid=1, started_at=timezone.now())
    Part.objects.update(slot=dead)
    Message.objects.filter(profile_id=people[0].pk).update(
        status=MessageStatus.SENDING, attempt_count=1
    )
    Message.objects.filter(profile_id=people[1].pk).update(status=MessageStatus.LEASED)
    wire = Wire()

    send_once(wire)

    assert counts(delivery) == {MessageStatus.SENT: 2}
    first = Attempt.objects.filter(profile_id=people[0].pk).order_by("number")
    assert [each.code for each in first] == ["worker_lost", ""]


def test_doubtful_text_message_of_a_dead_slot_stays_unknown():
    person = factories.make_profile(email=None, sms="+46701740605")
    delivery = make_sending(channel=Channel.SMS, text="Hi", html="")
    dead = Slot.objects.create(host="gone", pid=1, started_at=timezone.now())
    Part.objects.update(slot=dead)
    Message.objects.update(status=MessageStatus.SENDING, attempt_count=1)
    wire = Wire()

    send_once(wire)

    assert wire.taken == []
    assert status_of(delivery, person) == MessageStatus.UNKNOWN


def test_message_in_hand_is_finished_when_asked_to_stop():
    make_people(3)
    delivery = make_sending()
    stopping = Event()
    wire = Wire(before_each=lambda message: stopping.set())
    sender = Sender(lambda channel: wire, stopping=stopping)

    sender.run(is_once=False)

    assert counts(delivery) == {MessageStatus.SENT: 1, MessageStatus.READY: 2}
    assert Part.objects.get().slot is None


def test_second_process_on_sqlite_is_refused():
    with locks.held(dispatching.lock_name()):
        if slots.connection.vendor == "postgresql":
            dispatching.check_can_send()
            return
        with pytest.raises(CommandError, match="Another process sends already"):
            call_command("send_deliveries", "--once")


def test_worker_sends_once_nothing_is_in_the_way_any_more(monkeypatch):
    """A database that starts later than the worker does not end its sending."""
    refusals = iter([dispatching.SendingRefused("not yet")])
    stopping = Event()

    def check() -> None:
        for refusal in refusals:
            raise refusal

    monkeypatch.setattr(dispatching, "check_can_send", check)
    monkeypatch.setattr(dispatching, "TRY_AGAIN_AFTER", 0)
    monkeypatch.setattr(dispatching.connection, "close", lambda: None)
    monkeypatch.setattr(Sender, "run", lambda self, *, is_once: stopping.set())

    dispatching._send_beside(stopping)

    assert stopping.is_set()


@pytest.mark.parametrize("count", [0, 65])
def test_number_of_connections_is_checked(count):
    with pytest.raises(CommandError, match="connections"):
        call_command("send_deliveries", "--once", "--connections", str(count))


def test_replica_is_refused(monkeypatch):
    monkeypatch.setattr(dispatching, "_ask", lambda sql: True)
    monkeypatch.setattr(dispatching.connection, "vendor", "postgresql", raising=False)

    with pytest.raises(dispatching.SendingRefused, match="replica"):
        dispatching.check_can_send()


def test_database_that_goes_away_is_waited_for(monkeypatch):
    from_database = iter([sending.DatabaseError("gone")])
    monkeypatch.setattr(sending, "AFTER_TROUBLE", 0)
    stopping = Event()
    sender = Sender(lambda channel: Wire(), stopping=stopping)

    def work():
        for error in from_database:
            raise error
        stopping.set()
        return False

    monkeypatch.setattr(sender, "work", work)
    monkeypatch.setattr(sending.connection, "close", lambda: None)

    sender.run(is_once=False)

    assert stopping.is_set()
