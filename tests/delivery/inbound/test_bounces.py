"""Bounces that come by mail: whose they are, what they change, and how often."""

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery.models import (
    Attempt,
    Delivery,
    Inbound,
    InboundState,
    Message,
    Report,
    ReportKind,
)
from delivery.states import MessageStatus
from optout.models import ConsentEvent, OptOut
from optout.models.ledger import ConsentSource
from profiles.channels import Channel
from profiles.models import Profile
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Reason, Status
from tests import factories
from tests.delivery.inbound.report_mails import dsn, take_in
from tests.delivery.sending_stage import Wire, make_sending, send_once

pytestmark = pytest.mark.django_db
ADDRESS = "anna@example.com"
VICTIM = "victim@example.org"


@pytest.fixture
def anna() -> Profile:
    return factories.make_profile(email=ADDRESS)


@pytest.fixture
def sender(anna: Profile) -> str:
    """The envelope sender of a message to Anna."""
    make_sending(label="Spring")
    wire = Wire()
    send_once(wire)
    return wire.taken[0].sender


def states() -> dict[str, tuple[int, str]]:
    rows = QuarantinedAddress.objects.values_list("address", "status", "reason")
    return {address: (status, reason) for address, status, reason in rows}


def changed() -> list[object]:
    """Everything that reports may change."""
    return [
        *QuarantinedAddress.objects.order_by("pk").values(),
        *OptOut.objects.order_by("pk").values(),
        *ConsentEvent.objects.order_by("pk").values(),
        *Report.objects.order_by("pk").values(),
    ]


def test_bounce_quarantines_the_address_that_was_written_to(sender, anna):
    row = take_in(dsn(sender, ADDRESS))

    assert states() == {ADDRESS: (Status.QUARANTINE, Reason.USER_UNKNOWN)}
    assert (row.state, row.meaning) == (InboundState.APPLIED, "bounce")
    assert (row.delivery_id, row.profile_id) == (Delivery.objects.get().pk, anna.pk)
    assert row.digest == Message.objects.get().digest
    assert row.note == "Hard at once: User unknown."
    assert QuarantinedAddress.objects.get().last_delivery_label == "Spring"


@pytest.mark.parametrize(
    "header", ["X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To"]
)
def test_envelope_recipient_is_read_from_where_servers_write_it(sender, header):
    mail = dsn("bounces@example.com", ADDRESS, headers=f"{header}: {sender}\r\n")

    assert take_in(mail).state == InboundState.APPLIED


def test_envelope_recipient_is_read_beside_the_mail(sender):
    row = take_in(dsn("bounces@example.com", ADDRESS), recipient=sender.upper())

    assert row.state == InboundState.APPLIED


def test_report_that_names_another_address_touches_the_message_s_own_only(sender):
    take_in(dsn(sender, VICTIM))

    assert states() == {ADDRESS: (Status.QUARANTINE, Reason.USER_UNKNOWN)}


def test_new_address_of_a_profile_is_not_touched_by_the_bounce_of_the_old(sender, anna):
    anna.addresses.all().delete()
    factories.make_address(profile=anna, value="new@example.com")

    take_in(dsn(sender, "new@example.com"))

    assert list(states()) == [ADDRESS]


def test_perfect_report_without_a_token_changes_nothing(sender):
    row = take_in(dsn("bounces@example.com", ADDRESS))

    assert row.state == InboundState.FOREIGN
    assert changed() == []


def test_token_in_the_returned_message_selects_nobody(sender):
    original = f"Return-Path: <{sender}>\r\nTo: {ADDRESS}\r\n\r\nHi\r\n".encode()

    row = take_in(dsn("bounces@example.com", ADDRESS, original=original))

    assert row.state == InboundState.FOREIGN
    assert changed() == []


def test_altered_token_is_a_forgery_and_changes_nothing(sender):
    other = "a" if sender[20] != "a" else "b"

    row = take_in(dsn(f"{sender[:20]}{other}{sender[21:]}", ADDRESS))

    assert row.state == InboundState.FORGED
    assert changed() == []


def test_report_of_a_message_that_was_never_sent_changes_nothing(sender):
    Attempt.objects.all().delete()
    Message.objects.update(status=MessageStatus.EXCLUDED_AFTER)

    row = take_in(dsn(sender, ADDRESS))

    assert row.state == InboundState.RECORDED
    assert row.note == "No message of it was ever sent."
    assert changed() == []


