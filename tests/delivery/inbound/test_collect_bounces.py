"""The command that collects, as an operator and a mail server call it."""

import mailbox
from io import BytesIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError
from django.utils import timezone

from delivery.inbound import processing, storing, ticking
from delivery.models import Inbound, InboundState
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Status
from tests import factories
from tests.delivery.inbound.report_mails import arf, dsn
from tests.delivery.inbound.test_collecting import make_maildir, make_mbox
from tests.delivery.sending_stage import Wire, make_sending, send_once

pytestmark = pytest.mark.django_db
ADDRESS = "anna@example.com"


@pytest.fixture
def sender(db) -> str:
    factories.make_profile(email=ADDRESS)
    make_sending()
    wire = Wire()
    send_once(wire)
    return wire.taken[0].sender


def pipe_in(monkeypatch, raw: bytes) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=BytesIO(raw)))


def test_maildir_is_collected_read_and_summed_up(sender, tmp_path, capsys):
    mails = [
        dsn(sender, ADDRESS),
        dsn(sender, ADDRESS, number=2),
        dsn("bounces@example.com", ADDRESS),
        arf("Subject: Spring"),
    ]

    call_command("collect_bounces", maildir=make_maildir(tmp_path / "box", mails))

    out, err = capsys.readouterr()
    assert out.splitlines() == ["stored: 4", "known: 0", "bounce: 3", "complaint: 1"]
    assert err == ""
    assert QuarantinedAddress.objects.get().status == Status.QUARANTINE


def test_mbox_is_collected_by_the_command(sender, tmp_path, capsys):
    call_command(
        "collect_bounces", mbox=make_mbox(tmp_path / "box", [dsn(sender, ADDRESS)])
    )

    assert capsys.readouterr().out.splitlines() == [
        "stored: 1",
        "known: 0",
        "bounce: 1",
    ]


def test_mail_from_a_pipe_is_read_by_the_recipient_of_its_envelope(
    sender, monkeypatch, capsys
):
    pipe_in(monkeypatch, dsn("bounces@example.com", ADDRESS))

    call_command("collect_bounces", "--stdin", "--recipient", sender)

    assert capsys.readouterr().out.splitlines() == [
        "stored: 1",
        "known: 0",
        "bounce: 1",
    ]
    assert Inbound.objects.get().state == InboundState.APPLIED


def test_pipe_asks_the_mail_server_to_keep_the_mail_while_the_database_is_down(
    monkeypatch,
):
    pipe_in(monkeypatch, b"Subject: x\r\n\r\n")

    def be_down(*args, **more):
        raise OperationalError

    monkeypatch.setattr(storing, "store", be_down)
    with pytest.raises(CommandError) as caught:
        call_command("collect_bounces", "--stdin")

    assert caught.value.returncode == 75
    assert str(caught.value) == "Nothing was stored: the database does not answer."


def test_mailbox_keeps_its_mail_while_the_database_is_down(tmp_path, monkeypatch):
    path = make_maildir(tmp_path / "box")

    def be_down(*args, **more):
        raise OperationalError

    monkeypatch.setattr(storing, "store", be_down)
    with pytest.raises(CommandError) as caught:
        call_command("collect_bounces", maildir=path)

    assert caught.value.returncode == 1
    assert sum(1 for _ in mailbox.Maildir(path)) == 3


def test_mail_that_is_stored_but_not_read_yet_is_no_failure(monkeypatch, capsys):
    pipe_in(monkeypatch, b"Subject: x\r\n\r\n")

    def be_down(*args, **more):
        raise DatabaseError

    monkeypatch.setattr(processing, "read_waiting", be_down)
    call_command("collect_bounces", "--stdin")

    out, err = capsys.readouterr()
    assert out.splitlines() == ["stored: 1", "known: 0"]
    assert err == "Stored, but not read yet: the worker will read it.\n"


def test_mailbox_that_is_not_there_is_one_sentence(tmp_path, capsys):
    with pytest.raises(CommandError) as caught:
        call_command("collect_bounces", maildir=tmp_path / "none")

    assert caught.value.returncode == 1
    assert str(caught.value).endswith("Make it, or name another one.")
    assert capsys.readouterr().out.splitlines() == ["stored: 0", "known: 0"]


def test_password_of_a_mailbox_is_never_printed(capsys):
    with pytest.raises(CommandError) as caught:
        call_command("collect_bounces", imap="imaps://me:secret@127.0.0.1:9/INBOX")

    out, err = capsys.readouterr()
    assert "secret" not in out + err + str(caught.value)


@pytest.mark.parametrize(
    "arguments", [[], ["--stdin", "--mbox", "x"]], ids=["none", "two"]
)
def test_exactly_one_mailbox_is_named(arguments):
    with pytest.raises(CommandError):
        call_command("collect_bounces", *arguments)


def test_progress_goes_to_standard_error(tmp_path, capsys):
    mails = [f"Subject: {n}\r\n\r\n".encode() for n in range(250)]

    call_command("collect_bounces", maildir=make_maildir(tmp_path / "box", mails))

    assert capsys.readouterr().err.splitlines() == [
        "100 messages collected",
        "200 messages collected",
    ]


def test_worker_collects_from_the_mailbox_of_the_settings_and_reads(
    sender, tmp_path, settings
):
    path = make_maildir(tmp_path / "box", [dsn(sender, ADDRESS)])
    settings.BOUNCE_MAILBOX = f"maildir://{path}"

    tally = ticking.tick(now=timezone.now())

    assert tally.states == {"applied": 1}


def test_mailbox_of_the_settings_that_is_gone_does_not_stop_the_worker(
    tmp_path, settings, caplog
):
    settings.BOUNCE_MAILBOX = f"maildir://{tmp_path / 'none'}"

    assert ticking.tick(now=timezone.now()).count == 0
    assert "Make it, or name another one." in caplog.text
