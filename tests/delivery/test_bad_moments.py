"""Sending at bad moments: stops that come late, odd clocks, databases in trouble."""

from datetime import timedelta
from threading import Thread
from time import monotonic

import pytest
import time_machine
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone
from psycopg import errors

from delivery import scheduling, sending, slots
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.gate import Gate
from delivery.models import Delivery, Message, Part
from delivery.prepared import Prepared
from delivery.states import DeliveryStatus, MessageStatus
from optout import preferences
from optout.models import OptOut
from optout.models.ledger import ConsentSource
from profiles import in_flight
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories
from tests.delivery.sending_stage import (
    SENT,
    Wire,
    leased,
    make_confirmed,
    make_sending,
    send_once,
    status_of,
)

pytestmark = pytest.mark.django_db
SOFT = Outcome(OutcomeKind.SOFT, Phase.RCPT, 451, "4.3.0", "Later")


@pytest.fixture
def anna() -> Profile:
    return factories.make_profile(email="anna@example.com")


def opt_out(profile: Profile) -> None:
    preferences.opt_out_one(
        profile.pk,
        Channel.EMAIL,
        source=ConsentSource.ONE_CLICK,
        now=timezone.now(),
    )


def make_due_again() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Message.objects.update(due_at=past)
    Part.objects.update(due_at=past)


def test_stop_between_analysis_and_gate_lets_nothing_out(anna):
    delivery = make_sending()
    opt_out(anna)
    wire = Wire()

    send_once(wire)

    assert wire.taken == []
    assert status_of(delivery, anna) == MessageStatus.EXCLUDED_AFTER


def test_stop_between_gate_and_wire_is_kept_and_holds_for_the_next_attempt(anna):
    delivery = make_sending()
    wire = Wire(SOFT, before_each=lambda message: opt_out(anna))
    send_once(wire)
    assert (len(wire.taken), OptOut.objects.count()) == (1, 1)

    make_due_again()
    send_once(wire)

    assert len(wire.taken) == 1
    assert status_of(delivery, anna) == MessageStatus.EXCLUDED_AFTER


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_strict", [True, False], ids=["strict", "not strict"])
def test_stop_during_a_silence_of_the_server_is_answered_in_time(
    anna, monkeypatch, is_strict
):
    """The server says nothing until the stop was answered: neither waits for ever."""
    monkeypatch.setattr(in_flight, "LONGEST_WAIT", "400ms")
    delivery = make_sending(is_strict=is_strict)
    told = {}

    def stop() -> None:
        with in_flight.watched() as watch:
            began = monotonic()
            opt_out(anna)
            told.update(took=monotonic() - began, is_late=watch.is_late)
        connection.close()

    def stop_meanwhile(message) -> None:
        thread = Thread(target=stop)
        thread.start()
        thread.join(10)
        told["is_kept"] = OptOut.objects.filter(profile=anna).exists()

    wire = Wire(before_each=stop_meanwhile)
    send_once(wire)

    assert (told["is_kept"], told["is_late"]) == (True, is_strict)
    assert told["took"] >= 0.4 if is_strict else told["took"] < 0.4
    assert told["took"] < 2
    assert status_of(delivery, anna) == MessageStatus.SENT


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_database_that_turns_read_only_sends_nothing(anna):
    """As when another server was made the primary, and this one a replica."""
    delivery = make_sending()
    wire = Wire()

    def turn(self: Wire) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")

    wire.ready = lambda: turn(wire)  # type: ignore[method-assign]
    with pytest.raises(DatabaseError, match="read-only transaction"):
        send_once(wire)
    connection.close()

    assert wire.taken == []
    assert status_of(delivery, anna) == MessageStatus.LEASED
    take_over = Wire()
    send_once(take_over)
    assert take_over.recipients == ["anna@example.com"]


def test_database_with_a_full_disk_sends_nothing(anna, monkeypatch):
    make_sending()
    wire = Wire()

    def no_space(*args, **options):
        raise OperationalError("could not extend file") from errors.DiskFull()

    with monkeypatch.context() as patch:
        patch.setattr(Gate, "_decide", no_space)
        with pytest.raises(OperationalError, match="could not extend file"):
            send_once(wire)

    assert wire.taken == []
    assert Message.objects.get().attempt_count == 0


