"""Reading what is stored: once, in order, and each report alone."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from delivery.inbound import (
    consequences,
    identity,
    mail_reports,
    processing,
    storing,
)
from delivery.inbound.results import Result
from delivery.models import Inbound, InboundKind, InboundState, Report
from quarantine import errors
from quarantine.models import QuarantinedAddress, QuarantineEvent
from tests import factories
from tests.delivery.inbound.report_mails import arf, dsn
from tests.delivery.sending_stage import Wire, make_sending, send_once

pytestmark = pytest.mark.django_db
ADDRESS = "anna@example.com"
NOW = timezone.now()


class Killed(Exception):
    """Stands for a process that is killed."""


def put(raw: bytes, *, minutes: int = 0) -> Inbound:
    at = NOW + timedelta(minutes=minutes)
    row = storing.store(InboundKind.MAIL, raw, source="maildir", now=at)
    assert row is not None
    return row


@pytest.fixture
def sender(db) -> str:
    factories.make_profile(email=ADDRESS)
    make_sending()
    wire = Wire()
    send_once(wire)
    return wire.taken[0].sender


def states() -> list[str]:
    return list(Inbound.objects.order_by("received_at").values_list("state", flat=True))


def test_reports_are_read_in_the_order_they_came(monkeypatch):
    read = []
    for minutes in (3, 1, 2):
        put(f"Subject: {minutes}\r\n\r\n".encode(), minutes=minutes)

    def note(inbound, *, now):
        read.append(bytes(inbound.raw))
        return Result(InboundState.RECORDED, "other")

    monkeypatch.setitem(processing._READERS, InboundKind.MAIL, note)
    tally = processing.read_waiting(NOW)

    assert read == [f"Subject: {n}\r\n\r\n".encode() for n in (1, 2, 3)]
    assert tally.count == 3
    assert tally.meanings == {"other": 3}


def test_report_that_cannot_be_read_fails_alone(sender, monkeypatch):
    put(b"Subject: poison\r\n\r\n", minutes=1)
    put(dsn(sender, ADDRESS), minutes=2)
    real = mail_reports.read

    def stumble(inbound, *, now):
        if b"poison" in bytes(inbound.raw):
            raise ValueError("anna@example.com is odd")
        return real(inbound, now=now)

    monkeypatch.setitem(processing._READERS, InboundKind.MAIL, stumble)
    processing.read_waiting(NOW)

    assert states() == [InboundState.FAILED, InboundState.APPLIED]
    failed = Inbound.objects.get(state=InboundState.FAILED)
    assert failed.note == "It could not be read (ValueError). It is kept as it came."
    assert bytes(failed.raw) == b"Subject: poison\r\n\r\n"


def test_what_a_failing_report_began_is_undone(sender, monkeypatch):
    put(dsn(sender, ADDRESS))
    real = errors.record

    def stumble(*args, **more):
        real(*args, **more)
        raise LookupError

    monkeypatch.setattr(errors, "record", stumble)
    processing.read_waiting(NOW)

    assert states() == [InboundState.FAILED]
    assert QuarantinedAddress.objects.count() == Report.objects.count() == 0


def test_failed_report_is_read_again_when_a_person_asks(sender, monkeypatch):
    row = put(dsn(sender, ADDRESS))
    with monkeypatch.context() as patched:
        patched.setattr(identity, "reported", lambda link: 1 / 0)
        processing.read_waiting(NOW)
    assert states() == [InboundState.FAILED]

    assert processing.read_again(row.pk)
    assert not processing.read_again(row.pk)
    processing.read_waiting(NOW)

    assert states() == [InboundState.APPLIED]


def test_crash_between_effect_and_mark_counts_nothing_and_loses_nothing(
    sender, monkeypatch
):
    put(dsn(sender, ADDRESS))

    def be_killed(self, **more):
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Inbound, "save", be_killed)
        processing.read_waiting(NOW)
    assert QuarantinedAddress.objects.count() == Report.objects.count() == 0
    assert states() == [InboundState.STORED]

    processing.read_waiting(NOW)
    processing.read_waiting(NOW)

    assert states() == [InboundState.APPLIED]
    assert QuarantineEvent.objects.count() == 1


def test_database_that_goes_away_marks_nothing_as_failed(sender, monkeypatch):
    put(dsn(sender, ADDRESS))

    def be_gone(link):
        raise DatabaseError

    monkeypatch.setattr(identity, "reported", be_gone)
    with pytest.raises(DatabaseError):
        processing.read_waiting(NOW)

    assert states() == [InboundState.STORED]


def test_report_that_was_read_is_not_read_again(sender):
    row = put(dsn(sender, ADDRESS))
    assert processing.read_one(row.pk, now=NOW) is not None

    assert processing.read_one(row.pk, now=NOW) is None


def test_reading_ends_at_its_limit_and_when_asked_to(monkeypatch):
    for minutes in range(5):
        put(f"Subject: {minutes}\r\n\r\n".encode(), minutes=minutes)
    stopping = Event()
    stopping.set()

    assert processing.read_waiting(NOW, stopping=stopping).count == 0
    assert processing.read_waiting(NOW, limit=2).count == 2
    monkeypatch.setattr(processing, "BATCH", 2)
    assert processing.read_waiting(NOW).count == 3


def test_texts_are_left_to_those_who_read_them():
    storing.store(InboundKind.TEXT, b"STOP", source="gateway", now=NOW)

    assert processing.read_waiting(NOW).count == 0
    assert states() == [InboundState.STORED]


def test_complaint_before_and_after_a_bounce_ends_alike(sender):
    headers = f"Return-Path: <{sender}>"
    orders = [
        (dsn(sender, ADDRESS), arf(headers)),
        (arf(headers), dsn(sender, ADDRESS)),
    ]
    ends = []
    for order in orders:
        for minutes, raw in enumerate(order):
            put(raw, minutes=minutes)
        processing.read_waiting(NOW)
        ends.append(QuarantinedAddress.objects.get().status)
        for model in (QuarantinedAddress, Report, Inbound):
            model.objects.all().delete()

    assert ends[0] == ends[1]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_read_each_report_once(sender):
    for number in range(40):
        put(dsn(sender, ADDRESS, number=number), minutes=number)
    tallies = []

    def work():
        try:
            tallies.append(processing.read_waiting(NOW))
        finally:
            connection.close()

    threads = [Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(tally.count for tally in tallies) == 40
    assert sorted(states())[:2] == [InboundState.APPLIED, InboundState.RECORDED]
    assert QuarantineEvent.objects.filter(event="hard_error").count() == 1


# Twins of the code with a mistake in them: each of the promises above must notice.


def test_identity_taken_from_the_content_would_be_noticed(sender, monkeypatch):
    victim = factories.make_profile(email="victim@example.org")
    put(dsn("bounces@example.com", "victim@example.org"))
    real = identity.find

    def believe_the_content(texts, purpose):
        found = real(texts, purpose)
        return found if found.link else real([sender], purpose)

    monkeypatch.setattr(identity, "find", believe_the_content)
    processing.read_waiting(NOW)

    assert QuarantinedAddress.objects.exists()
    assert victim.pk


def test_mac_that_is_not_checked_would_be_noticed(sender, monkeypatch):
    other = "a" if sender[40] != "a" else "b"
    put(dsn(f"{sender[:40]}{other}{sender[41:]}", ADDRESS))

    monkeypatch.setattr("optout.mail_tokens.hmac.compare_digest", lambda a, b: True)
    processing.read_waiting(NOW)

    assert states() != [InboundState.FORGED]


def test_replay_that_counts_twice_would_be_noticed(sender, monkeypatch):
    put(dsn(sender, ADDRESS, status="4.4.7", number=1))
    put(dsn(sender, ADDRESS, status="4.4.7", number=2), minutes=60 * 48)

    monkeypatch.setattr(consequences, "_is_first", lambda *args, **more: True)
    processing.read_waiting(NOW + timedelta(days=3))

    assert QuarantinedAddress.objects.get().significant_error_count == 2
