"""The loop of sending, over a wire that keeps what it is given."""

from datetime import timedelta
from threading import Event

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from delivery import dispatching, lifecycle, parts, scheduling, sending, slots
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.models import Attempt, Delivery, Lane, Message, Part, Slot
from delivery.sending import Sender
from delivery.states import DeliveryStatus, MessageStatus
from delivery.working import verdict
from optout import preferences
from optout.models.ledger import ConsentSource
from profiles import locks
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories
from tests.delivery.sending_stage import (
    SENT,
    Wire,
    make_confirmed,
    make_sending,
    send_once,
    status_of,
)

pytestmark = pytest.mark.django_db
SOFT = Outcome(OutcomeKind.SOFT, Phase.RCPT, 451, "4.3.0", "Later")
HARD = Outcome(OutcomeKind.HARD, Phase.RCPT, 550, "5.1.1", "Unknown")
LOST = Outcome(OutcomeKind.AMBIGUOUS, Phase.CONTENT, code="connection_broken")
UNREACHABLE = Outcome(OutcomeKind.UNREACHABLE, Phase.CONNECT, code="refused")
BUSY = Outcome(OutcomeKind.SOFT, Phase.RCPT, 421, "4.7.0", "Slow", pauses_lane=True)


def make_people(count: int) -> list[Profile]:
    return [factories.make_profile(email=f"p{n}@example.com") for n in range(count)]


def counts(delivery: Delivery) -> dict[MessageStatus, int]:
    found: dict[MessageStatus, int] = {}
    for status in Message.objects.filter(
        analysis_id=delivery.current_analysis_id
    ).values_list("status", flat=True):
        found[MessageStatus(status)] = found.get(MessageStatus(status), 0) + 1
    return found


def make_due_again() -> None:
    """Let the time pass until what was put off is due."""
    past = timezone.now() - timedelta(seconds=1)
    Message.objects.filter(due_at__isnull=False).update(due_at=past)
    Part.objects.update(due_at=past)
    Lane.objects.all().delete()


def test_confirmed_delivery_is_sent_and_finished():
    people = make_people(3)
    delivery = make_confirmed()
    wire = Wire()

    sender = send_once(wire)

    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FINISHED
    assert delivery.finished_at is not None
    assert counts(delivery) == {MessageStatus.SENT: 3}
    assert sorted(wire.recipients) == ["p0@example.com", "p1@example.com"] + [
        "p2@example.com"
    ]
    assert sender.tally.sent == len(people)
    assert Attempt.objects.filter(outcome=OutcomeKind.SENT).count() == 3


def test_nothing_of_a_delivery_that_is_not_confirmed_is_sent():
    make_people(1)
    delivery = make_confirmed()
    lifecycle.withdraw(delivery)
    wire = Wire()

    send_once(wire)

    assert wire.taken == []


def test_parts_are_cut_by_profiles_to_be_sent_to(monkeypatch):
    monkeypatch.setattr(parts, "MESSAGES_PER_PART", 2)
    make_people(5)
    delivery = make_sending()

    assert Part.objects.count() == 3
    send_once(Wire())

    assert counts(delivery) == {MessageStatus.SENT: 5}
    assert not Part.objects.filter(is_done=False).exists()


def test_who_opts_out_during_the_sending_gets_nothing_that_starts_later():
    people = make_people(4)
    delivery = make_sending()
    wire = Wire()

    def opt_out_the_last(message):
        preferences.opt_out(
            people[-1],
            Channel.EMAIL,
            by="t",
            source=ConsentSource.ONE_CLICK,
            now=timezone.now(),
        )

    wire.before_each = opt_out_the_last
    sender = send_once(wire)

    assert people[-1].addresses.get().value not in wire.recipients
    assert counts(delivery)[MessageStatus.EXCLUDED_AFTER] == 1
    assert sender.tally.excluded == 1


@pytest.mark.parametrize("act", ["pause", "cancel"])
def test_no_message_starts_after_the_delivery_was_stopped(act):
    make_people(4)
    delivery = make_sending()
    acts = {
        "pause": lambda: lifecycle.pause(delivery),
        "cancel": lambda: lifecycle.cancel(delivery, now=timezone.now()),
    }
    wire = Wire(before_each=lambda message: acts[act]())

    send_once(wire)

    left = {"pause": MessageStatus.READY, "cancel": MessageStatus.CANCELLED}[act]
    assert len(wire.taken) == 1
    assert counts(delivery) == {MessageStatus.SENT: 1, left: 3}


