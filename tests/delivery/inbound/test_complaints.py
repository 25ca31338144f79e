"""Feedback reports: complaints denylist, opt-outs stop, all others are recorded."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail as outgoing
from django.utils import timezone

from delivery.inbound import reading
from delivery.models import (
    DomainDay,
    InboundState,
    LaneHold,
    Report,
    TriageItem,
)
from optout.models import ConsentEvent, OptOut
from optout.models.ledger import ConsentSource
from profiles.channels import Channel
from profiles.models import Profile
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Reason, Source, Status
from tests import factories
from tests.delivery.inbound.report_mails import arf, take_in
from tests.delivery.sending_stage import Wire, make_sending, send_once

pytestmark = pytest.mark.django_db
ADDRESS = "anna@example.com"


@pytest.fixture
def anna() -> Profile:
    return factories.make_profile(email=ADDRESS)


@pytest.fixture
def sent(anna: Profile) -> dict[str, str]:
    """The headers by which a message to Anna can be known, by name."""
    make_sending()
    wire = Wire()
    send_once(wire)
    lines = wire.taken[0].content.decode().replace("\r\n ", " ").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[: lines.index("")])
    return {
        "Return-Path": f"<{wire.taken[0].sender}>",
        "List-Unsubscribe": headers["List-Unsubscribe"],
        "Message-ID": headers["Message-ID"],
    }


def quoted(headers: dict[str, str], *names: str) -> str:
    lines = [f"{name}: {headers[name]}" for name in names]
    return "\r\n".join([*lines, "To: redacted@example.com", "Subject: Spring"])


@pytest.mark.parametrize(
    "names",
    [("Return-Path",), ("List-Unsubscribe",), ("Return-Path", "List-Unsubscribe")],
    ids="+".join,
)
def test_complaint_denylists_the_address_however_its_message_is_known(sent, names):
    row = take_in(arf(quoted(sent, *names)))

    address = QuarantinedAddress.objects.get()
    assert (address.address, address.status) == (ADDRESS, Status.DENYLISTED)
    assert (address.reason, address.source) == (Reason.COMPLAINT, Source.COMPLAINT)
    assert (row.state, row.meaning) == (InboundState.APPLIED, "complaint")


def test_complaint_ends_no_consent_by_itself(sent):
    take_in(arf(quoted(sent, "Return-Path")))

    assert OptOut.objects.count() == ConsentEvent.objects.count() == 0


@pytest.mark.parametrize("names", [(), ("Message-ID",)], ids=["nothing", "message-id"])
def test_complaint_without_a_token_is_of_a_stranger(sent, names):
    row = take_in(arf(quoted(sent, *names)))

    assert row.state == InboundState.FOREIGN
    assert QuarantinedAddress.objects.count() == 0


def test_complaint_with_an_altered_token_is_a_forgery(sent):
    path = sent["Return-Path"]
    other = "a" if path[20] != "a" else "b"
    forged = {"Return-Path": f"{path[:20]}{other}{path[21:]}"}

    row = take_in(arf(quoted(forged, "Return-Path")))

    assert row.state == InboundState.FORGED
    assert QuarantinedAddress.objects.count() == 0


def test_complaint_again_is_recorded_only(sent):
    for number in range(5):
        row = take_in(arf(quoted(sent, "Return-Path"), number=number))

    assert row.state == InboundState.RECORDED
    assert Report.objects.count() == 1
    assert DomainDay.objects.get().complaints == 1


def test_complaint_fifteen_days_late_is_recorded_only(sent):
    later = timezone.now() + timedelta(days=15)

    row = take_in(arf(quoted(sent, "Return-Path")), now=later)

    assert row.state == InboundState.RECORDED
    assert QuarantinedAddress.objects.count() == 0


@pytest.mark.parametrize("kind", ["abuse", "fraud"])
def test_kinds_that_are_complaints_denylist(sent, kind):
    take_in(arf(quoted(sent, "Return-Path"), kind=kind))

    assert QuarantinedAddress.objects.get().status == Status.DENYLISTED


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("not-spam", "not_spam"),
        ("auth-failure", "auth_failure"),
        ("dmarc", "auth_failure"),
        ("other", "other"),
        ("miscategorized", "other"),
    ],
    ids=lambda value: value,
)
def test_kinds_that_are_none_change_nothing(sent, kind, meaning):
    row = take_in(arf(quoted(sent, "Return-Path"), kind=kind))

    assert (row.state, row.meaning) == (InboundState.RECORDED, meaning)
    assert QuarantinedAddress.objects.count() == Report.objects.count() == 0


@pytest.mark.parametrize("name", ["Return-Path", "List-Unsubscribe"])
def test_opt_out_by_a_report_stops_the_channel(sent, anna, name):
    row = take_in(arf(quoted(sent, name), kind="opt-out"))

    assert (row.state, row.meaning) == (InboundState.APPLIED, "opt_out")
    flag = OptOut.objects.get()
    assert (flag.profile_id, flag.channel) == (anna.pk, Channel.EMAIL)
    assert ConsentEvent.objects.get().source == ConsentSource.MAILTO
    assert QuarantinedAddress.objects.count() == 0


def test_complaints_pause_the_lane_of_their_domain(sent, settings):
    settings.COMPLAINT_MINIMUM = 1

    take_in(arf(quoted(sent, "Return-Path")))

    hold = LaneHold.objects.get()
    assert (hold.domain, hold.level) == ("example.com", "stopped")


def test_nobody_is_ever_answered(sent):
    take_in(arf(quoted(sent, "Return-Path")))

    assert outgoing.outbox == []


def test_complaint_that_contradicts_itself_is_for_a_person(sent, monkeypatch):
    real = reading.read
    monkeypatch.setattr(reading, "read", lambda raw: replace(real(raw), is_whole=False))

    row = take_in(arf(quoted(sent, "Return-Path")))

    assert row.state == InboundState.TRIAGE
    assert QuarantinedAddress.objects.count() == 0
    assert TriageItem.objects.get().is_suspected_stop
