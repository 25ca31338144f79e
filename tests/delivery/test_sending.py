"""The loop of sending, over a wire that keeps what it is given."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from delivery import lifecycle, parts
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.models import Attempt, Delivery, Lane, Message, Part
from delivery.states import DeliveryStatus, MessageStatus
from delivery.working import verdict
from optout import preferences
from optout.models.ledger import ConsentSource
from profiles.channels import Channel
from tests import factories
from tests.delivery.sending_stage import (
    SENT,
    Wire,
    counts,
    make_confirmed,
    make_people,
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


def test_delivery_that_began_is_never_analysed_again():
    make_people(1)
    delivery = make_sending()
    send_once(Wire())

    with pytest.raises(CommandError, match="finished"):
        call_command("analyse_delivery", str(delivery.pk), "--json")

    assert counts(delivery) == {MessageStatus.SENT: 1}
