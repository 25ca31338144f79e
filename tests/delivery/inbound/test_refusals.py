"""Refusals at the wire: each is read once, and counts for the address it was of."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from delivery import giving_up, sending
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase, from_reply
from delivery.inbound import refusals
from delivery.models import Attempt, Delivery, Lane, Message, Part
from delivery.states import MessageStatus
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Reason, Source, Status
from tests import factories
from tests.delivery.sending_stage import Wire, make_sending, send_once

pytestmark = pytest.mark.django_db
ADDRESS = "anna@example.com"
UNKNOWN = from_reply(Phase.RCPT, 550, "5.1.1 No such user")
LATER = from_reply(Phase.RCPT, 451, "4.3.0 Try again later")


class Killed(Exception):
    """Stands for a process that is killed."""


@pytest.fixture
def unread(monkeypatch, db) -> None:
    """Leave refusals unread, as a worker that is killed at the end of a part does."""
    nobody = SimpleNamespace(read_refusals=lambda now, *, limit: 0)
    monkeypatch.setattr(sending, "refusals", nobody)


def send(*outcomes: Outcome) -> Delivery:
    factories.make_profile(email=ADDRESS)
    delivery = make_sending(label="Spring")
    for outcome in outcomes:
        send_once(Wire(outcome))
        past = timezone.now() - timedelta(seconds=1)
        Message.objects.filter(due_at__isnull=False).update(due_at=past)
        Part.objects.update(due_at=past)
        Lane.objects.all().delete()
    return delivery


def test_refusal_counts_when_the_part_ends():
    send(UNKNOWN)

    row = QuarantinedAddress.objects.get()
    assert (row.address, row.status) == (ADDRESS, Status.QUARANTINE)
    assert (row.reason, row.source) == (Reason.USER_UNKNOWN, Source.BOUNCE)
    assert row.last_delivery_label == "Spring"
    assert not Attempt.objects.filter(is_unread=True).exists()


def test_refusals_that_a_crash_left_are_read_by_the_tick(unread):
    send(UNKNOWN)
    assert QuarantinedAddress.objects.count() == 0

    assert refusals.read_refusals(timezone.now()) == 1
    assert refusals.read_refusals(timezone.now()) == 0

    assert QuarantineEvent.objects.count() == 1


def test_crash_between_effect_and_mark_counts_once(unread, monkeypatch):
    send(UNKNOWN)

    real = refusals._read

    def be_killed(*args, **more):
        real(*args, **more)
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(refusals, "_read", be_killed)
        refusals.read_refusals(timezone.now())
    assert QuarantineEvent.objects.count() == 0
    assert Attempt.objects.filter(is_unread=True).count() == 1

    refusals.read_refusals(timezone.now())

    assert QuarantineEvent.objects.count() == 1
    assert not Attempt.objects.filter(is_unread=True).exists()


@pytest.mark.parametrize(
    "outcome",
    [
        LATER,
        from_reply(Phase.RCPT, 550, "5.7.1 Blocked"),
        Outcome(OutcomeKind.REFUSED, Phase.CONNECT, code="not_rendered"),
        Outcome(OutcomeKind.REFUSED, Phase.MAIL, code="smtputf8_not_offered"),
    ],
    ids=["for-now", "policy", "not-rendered", "no-smtputf8"],
)
def test_refusal_of_which_the_address_is_innocent_is_marked_and_counts_not(outcome):
    send(outcome)

    assert QuarantinedAddress.objects.count() == 0
    assert not Attempt.objects.filter(is_unread=True).exists()


def test_many_refusals_are_read_in_batches(unread, monkeypatch):
    monkeypatch.setattr(refusals, "BATCH", 2)
    for number in range(4):
        factories.make_profile(email=f"p{number}@example.com")
    send(UNKNOWN)

    assert refusals.read_refusals(timezone.now()) == 5
    assert QuarantinedAddress.objects.count() == 5


def test_refusal_of_an_analysis_that_is_gone_is_marked_as_read(unread):
    send(UNKNOWN)
    Message.objects.all().delete()

    assert refusals.read_refusals(timezone.now()) == 1
    assert refusals.read_refusals(timezone.now()) == 0


def expire(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    send_once(Wire())


def test_message_that_expires_after_refusals_for_now_is_one_soft_error():
    delivery = send(LATER, LATER, LATER)
    expire(delivery)
    send_once(Wire())

    assert Message.objects.get().status == MessageStatus.EXPIRED
    last = Attempt.objects.order_by("-pk")[0]
    assert (last.code, Attempt.objects.filter(code=giving_up.GAVE_UP).count()) == (
        giving_up.GAVE_UP,
        1,
    )
    refusals.read_refusals(timezone.now())
    refusals.read_refusals(timezone.now())
    row = QuarantinedAddress.objects.get()
    assert (row.status, row.significant_error_count) == (Status.ERRONEOUS, 1)


@pytest.mark.parametrize(
    "outcomes",
    [
        (),
        (LATER, from_reply(Phase.CONTENT, 451, "4.3.0 Later")),
        (Outcome(OutcomeKind.UNREACHABLE, Phase.CONNECT, code="refused"), LATER),
        (Outcome(OutcomeKind.AMBIGUOUS, Phase.CONTENT, code="broken"), LATER),
    ],
    ids=["never-tried", "at-the-content-too", "once-unreachable", "once-ambiguous"],
)
def test_message_that_expires_otherwise_says_nothing_of_the_address(outcomes):
    delivery = send(*outcomes)
    expire(delivery)
    refusals.read_refusals(timezone.now())

    assert Message.objects.get().status == MessageStatus.EXPIRED
    assert QuarantinedAddress.objects.count() == 0
