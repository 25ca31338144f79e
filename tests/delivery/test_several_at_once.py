"""Several messages behind one gate: each is decided for itself, and none is lost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from delivery import gate as gates
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.channels.transport import Composition
from delivery.models import Attempt, Message
from delivery.settlements import Settlement
from delivery.states import DeliveryStatus, ExclusionReason, MessageStatus
from profiles.channels import Channel
from tests import factories
from tests.delivery.sending_stage import (
    SENT,
    Wire,
    leased,
    make_sending,
    send_once,
    status_of,
)
from tests.delivery.test_killed import Fate, send_until_killed, statuses_of, take_over

pytestmark = pytest.mark.django_db(transaction=True)
# What a server may say, and what an array of PostgreSQL would trip over.
ODD = 'a "quoted" \\ word, {braces}, NULL, å and nothing: \\"'


@dataclass
class WideWire(Wire):
    """Takes three abreast, and keeps which came together."""

    width: int = 3
    turns: list[int] = field(default_factory=list)
    fate: Fate | None = None

    def send_all(self, messages: Sequence[Composition]) -> list[Outcome]:
        self.turns.append(len(messages))
        if self.fate is not None:
            self.fate.step()
        outcomes = super().send_all(messages)
        if self.fate is not None:
            self.fate.step()
        return outcomes


def make_people(count: int) -> list:
    return [factories.make_profile(email=f"p{n}@example.com") for n in range(count)]


def test_each_message_is_decided_for_itself():
    people = make_people(4)
    delivery = make_sending()
    gate, _part, messages = leased(delivery)
    factories.make_opt_out(profile=people[1], channel=Channel.EMAIL)
    Message.objects.filter(profile_id=people[2].pk).update(status=MessageStatus.SENT)
    strange = replace(messages[people[3].pk], digest=messages[people[0].pk].digest)

    passages = gate.let_pass(
        [messages[people[n].pk] for n in range(3)] + [strange], now=timezone.now()
    )

    assert passages[people[0].pk].may_start and passages[people[0].pk].number == 1
    assert passages[people[1].pk].reasons == ExclusionReason.OPTED_OUT_CHANNEL.bit
    assert not passages[people[1].pk].may_start
    assert passages.keys() == {people[0].pk, people[1].pk}
    assert [status_of(delivery, each) for each in people] == [
        MessageStatus.SENDING,
        MessageStatus.EXCLUDED_AFTER,
        MessageStatus.SENT,
        MessageStatus.LEASED,
    ]


def test_what_came_of_each_is_recorded_word_by_word():
    people = make_people(2)
    delivery = make_sending()
    gate, _part, messages = leased(delivery)
    now = timezone.now()
    passages = gate.let_pass(list(messages.values()), now=now)
    due_at = now + timedelta(minutes=5)
    refused = Outcome(OutcomeKind.SOFT, Phase.RCPT, 451, "4.2.1", ODD, "odd")
    came = {people[0].pk: (SENT, None), people[1].pk: (refused, due_at)}

    gate.settle(
        [
            Settlement(
                pk,
                passages[pk].number,
                passages[pk].started_at,
                outcome,
                MessageStatus.READY if due else MessageStatus.SENT,
                due,
            )
            for pk, (outcome, due) in came.items()
        ],
        now=now,
    )

    sent, soft = Attempt.objects.order_by("profile_id")
    assert (sent.outcome, sent.reply_code, sent.is_unread) == (SENT.kind, 250, False)
    assert (soft.reply, soft.enhanced, soft.code) == (ODD, "4.2.1", "odd")
    assert soft.is_unread and soft.phase == Phase.RCPT
    assert soft.started_at == passages[people[1].pk].started_at
    rows = dict(Message.objects.values_list("profile_id", "due_at"))
    assert rows == {people[0].pk: None, people[1].pk: due_at}
    assert status_of(delivery, people[0]) == MessageStatus.SENT
    assert status_of(delivery, people[1]) == MessageStatus.READY


def test_as_many_go_abreast_as_the_transport_takes():
    people = make_people(7)
    factories.make_opt_out(profile=people[0], channel=Channel.EMAIL)
    delivery = make_sending()
    factories.make_opt_out(profile=people[1], channel=Channel.EMAIL)
    wire = WideWire()

    sender = send_once(wire)

    assert wire.turns == [2, 3]
    assert (sender.tally.sent, sender.tally.excluded) == (5, 1)
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FINISHED


def test_messages_of_a_strict_delivery_go_one_by_one():
    make_people(3)
    make_sending(is_strict=True)
    wire = WideWire()

    send_once(wire)

    assert wire.turns == [1, 1, 1]


@pytest.mark.postgres
def test_messages_to_a_domain_with_a_limit_go_one_by_one(settings):
    settings.SENDING_CONNECTIONS = {"example.com": 2}
    make_people(2)
    for n in range(3):
        factories.make_profile(email=f"q{n}@example.org")
    make_sending()
    wire = WideWire()

    send_once(wire)

    assert wire.turns == [1, 1, 3]


@pytest.mark.postgres
def test_row_that_is_held_holds_up_nobody_else(monkeypatch):
    monkeypatch.setattr(gates, "_TRIES", 1)
    people = make_people(3)
    delivery = make_sending()
    wire, other = WideWire(), connection.copy()
    other.set_autocommit(False)

    def let_go(message):
        if message.recipient == "p2@example.com":
            other.rollback()

    wire.before_each = let_go

    def hold_one(execute, sql, params, many, context):
        """Hold the second row as soon as the gate is opened."""
        result = execute(sql, params, many, context)
        if "lock_timeout = '" in sql:
            with other.cursor() as cursor:
                cursor.execute(
                    "UPDATE delivery_message SET address = address"
                    " WHERE profile_id = %s",
                    [people[1].pk],
                )
        return result

    try:
        with connection.execute_wrapper(hold_one):
            send_once(wire)
    finally:
        other.close()

    assert wire.recipients == ["p0@example.com", "p2@example.com"]
    assert status_of(delivery, people[1]) == MessageStatus.READY


def test_a_kill_costs_a_copy_for_each_that_was_on_its_way(monkeypatch):
    make_people(5)
    copies_seen, number = set(), 0
    while True:
        number += 1
        fate, delivery = Fate(number), make_sending()
        wire = WideWire()
        wire.fate = fate
        first = send_until_killed(fate, monkeypatch, wire=wire)
        second = take_over()

        copies = Counter(first.recipients + second.recipients)
        assert statuses_of(delivery) == {MessageStatus.SENT: 5}, number
        assert len(copies) == 5 and copies.total() <= 5 + wire.width, number
        logged = Attempt.objects.filter(analysis_id=delivery.current_analysis_id)
        assert logged.count() >= copies.total(), number
        copies_seen.add(copies.total())
        if not fate.has_struck:
            break

    assert copies_seen == {5, 7, 8}
