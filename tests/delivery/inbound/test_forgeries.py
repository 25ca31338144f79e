"""Two thousand forged and replayed reports; benchmarks/forged.py makes any number."""

import pytest
from django.core import mail as outgoing
from django.utils import timezone

from delivery.inbound import processing, storing
from delivery.models import Inbound, InboundKind, InboundState
from tests import factories
from tests.delivery.inbound.forgeries import Forger, snapshot, unsubscribe_address
from tests.delivery.inbound.report_mails import dsn, take_in
from tests.delivery.sending_stage import Wire, make_sending, send_once

pytestmark = pytest.mark.django_db
COUNT = 2_000


def test_two_thousand_forged_or_replayed_reports_change_nothing():
    people = [factories.make_profile() for _number in range(20)]
    make_sending()
    wire = Wire()
    send_once(wire)
    first = wire.taken[0]
    take_in(dsn(first.sender, first.recipient, number=0))
    unsubscribe = unsubscribe_address(people[0].pk)
    take_in(f"To: {unsubscribe}\r\n\r\n".encode())
    known = Inbound.objects.count()
    forger = Forger(first.sender, unsubscribe, wire.recipients)
    before = snapshot()

    now = timezone.now()
    for raw in forger.reports(COUNT):
        storing.store(InboundKind.MAIL, raw, source="maildir", now=now)
    tally = processing.read_waiting(now)

    assert tally.count == COUNT == Inbound.objects.count() - known
    assert snapshot() == before
    assert set(tally.states) == {
        InboundState.FOREIGN,
        InboundState.FORGED,
        InboundState.RECORDED,
    }
    assert tally.states[InboundState.FORGED] >= COUNT // 4
    assert outgoing.outbox == []
