"""Mailboxes: stored first, taken out afterwards, and nothing counted twice."""

import hashlib
import mailbox
from io import BytesIO

import pytest
from django.utils import timezone

from delivery.inbound import collecting, mailboxes, storing
from delivery.inbound.collecting import Collected
from delivery.inbound.mailboxes import MailboxError, Maildir, Mbox, Stream
from delivery.models import Inbound, InboundState
from profiles import locks

pytestmark = pytest.mark.django_db
MAILS = [f"Subject: {n}\n\nBody {n}\n".encode() for n in range(3)]


class Killed(Exception):
    """Stands for a process that is killed."""


def make_maildir(path, mails=MAILS):
    box = mailbox.Maildir(path, create=True)
    for each in mails:
        box.add(each)
    return path


def make_mbox(path, mails=MAILS):
    box = mailbox.mbox(path, create=True)
    for each in mails:
        box.add(each)
    box.close()
    return path


def left_in(path):
    return sum(1 for _ in mailbox.Maildir(path))


def stored():
    return sorted(bytes(raw) for raw in Inbound.objects.values_list("raw", flat=True))


def test_maildir_is_emptied_into_the_database(tmp_path):
    path = make_maildir(tmp_path / "box")

    collected = collecting.collect(Maildir(path))

    assert collected == Collected(stored=3, known=0)
    assert stored() == MAILS
    assert left_in(path) == 0


def test_mails_that_a_program_has_seen_are_collected_too(tmp_path):
    path = make_maildir(tmp_path / "box", MAILS[:1])
    box = mailbox.Maildir(path)
    [(key, message)] = box.items()
    message.set_subdir("cur")
    box[key] = message

    assert collecting.collect(Maildir(path)).stored == 1
    assert left_in(path) == 0


def test_same_mail_again_is_stored_once(tmp_path):
    collecting.collect(Maildir(make_maildir(tmp_path / "a", MAILS[:1])))

    again = collecting.collect(Maildir(make_maildir(tmp_path / "b", MAILS[:1])))

    assert again == Collected(stored=0, known=1)
    assert Inbound.objects.count() == 1


def test_crash_between_storing_and_removing_loses_and_doubles_nothing(
    tmp_path, monkeypatch
):
    path = make_maildir(tmp_path / "box")

    def be_killed(self, missing_ok=False):
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr("pathlib.Path.unlink", be_killed)
        collecting.collect(Maildir(path))
    assert Inbound.objects.count() == 1
    assert left_in(path) == 3

    assert collecting.collect(Maildir(path)) == Collected(stored=2, known=1)
    assert stored() == MAILS
    assert left_in(path) == 0


def test_what_cannot_be_stored_stays_in_the_mailbox(tmp_path, monkeypatch):
    path = make_maildir(tmp_path / "box")

    def be_killed(*args, **more):
        raise Killed

    monkeypatch.setattr(storing, "store", be_killed)
    with pytest.raises(Killed):
        collecting.collect(Maildir(path))

    assert left_in(path) == 3


def test_maildir_that_disappears_ends_with_a_sentence_and_keeps_what_is_stored(
    tmp_path,
):
    path = make_maildir(tmp_path / "box")
    collected = Collected()

    def moments():
        while True:
            yield timezone.now()
            path.rename(tmp_path / "elsewhere")
            yield timezone.now()

    clock = moments()
    with pytest.raises(MailboxError, match="is not there. Make it, or name another"):
        collecting.collect(
            Maildir(path), collected=collected, clock=lambda: next(clock)
        )

    assert collected.stored == Inbound.objects.count() >= 1


def test_maildir_that_is_not_there_is_said_in_a_sentence(tmp_path):
    with pytest.raises(MailboxError) as caught:
        collecting.collect(Maildir(tmp_path / "none"))

    assert str(caught.value) == (
        f"The mailbox {tmp_path / 'none'}/new is not there."
        " Make it, or name another one."
    )


def test_mbox_is_emptied_into_the_database(tmp_path):
    path = make_mbox(tmp_path / "box")

    assert collecting.collect(Mbox(path)).stored == 3
    assert path.read_bytes() == b""
    assert stored() == MAILS
    assert list(tmp_path.glob("*.collecting*")) == []


