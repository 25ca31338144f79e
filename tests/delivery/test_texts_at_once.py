"""Texts that come at the same moment, and what the worker does each minute."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from delivery.inbound import ticking
from delivery.models import Inbound, InboundKind, InboundState, TextAnswer, TriageItem
from delivery.states import MessageStatus
from profiles.channels import Channel
from quarantine.models import QuarantineEvent
from quarantine.reasons import Status
from tests import factories
from tests.delivery.sending_stage import leased, make_sending, status_of
from tests.delivery.text_stage import (
    NUMBER,
    ledger_rows,
    number_row,
    raw_text,
    text_in,
)

AT_ONCE = 6


def at_once(act: Callable[[int], object]) -> None:
    """Do the same on several connections at one moment."""
    barrier = Barrier(AT_ONCE)

    def run(turn: int) -> None:
        try:
            barrier.wait()
            act(turn)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[turn]) for turn in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["", "same"], ids=["many texts", "one text"])
def test_stops_at_once_are_one_stop(key):
    anna, bo = (factories.make_profile(sms=NUMBER) for _ in range(2))

    at_once(lambda turn: text_in("STOP", key=key, now=timezone.now()))

    assert ledger_rows() == [(each.pk, "OUT", "keyword") for each in (anna, bo)]
    assert QuarantineEvent.objects.count() == 1
    assert TextAnswer.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_help_asked_for_at_once_waits_to_be_answered_once():
    at_once(lambda turn: text_in("HELP", now=timezone.now()))

    assert TextAnswer.objects.filter(state="waiting").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_stops_and_starts_at_once_leave_ledger_and_number_of_one_mind():
    factories.make_profile(sms=NUMBER)

    at_once(lambda turn: text_in("START" if turn % 2 else "STOP", now=timezone.now()))

    directions = [direction for _profile_id, direction, _source in ledger_rows()]
    expected = ["OUT", "IN"] * AT_ONCE
    assert directions == expected[: len(directions)]
    is_stopped = number_row().status == Status.DENYLISTED
    assert is_stopped == (directions[-1] == "OUT")


@pytest.mark.django_db(transaction=True)
def test_message_that_has_not_started_does_not_start_after_a_stop():
    anna, bo = (factories.make_profile(sms=NUMBER, email=None) for _ in range(2))
    delivery = make_sending(channel=Channel.SMS, html="", text="Hi")
    opened, _part, messages = leased(delivery)

    text_in("STOP", now=timezone.now())

    passage = opened.let_pass([messages[anna.pk]], now=timezone.now())[anna.pk]
    assert passage is not None and not passage.may_start
    assert status_of(delivery, anna) == MessageStatus.EXCLUDED_AFTER
    assert bo.pk not in messages  # the younger one is a duplicate


@pytest.mark.django_db(transaction=True)
def test_worker_does_what_a_crash_left_acts_on_what_nobody_read_and_answers(settings):
    now = timezone.now()
    text_in("please stop the bus", sender="+46701740606", now=now)
    TriageItem.objects.update(acts_at=now)
    raw = raw_text("STOP", key="left")
    Inbound.objects.create(
        kind=InboundKind.TEXT, source="sms", key="left", raw=raw, received_at=now
    )

    ticking.tick(now=timezone.now())

    assert number_row().status == Status.DENYLISTED
    assert number_row("+46701740606").status == Status.DENYLISTED
    assert Inbound.objects.get(key="left").state == InboundState.APPLIED
    answer = TextAnswer.objects.get()
    assert answer.state == "sent"
    kept = settings.MAIL_DIR / "sms" / f"answer-{answer.pk}.eml"
    assert "START" in kept.read_text("utf-8")


@pytest.mark.django_db(transaction=True)
def test_work_once_does_it_as_well():
    now = timezone.now()
    raw = raw_text("STOP", key="left")
    Inbound.objects.create(
        kind=InboundKind.TEXT, source="sms", key="left", raw=raw, received_at=now
    )

    call_command("work", "--once")

    assert number_row().status == Status.DENYLISTED
