"""A sender killed at each step in turn: nothing is lost, and one copy too many at most.

The n-th call of the database, the gate or the wire never comes back, for every n; as
with kill -9 nothing is done after it. Another sender takes over.
"""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from delivery.channels.outcomes import Outcome
from delivery.channels.transport import Composition
from delivery.gate import Gate
from delivery.models import Attempt, Delivery, Message, Part
from delivery.sending import Sender
from delivery.states import DeliveryStatus, MessageStatus
from profiles.channels import Channel
from tests import factories
from tests.delivery.sending_stage import Wire, make_sending, send_once

pytestmark = pytest.mark.django_db(transaction=True)
FEWEST_STEPS = 24  # before and after each of the twelve of the protocol


class Killed(BaseException):
    """Nothing handles it, as nothing handles SIGKILL."""


class Fate:
    """Kills at the n-th step, and lets nothing happen after it."""

    def __init__(self, number: int) -> None:
        self._left = number
        self.has_struck = False

    def step(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self.has_struck = True
            raise Killed

    def around(self, execute, sql, params, many, context):
        self.step()
        result = execute(sql, params, many, context)
        self.step()
        return result


class FatedWire(Wire):
    fate: Fate

    def ready(self) -> Outcome | None:
        self.fate.step()
        return super().ready()

    def send(self, message: Composition) -> Outcome:
        self.fate.step()
        outcome = super().send(message)
        self.fate.step()
        return outcome


def send_until_killed(fate: Fate, monkeypatch, *, wire: Wire | None = None) -> Wire:
    if wire is None:
        wire = FatedWire()
        wire.fate = fate
    decide = Gate._decide

    def decide_or_die(*args, **options):
        fate.step()
        result = decide(*args, **options)
        fate.step()
        return result

    with monkeypatch.context() as patch, connection.execute_wrapper(fate.around):
        patch.setattr(Gate, "_decide", decide_or_die)
        with suppress(Killed):
            Sender(lambda channel: wire).run(is_once=True)
    # As when the process is gone: locks are dropped, what is open is rolled back.
    if connection.vendor == "postgresql":
        connection.close()
    else:
        connection.connection.rollback()
    return wire


def take_over() -> Wire:
    past = timezone.now() - timedelta(seconds=1)
    Message.objects.filter(due_at__isnull=False).update(due_at=past)
    Part.objects.update(due_at=past)
    wire = Wire()
    send_once(wire)
    return wire


def statuses_of(delivery: Delivery) -> Counter[int]:
    rows = Message.objects.filter(analysis_id=delivery.current_analysis_id)
    return Counter(rows.values_list("status", flat=True))


def test_email_is_never_lost_and_at_most_one_comes_twice(monkeypatch):
    for n in range(2):
        factories.make_profile(email=f"p{n}@example.com")
    copies_seen, number = set(), 0
    while True:
        number += 1
        fate, delivery = Fate(number), make_sending()
        first = send_until_killed(fate, monkeypatch)
        second = take_over()

        copies = Counter(first.recipients + second.recipients)
        delivery.refresh_from_db()
        assert statuses_of(delivery) == {MessageStatus.SENT: 2}, number
        assert delivery.status == DeliveryStatus.FINISHED, number
        assert len(copies) == 2 and copies.total() <= 3, number
        logged = Attempt.objects.filter(analysis_id=delivery.current_analysis_id)
        assert logged.count() >= copies.total(), number
        copies_seen.add(copies.total())
        if not fate.has_struck:
            break

    assert number > FEWEST_STEPS
    # The loop met the one moment in which nobody can know.
    assert copies_seen == {2, 3}


def test_text_message_never_comes_twice(monkeypatch):
    for n in range(2):
        factories.make_profile(email=None, sms=f"+4670174060{n}")
    seen, number = Counter(), 0
    while True:
        number += 1
        fate = Fate(number)
        delivery = make_sending(channel=Channel.SMS, text="Hi", html="")
        first = send_until_killed(fate, monkeypatch)
        second = take_over()

        copies = Counter(first.recipients + second.recipients)
        statuses = statuses_of(delivery)
        assert copies.total() == len(copies), number
        assert statuses.keys() <= {MessageStatus.SENT, MessageStatus.UNKNOWN}, number
        assert statuses.total() == 2 and statuses[MessageStatus.UNKNOWN] <= 1, number
        assert statuses[MessageStatus.SENT] <= copies.total(), number
        seen += statuses
        if not fate.has_struck:
            break

    assert number > FEWEST_STEPS
    assert seen[MessageStatus.UNKNOWN] > 0