def test_what_was_sent_while_the_database_went_away_is_not_sent_again(
    anna, monkeypatch
):
    """The outcome is kept in memory, and recorded once the database is back."""
    delivery = make_sending()
    wire, failures = Wire(), iter([OperationalError("gone")])
    settle = Gate.settle

    def settle_later(self, settlement, *, now):
        for failure in failures:
            raise failure
        settle(self, settlement, now=now)

    monkeypatch.setattr(Gate, "settle", settle_later)
    sender = send_until_quiet(wire, monkeypatch)

    assert wire.recipients == ["anna@example.com"]
    assert status_of(delivery, anna) == MessageStatus.SENT
    assert sender.tally.sent == 1


def send_until_quiet(wire: Wire, monkeypatch):
    """Run a sender that outlives trouble until it has nothing to do."""
    monkeypatch.setattr(sending, "AFTER_TROUBLE", 0)
    monkeypatch.setattr(sending.connection, "close", lambda: None)
    sender = sending.Sender(lambda channel: wire)
    while sender._survive(is_once=False):
        pass
    sender._end()
    return sender


def test_clock_that_jumps_back_an_hour_sends_nobody_a_second_message(anna):
    factories.make_profile(email="bo@example.com")
    delivery = make_sending()
    clock = time_machine.travel(timezone.now() - timedelta(hours=1))
    wire = Wire(before_each=lambda message: wire.taken or clock.start())

    send_once(wire)
    send_once(wire)
    clock.stop()
    make_due_again()
    send_once(wire)

    assert sorted(wire.recipients) == ["anna@example.com", "bo@example.com"]
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FINISHED


@pytest.mark.parametrize(
    ("ends_at", "may_start"), [(0, False), (1, True)], ids=["this second", "the next"]
)
def test_subscription_that_ends_at_the_second_of_the_gate_is_over(ends_at, may_start):
    service = factories.make_service()
    anna = factories.make_profile(email="anna@example.com")
    subscription = factories.make_subscription(profile=anna, service=service)
    delivery = make_sending(service=service)
    gate, _part, messages = leased(delivery)
    now = timezone.now().replace(microsecond=0) + timedelta(seconds=30)
    subscription.expires_at = now + timedelta(seconds=ends_at)
    subscription.save()

    passage = pass_at(gate, messages[anna.pk], now)

    assert passage is not None and passage.may_start is may_start


def pass_at(gate: Gate, message, now):
    """Ask the gate at a moment; PostgreSQL has its own clock, which cannot be set."""
    if connection.vendor == "postgresql":
        moment = f"timestamptz '{now.isoformat()}'"
        statement = gate._statement.replace("statement_timestamp()", moment)
        gate._prepared = Prepared(statement)
    return gate.let_pass([message], now=now).get(message.profile_id)


def test_two_senders_never_have_the_same_slot():
    one, other = slots.take(), slots.take()

    assert one.pk != other.pk


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_slot_of_a_living_sender_is_not_taken_by_another(anna):
    delivery = make_sending()
    _gate, part, _messages = leased(delivery)
    wire = Wire()

    thread = Thread(target=lambda: (send_once(wire), connection.close()))
    thread.start()
    thread.join()

    assert wire.taken == []
    assert Part.objects.get().slot_id == part.slot_id


@pytest.mark.postgres
def test_worker_whose_clock_is_ahead_begins_nothing_too_early(anna):
    """All workers go by the clock of the database."""
    make_confirmed(contact_at=timezone.now() + timedelta(hours=1))
    wire = Wire()

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        send_once(wire)

    assert wire.taken == []
    assert Delivery.objects.get().status == DeliveryStatus.CONFIRMED


@pytest.mark.postgres
def test_worker_whose_clock_is_behind_sends_what_is_due(anna):
    delivery = make_confirmed()
    wire = Wire(SENT)

    with time_machine.travel(timezone.now() - timedelta(days=2)):
        send_once(wire)

    assert status_of(delivery, anna) == MessageStatus.SENT
    assert scheduling.is_over(delivery, now=timezone.now()) is None