def test_resumed_delivery_sends_the_rest():
    make_people(2)
    delivery = make_sending()
    lifecycle.pause(delivery)
    wire = Wire()
    send_once(wire)
    assert wire.taken == []

    lifecycle.resume(delivery)
    send_once(wire)

    assert counts(delivery) == {MessageStatus.SENT: 2}


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (HARD, MessageStatus.FAILED),
        (SOFT, MessageStatus.READY),
        (LOST, MessageStatus.READY),
    ],
    ids=["refused for good", "refused for now", "no answer"],
)
def test_outcome_of_an_email(outcome, status):
    (person,) = make_people(1)
    delivery = make_sending()

    send_once(Wire(outcome))

    assert status_of(delivery, person) == status
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.reply, attempt.number) == (
        outcome.kind,
        outcome.reply,
        1,
    )


def test_soft_failure_is_tried_again_after_its_delay_with_the_same_message():
    (person,) = make_people(1)
    delivery = make_sending()
    wire = Wire(SOFT)
    send_once(wire)
    send_once(wire)
    assert len(wire.taken) == 1

    make_due_again()
    wire.outcome = SENT
    send_once(wire)

    assert status_of(delivery, person) == MessageStatus.SENT
    assert wire.taken[0] == wire.taken[1]
    assert list(Attempt.objects.values_list("number", flat=True)) == [1, 2]


def test_who_opted_out_before_the_second_attempt_gets_none():
    (person,) = make_people(1)
    delivery = make_sending()
    wire = Wire(SOFT)
    send_once(wire)
    factories.make_opt_out(profile=person)

    make_due_again()
    send_once(wire)

    assert len(wire.taken) == 1
    assert status_of(delivery, person) == MessageStatus.EXCLUDED_AFTER


def test_delays_grow_and_the_last_one_is_repeated(settings):
    settings.RETRY_DELAYS = [timedelta(minutes=1), timedelta(minutes=9)]
    now = timezone.now()
    delivery = Delivery(channel=Channel.EMAIL)

    delays = [
        verdict(SOFT, delivery, number=number, now=now)[1] - now for number in (1, 2, 3)
    ]

    assert delays == [timedelta(minutes=1), timedelta(minutes=9)] + [
        timedelta(minutes=9)
    ]


def test_text_message_that_may_have_gone_is_not_sent_again():
    status, due_at = verdict(
        LOST, Delivery(channel=Channel.SMS), number=1, now=timezone.now()
    )

    assert (status, due_at) == (MessageStatus.UNKNOWN, None)


def test_domain_that_asks_for_it_is_left_alone_and_others_are_not():
    make_people(3)
    other = factories.make_profile(email="x@example.org")
    delivery = make_sending()
    wire = Wire(BUSY)

    send_once(wire)

    assert wire.recipients == ["p0@example.com", "x@example.org"]
    assert status_of(delivery, other) == MessageStatus.READY
    assert set(Lane.objects.values_list("domain", flat=True)) == {
        "example.com",
        "example.org",
    }


def test_unreachable_server_costs_no_attempt():
    make_people(2)
    delivery = make_sending()
    wire = Wire(trouble=UNREACHABLE)

    sender = send_once(wire)

    assert counts(delivery) == {MessageStatus.READY: 2}
    assert not Attempt.objects.exists()
    assert sender.tally.trouble == "refused"


def test_message_that_cannot_be_made_fails_alone():
    people = [
        factories.make_profile(first_name=name, email=f"{name}@example.com")
        for name in ("anna", "bo")
    ]
    loops = "{% for i in (1..999) %}{% for j in (1..999) %}x{% endfor %}{% endfor %}"
    html = f'{{% if profile.first_name == "bo" %}}{loops}{{% endif %}}'
    delivery = make_sending(html=html)

    send_once(Wire())

    assert status_of(delivery, people[0]) == MessageStatus.SENT
    assert status_of(delivery, people[1]) == MessageStatus.FAILED
    failed = Attempt.objects.get(profile_id=people[1].pk)
    assert failed.code == "not_rendered"


def test_content_that_cannot_be_compiled_fails_the_delivery_and_sends_nothing():
    make_people(1)
    delivery = make_sending(html="{% if %}")
    wire = Wire()

    send_once(wire)

    delivery.refresh_from_db()
    assert (delivery.status, wire.taken) == (DeliveryStatus.FAILED, [])
    assert delivery.stop_note


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


def test_delivery_that_began_is_never_analysed_again():
    make_people(1)
    delivery = make_sending()
    send_once(Wire())

    with pytest.raises(CommandError, match="finished"):
        call_command("analyse_delivery", str(delivery.pk), "--json")

    assert counts(delivery) == {MessageStatus.SENT: 1}


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