def test_mbox_of_a_killed_run_is_taken_up_again(tmp_path, monkeypatch):
    path = make_mbox(tmp_path / "box")
    real = storing.store

    def be_killed(kind, raw, **more):
        if raw == MAILS[1]:
            raise Killed
        return real(kind, raw, **more)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(storing, "store", be_killed)
        collecting.collect(Mbox(path))
    make_mbox(path, [b"Subject: later\n\nLater\n"])

    assert collecting.collect(Mbox(path)) == Collected(stored=3, known=1)
    assert Inbound.objects.count() == 4
    assert path.read_bytes() == b""


def test_mbox_locked_by_another_program_is_left_alone(tmp_path):
    path = make_mbox(tmp_path / "box")
    before = path.read_bytes()
    other = tmp_path / "box.lock"
    other.touch()

    with pytest.raises(MailboxError, match="is locked by another program"):
        collecting.collect(Mbox(path))

    assert path.read_bytes() == before


def test_mailbox_is_collected_by_one_process_at_a_time(tmp_path):
    path = make_maildir(tmp_path / "box")
    name = hashlib.blake2b(str(path).encode(), digest_size=8).hexdigest()

    with locks.held(f"collecting-{name}"), pytest.raises(MailboxError) as caught:
        collecting.collect(Maildir(path))

    assert str(caught.value) == (
        "Another process collects from this mailbox."
        " Let it end, or end it, and try again."
    )


def test_huge_mail_is_stored_cut_with_a_note(monkeypatch):
    monkeypatch.setattr(mailboxes, "MOST_BYTES", 10)
    monkeypatch.setattr(mailboxes, "_CHUNK", 4)

    collecting.collect(Stream(BytesIO(b"0123456789abc")))
    collecting.collect(Stream(BytesIO(b"0123456789abd")))

    rows = list(Inbound.objects.order_by("pk"))
    assert [bytes(row.raw) for row in rows] == [b"0123456789"] * 2
    assert {row.note for row in rows} == {
        "Longer than ten megabytes: only its beginning was kept."
    }
    assert {row.state for row in rows} == {InboundState.STORED}


def test_envelope_recipient_is_kept_beside_the_bytes():
    collecting.collect(Stream(BytesIO(MAILS[0])), recipient="b-token@example.com")

    row = Inbound.objects.get()
    assert row.recipient == "b-token@example.com"
    assert bytes(row.raw) == MAILS[0]


@pytest.mark.parametrize(
    ("url", "kind"),
    [("maildir:///var/mail/b%20x", Maildir), ("mbox:///var/mail/b", Mbox)],
    ids=["maildir", "mbox"],
)
def test_mailbox_is_named_by_a_url(url, kind):
    assert isinstance(mailboxes.from_url(url), kind)


def test_url_of_no_mailbox_is_refused_without_quoting_its_password():
    with pytest.raises(MailboxError) as caught:
        mailboxes.from_url("pop://bounces:secret@mail.example.com/")

    assert "secret" not in str(caught.value)
    assert "imaps://user:password@mail.example.com/INBOX" in str(caught.value)


def test_mailbox_of_the_settings_is_collected(tmp_path, settings):
    settings.BOUNCE_MAILBOX = f"maildir://{make_maildir(tmp_path / 'box')}"

    assert collecting.collect_from_settings().stored == 3


def test_without_a_mailbox_in_the_settings_nothing_is_collected(settings):
    settings.BOUNCE_MAILBOX = ""

    assert collecting.collect_from_settings() == Collected()


def test_mail_removed_before_it_is_stored_would_be_noticed(tmp_path, monkeypatch):
    class Hasty(Maildir):
        def messages(self):
            for held in super().messages():
                held.remove()
                yield held

    def be_killed(*args, **more):
        raise Killed

    path = make_maildir(tmp_path / "box")
    monkeypatch.setattr(storing, "store", be_killed)
    with pytest.raises(Killed):
        collecting.collect(Hasty(path))

    assert left_in(path) != 3
