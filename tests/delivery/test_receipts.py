"""Delivery receipts: what they change of a message and its number, and what never."""

import json
from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.inbound import receipts, texts
from delivery.models import Attempt, Delivery, Inbound, InboundKind, InboundState
from delivery.states import MessageStatus
from profiles.channels import Channel
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Reason, Source, Status
from tests import factories
from tests.delivery.sending_stage import SENT, Wire, make_sending, send_once, status_of
from tests.delivery.text_stage import NUMBER, number_row

pytestmark = pytest.mark.django_db(transaction=True)
NO_ANSWER = Outcome(OutcomeKind.AMBIGUOUS, Phase.CONTENT, code="no_answer")
_ids = count(1)


@pytest.fixture
def profile():
    return factories.make_profile(sms=NUMBER, email=None)


def texted(outcome: Outcome = SENT) -> Delivery:
    delivery = make_sending(channel=Channel.SMS, html="", text="Hi")
    send_once(Wire(outcome=outcome))
    return delivery


def client_id(delivery: Delivery, profile) -> str:
    return f"{delivery.current_analysis_id}-{profile.pk}"


def receipt(message: str, status: str, *, key: str = "", now=None) -> InboundState:
    body = {"id": key or f"r-{next(_ids)}", "message": message, "status": status}
    raw = json.dumps(body | {"to": "+46701740699"}).encode()
    return receipts.receive(receipts.read(raw), raw=raw, now=now or timezone.now())


def test_delivered_receipt_settles_a_message_of_which_nobody_knew(profile):
    delivery = texted(NO_ANSWER)
    assert status_of(delivery, profile) == MessageStatus.UNKNOWN
    before = list(Attempt.objects.values())

    state = receipt(client_id(delivery, profile), "delivered")

    assert state == InboundState.APPLIED
    assert status_of(delivery, profile) == MessageStatus.SENT
    assert list(Attempt.objects.values()) == before
    stored = Inbound.objects.get()
    assert (stored.profile_id, stored.delivery_id) == (profile.pk, delivery.pk)


@pytest.mark.parametrize("status", ["delivered", "failed", "expired", "buffered", ""])
def test_other_receipts_of_a_message_that_was_sent_are_recorded(profile, status):
    delivery = texted()

    state = receipt(client_id(delivery, profile), status)

    assert state == InboundState.RECORDED
    assert status_of(delivery, profile) == MessageStatus.SENT
    assert number_row() is None


def test_unknown_number_is_quarantined_as_we_wrote_to_it(profile):
    delivery = texted()

    state = receipt(client_id(delivery, profile), "unknown_number")

    assert state == InboundState.APPLIED
    row = QuarantinedAddress.objects.get()
    assert (row.address, row.status, row.reason, row.source) == (
        NUMBER,
        Status.QUARANTINE,
        Reason.USER_UNKNOWN,
        Source.BOUNCE,
    )
    assert row.last_delivery_label == delivery.label
    assert status_of(delivery, profile) == MessageStatus.SENT


def test_one_message_quarantines_once_whatever_comes_after(profile):
    delivery = texted()
    receipt(client_id(delivery, profile), "unknown_number", key="first")
    QuarantinedAddress.objects.update(status=Status.VALID)

    states = [
        receipt(client_id(delivery, profile), "unknown_number", key=key)
        for key in ("first", "second")
    ]

    assert states == [InboundState.APPLIED, InboundState.RECORDED]
    assert number_row().status == Status.VALID


def test_receipt_of_an_old_message_is_recorded(profile):
    delivery = texted()
    now = timezone.now() + timedelta(days=14)

    state = receipt(client_id(delivery, profile), "unknown_number", now=now)

    assert state == InboundState.RECORDED
    assert number_row() is None


def test_receipt_of_a_message_that_never_started_is_recorded(profile):
    delivery = make_sending(channel=Channel.SMS, html="", text="Hi")

    state = receipt(client_id(delivery, profile), "unknown_number")

    assert state == InboundState.RECORDED
    assert number_row() is None
    assert status_of(delivery, profile) == MessageStatus.READY


@pytest.mark.parametrize(
    "message",
    [
        "",
        "1",
        "0-0",
        "-1-1",
        "answer-1",
        "1-1 ",
        "١-١",
        f"{'9' * 18}-{'9' * 18}",
        "x" * 999,
    ],
)
def test_receipt_of_what_we_never_sent_changes_nothing(profile, message):
    texted()

    assert receipt(message, "unknown_number") == InboundState.FOREIGN
    assert number_row() is None


def test_receipt_of_a_text_says_nothing_of_an_email(profile):
    factories.make_address(profile=profile, value="anna@example.com")
    delivery = make_sending()
    send_once(Wire())

    state = receipt(client_id(delivery, profile), "unknown_number")

    assert state == InboundState.FOREIGN
    assert not QuarantinedAddress.objects.exists()


def test_receipt_that_a_crash_left_is_read_by_the_worker(profile):
    delivery = texted(NO_ANSWER)
    body = {"id": "r", "message": client_id(delivery, profile), "status": "delivered"}
    Inbound.objects.create(
        kind=InboundKind.RECEIPT,
        source="sms",
        key="r",
        raw=json.dumps(body).encode(),
        received_at=timezone.now(),
    )

    for _ in range(2):
        texts.handle_waiting(InboundKind.RECEIPT, receipts.handle, now=timezone.now())

    assert status_of(delivery, profile) == MessageStatus.SENT
    assert Inbound.objects.get().state == InboundState.APPLIED