def test_report_fifteen_days_late_is_recorded_only(sender):
    row = take_in(dsn(sender, ADDRESS), now=timezone.now() + timedelta(days=15))

    assert (row.state, row.note) == (
        InboundState.RECORDED,
        "Too late to have an effect.",
    )
    assert changed() == []


def test_same_report_a_hundred_times_counts_once(sender):
    take_in(dsn(sender, ADDRESS))
    before = changed()

    for number in range(2, 102):
        row = take_in(dsn(sender, ADDRESS, number=number))
        assert row.state == InboundState.RECORDED

    assert changed() == before
    assert Report.objects.count() == 1


def test_soft_bounces_of_one_message_count_once(sender):
    now = timezone.now()
    for day in range(5):
        mail = dsn(sender, ADDRESS, status="4.4.7", number=day)
        take_in(mail, now=now + timedelta(days=2 * day))

    row = QuarantinedAddress.objects.get()
    assert (row.status, row.significant_error_count) == (Status.ERRONEOUS, 1)


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_report_that_is_no_failure_never_quarantines(sender, action):
    row = take_in(dsn(sender, ADDRESS, action=action, status="2.0.0", said=""))

    assert row.state in {InboundState.RECORDED, InboundState.APPLIED}
    assert states() == {}


def test_delivery_clears_the_errors_of_an_address_once(sender):
    factories.make_quarantined_address(value=ADDRESS, status=Status.ERRONEOUS)

    row = take_in(dsn(sender, ADDRESS, action="delivered", status="2.0.0", said=""))

    assert row.state == InboundState.APPLIED
    assert states()[ADDRESS][0] == Status.VALID


@pytest.mark.parametrize(
    "order", [("failed", "delivered"), ("delivered", "failed")], ids="-".join
)
def test_bounce_and_delivery_of_one_message_end_alike_in_every_order(sender, order):
    for number, action in enumerate(order):
        status = "4.4.7" if action == "failed" else "2.0.0"
        take_in(dsn(sender, ADDRESS, action=action, status=status, number=number))

    assert states()[ADDRESS][0] == Status.ERRONEOUS


def test_refusal_by_policy_says_nothing_of_the_address(sender):
    row = take_in(dsn(sender, ADDRESS, status="5.7.1"))

    assert (row.state, row.meaning) == (InboundState.RECORDED, "bounce")
    assert changed() == []


def test_new_owner_of_a_mailbox_ends_the_consents_given_for_it(sender, anna):
    twin = factories.make_profile(email=ADDRESS.upper())
    other = factories.make_profile(email="other@example.com")

    take_in(dsn(sender, ADDRESS, status="5.7.17"))

    flags = OptOut.objects.order_by("profile_id")
    assert list(flags.values_list("profile_id", "channel")) == [
        (anna.pk, Channel.EMAIL),
        (twin.pk, Channel.EMAIL),
    ]
    ledger = ConsentEvent.objects.order_by("profile_id")
    assert list(ledger.values_list("profile_id", "source")) == [
        (anna.pk, ConsentSource.BOUNCE),
        (twin.pk, ConsentSource.BOUNCE),
    ]
    assert other.pk not in flags.values_list("profile_id", flat=True)
    assert states()[ADDRESS] == (Status.QUARANTINE, Reason.OWNER_CHANGED)


def test_report_of_an_erased_person_leaves_the_erasure_as_it_is(sender):
    factories.make_quarantined_address(
        value=ADDRESS, status=Status.DENYLISTED, reason=Reason.ERASED
    )
    Message.objects.update(address="")
    before = list(QuarantinedAddress.objects.values())

    take_in(dsn(sender, ADDRESS))

    assert list(QuarantinedAddress.objects.values()) == before


def test_next_analysis_leaves_out_whom_a_bounce_quarantined(sender, anna):
    free = factories.make_profile(email="free@example.com")
    take_in(dsn(sender, ADDRESS))

    delivery = factories.make_analysed_delivery(now=timezone.now())

    ready = Message.objects.filter(
        analysis_id=delivery.current_analysis_id, status=MessageStatus.READY
    )
    assert list(ready.values_list("profile_id", flat=True)) == [free.pk]


def test_reports_are_kept_with_what_they_took_effect_on(sender):
    row = take_in(dsn(sender, ADDRESS))

    report = Report.objects.get()
    assert (report.kind, report.inbound_id) == (ReportKind.BOUNCE, row.pk)
    assert report.digest == row.digest
    assert Inbound.objects.get().raw is not None
