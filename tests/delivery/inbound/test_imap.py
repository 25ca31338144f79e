"""A mailbox on another machine, by IMAP."""

import imaplib

import pytest

from delivery.inbound import collecting, mailboxes
from delivery.inbound.collecting import Collected
from delivery.inbound.mailboxes import MailboxError
from delivery.models import Inbound
from tests.delivery.inbound.fake_imap import FakeImap

pytestmark = pytest.mark.django_db
MAILS = [f"Subject: {n}\r\n\r\nBody {n}\r\n".encode() for n in range(3)]


def test_imap_mailbox_is_emptied_into_the_database():
    with FakeImap(MAILS) as server:
        collected = collecting.collect(mailboxes.Imap(server.url))

    assert collected == Collected(stored=3, known=0)
    assert sorted(bytes(row.raw) for row in Inbound.objects.all()) == MAILS
    assert server.mails == {}
    assert 'SELECT "Bounces"' in server.commands


def test_mail_is_marked_only_after_it_is_stored():
    with FakeImap(MAILS[:1]) as server:
        box = mailboxes.Imap(server.url).messages()
        held = next(box)
        assert server.flagged == set()
        held.remove()
        box.close()

    assert server.flagged == {1}


def test_server_that_goes_away_in_mid_run_keeps_what_is_not_stored():
    with FakeImap(MAILS, dies_after=2) as server:
        collected = Collected()
        with pytest.raises(MailboxError) as caught:
            collecting.collect(mailboxes.Imap(server.url), collected=collected)

    assert collected == Collected(stored=2, known=0)
    assert Inbound.objects.count() == 2
    assert 3 in server.mails
    assert 3 not in server.flagged
    assert str(caught.value).startswith("The mailbox at 127.0.0.1 cannot be read (")


def test_wrong_password_is_said_without_quoting_it():
    with FakeImap(MAILS) as server, pytest.raises(MailboxError) as caught:
        collecting.collect(mailboxes.Imap(server.url.replace("s%40cret", "wrong")))

    assert "wrong" not in str(caught.value)
    assert "See that the server answers" in str(caught.value)
    assert Inbound.objects.count() == 0


def test_server_that_is_not_there_is_said_in_a_sentence():
    with FakeImap([]) as server:
        url = server.url

    with pytest.raises(MailboxError, match="The mailbox at 127.0.0.1 cannot be read"):
        collecting.collect(mailboxes.Imap(url))


def test_mail_without_encryption_is_for_this_machine_only(monkeypatch):
    asked = []

    class Plain:
        host = "mail.example.com"

        def __init__(self, host, port, timeout):
            asked.append(host)

        def starttls(self, context):
            asked.append("starttls")
            raise OSError("no encryption offered")

        def shutdown(self):
            asked.append("shutdown")

    Plain.error = imaplib.IMAP4.error
    monkeypatch.setattr("imaplib.IMAP4", Plain)
    with pytest.raises(MailboxError):
        collecting.collect(mailboxes.Imap("imap://u:p@mail.example.com/INBOX"))

    assert asked == ["mail.example.com", "starttls", "shutdown"]
