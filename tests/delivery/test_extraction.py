"""Deliveries by file: produced once, closed once, handed over, removed in time."""

import hashlib
import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from delivery import analysis, erasure, extraction, lifecycle, parts
from delivery.extraction import ExtractionError, State
from delivery.models import (
    Attempt,
    Delivery,
    Extraction,
    ExtractionDownload,
    ExtractionRow,
    Message,
    Part,
    Slot,
)
from delivery.states import DeliveryStatus, MessageStatus
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories
from tests.delivery.extraction_stage import (
    handed_over,
    make_file,
    make_people,
    make_person,
    opt_out,
    people_in,
    rows_of,
    sent_and_written,
)
from tests.delivery.sending_stage import make_sending, send_once_by_settings, status_of

pytestmark = pytest.mark.django_db


def test_file_has_everybody_once_and_the_delivery_is_finished():
    make_people(3)

    delivery = make_file()

    assert delivery.status == DeliveryStatus.FINISHED
    assert people_in(handed_over(delivery)) == ["P0", "P1", "P2"]
    sent, written = sent_and_written(delivery)
    assert len(sent) == 3 and sent == written
    assert Extraction.objects.get().row_count == 3


def test_nobody_is_called_sent_before_the_file_is_made(monkeypatch):
    people = make_people(2)
    delivery = make_sending(channel=Channel.DIRECT_MAIL, html="")
    monkeypatch.setattr(extraction, "produce", lambda *args, **how: False)

    send_once_by_settings()

    assert status_of(delivery, people[0]) == MessageStatus.SENDING
    assert Attempt.objects.filter(code="row_written").count() == 2
    with pytest.raises(ExtractionError, match="it is not finished yet"):
        handed_over(delivery)


def test_file_is_produced_once():
    make_people(1)
    delivery = make_file()
    produced_at = Extraction.objects.get().produced_at

    assert not extraction.produce(delivery.extraction, now=timezone.now())
    assert extraction.finish_done(now=timezone.now()) == 0
    assert Extraction.objects.get().produced_at == produced_at


def test_file_never_changes_once_it_was_handed_over():
    people = make_people(3)
    delivery = make_file()
    first = handed_over(delivery, by="anna")

    opt_out(people[0])
    erasure.erase(people[1], by="tests", reason="asked", now=timezone.now())
    Profile.objects.filter(pk=people[2].pk).update(first_name="Other")

    assert handed_over(delivery, by="bo") == first
    file = Extraction.objects.get()
    assert file.sha256 == hashlib.sha256(first).hexdigest()
    assert (file.size, file.row_count) == (len(first), 3)
    assert status_of(delivery, people[0]) == MessageStatus.SENT


def test_every_download_is_logged():
    make_people(1)
    delivery = make_file()

    handed_over(delivery, by="anna")
    handed_over(delivery, by="bo")

    log = ExtractionDownload.objects.order_by("pk")
    assert list(log.values_list("downloaded_by", flat=True)) == ["anna", "bo"]


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (
            lambda delivery: lifecycle.cancel(delivery, now=timezone.now()),
            MessageStatus.CANCELLED,
        ),
        (
            lambda delivery: Delivery.objects.update(expires_at=timezone.now()),
            MessageStatus.EXPIRED,
        ),
    ],
    ids=["cancelled", "expired"],
)
def test_delivery_that_is_over_has_no_file(monkeypatch, end, status):
    people = make_people(2)
    delivery = make_sending(channel=Channel.DIRECT_MAIL, html="")
    with monkeypatch.context() as patch:
        patch.setattr(extraction, "produce", lambda *args, **how: False)
        send_once_by_settings()
    assert ExtractionRow.objects.count() == 2

    end(delivery)
    send_once_by_settings()

    assert {status_of(delivery, person) for person in people} == {status}
    assert not ExtractionRow.objects.exists()
    assert extraction.of(delivery).state == State.NONE
    with pytest.raises(ExtractionError, match="cancelled or expired before"):
        handed_over(delivery)


def test_paused_delivery_makes_no_file_until_it_is_resumed(monkeypatch):
    make_people(1)
    delivery = make_sending(channel=Channel.DIRECT_MAIL, html="")
    with monkeypatch.context() as patch:
        patch.setattr(extraction, "produce", lambda *args, **how: False)
        send_once_by_settings()
    lifecycle.pause(delivery)

    send_once_by_settings()
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.PAUSED
    assert Extraction.objects.get().produced_at is None

    lifecycle.resume(delivery)
    send_once_by_settings()
    assert people_in(handed_over(delivery)) == ["P0"]


def test_row_of_a_dead_worker_counts_and_what_has_none_is_begun_again():
    people = make_people(3)
    delivery = make_sending(channel=Channel.DIRECT_MAIL, html="")
    dead = Slot.objects.create(host="gone", pid=1, started_at=timezone.now())
    Part.objects.update(slot=dead)
    Message.objects.filter(profile_id__in=[people[0].pk, people[1].pk]).update(
        status=MessageStatus.SENDING, attempt_count=1
    )
    ExtractionRow.objects.create(
        extraction_id=delivery.pk, profile_id=people[0].pk, line="as,written,P0\r\n"
    )

    send_once_by_settings()

    content = handed_over(delivery)
    assert b"as,written,P0\r\n" in content
    assert len(rows_of(content)) == 3
    lost = Attempt.objects.filter(code="worker_lost")
    assert list(lost.values_list("profile_id", flat=True)) == [people[1].pk]


def test_person_has_one_row_however_often_it_is_written():
    (person,) = make_people(1)
    delivery = make_sending(channel=Channel.DIRECT_MAIL, html="")
    dead = Slot.objects.create(host="gone", pid=1, started_at=timezone.now())
    ExtractionRow.objects.create(
        extraction_id=delivery.pk, profile_id=person.pk, line="old\r\n"
    )
    assert parts.recover(dead.pk, now=timezone.now()) == 0

    send_once_by_settings()

    assert people_in(handed_over(delivery)) == ["P0"]
    assert ExtractionRow.objects.get().line != "old\r\n"


def test_erasure_takes_the_row_at_once_while_nobody_has_the_file():
    (person,) = make_people(1)
    make_file()

    erasure.erase(person, by="tests", reason="asked", now=timezone.now())

    assert not ExtractionRow.objects.exists()


def test_rows_go_when_they_have_served_their_time_and_the_log_stays(settings):
    make_people(2)
    delivery = make_file()
    handed_over(delivery, by="anna")
    now = timezone.now()

    minute = timedelta(minutes=1)
    assert extraction.purge(now=now + settings.EXTRACTION_RETENTION - minute) == 0
    assert extraction.purge(now=now + settings.EXTRACTION_RETENTION + minute) == 1

    assert not ExtractionRow.objects.exists()
    file = Extraction.objects.get()
    assert (file.row_count, len(file.sha256)) == (2, 64)
    assert extraction.of(delivery).state == State.REMOVED
    assert ExtractionDownload.objects.get().downloaded_by == "anna"
    with pytest.raises(ExtractionError, match="kept for a while and then removed"):
        handed_over(delivery)


def test_file_that_nobody_has_fetched_is_kept(settings):
    make_people(1)
    make_file()

    later = timezone.now() + 2 * settings.EXTRACTION_RETENTION
    assert extraction.purge(now=later) == 0


def test_command_line_writes_the_same_bytes_and_is_logged(tmp_path):
    make_people(2)
    delivery = make_file()
    path = tmp_path / "letters.csv"
    stdout = io.StringIO()

    call_command("export_extraction", str(delivery.pk), output=path)
    call_command("export_extraction", str(delivery.pk), stdout=stdout)

    assert path.read_bytes() == stdout.getvalue().encode() == handed_over(delivery)
    logged = ExtractionDownload.objects.values_list("downloaded_by", flat=True)
    assert list(logged)[:2] == ["command line"] * 2
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_handed_over_where_nothing_can_be_written(tmp_path):
    make_people(1)
    delivery = make_file()

    with pytest.raises(CommandError, match="cannot be written: No such file"):
        call_command(
            "export_extraction", str(delivery.pk), output=tmp_path / "no" / "x.csv"
        )

    assert Extraction.objects.get().closed_at is None
    assert not ExtractionDownload.objects.exists()


def test_delivery_without_a_file_is_refused():
    factories.make_profile()
    delivery = factories.make_analysed_delivery()

    with pytest.raises(CommandError) as refusal:
        call_command("export_extraction", str(delivery.pk))

    assert str(refusal.value) == (
        "The file of delivery ‘Spring’ cannot be handed over: it has none. Confirm a"
        " delivery by phone, direct mail, fax or push."
    )


@pytest.mark.parametrize(
    "channel", [Channel.PHONE, Channel.DIRECT_MAIL, Channel.FAX, Channel.PUSH]
)
def test_every_channel_by_file_is_made_confirmed_and_sent(channel, tmp_path, capsys):
    person = make_person("A")
    if channel != Channel.DIRECT_MAIL:
        factories.make_address(profile=person, channel=channel, value="+46701740605")
    text = tmp_path / "text.txt"
    text.write_text("Hello {{ profile.external_id }}")

    call_command("create_delivery", "X", channel=channel.code, text=str(text))
    delivery = Delivery.objects.get()
    analysis.prepare(delivery, by="tests", now=timezone.now())
    call_command("confirm_delivery", str(delivery.pk))
    call_command("send_deliveries", once=True, connections=1)

    (row,) = rows_of(handed_over(delivery))
    assert row["text"] == "Hello A"
    assert row["return_code"] == f"{delivery.pk}-{person.pk}"
