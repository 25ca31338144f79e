"""Mailboxes that reports come to: a maildir, an mbox, IMAP, or standard input.

Each hands over one message at a time, with the way to take it out of the mailbox. It
is taken out only once it is stored and committed, so a crash between the two leaves it
where it is; it is then met again, and known again by its hash.
"""

import hashlib
import imaplib
import mailbox
import os
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol, cast
from urllib.parse import SplitResult, unquote, urlsplit

from django.utils.translation import gettext as _

from delivery.inbound.storing import MOST_BYTES

_CHUNK: Final = 1024 * 1024
_SECONDS: Final = 60
_EXPUNGE_EVERY: Final = 100
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SIZE: Final = re.compile(rb"RFC822\.SIZE ([0-9]+)")


class MailboxError(Exception):
    """A mailbox that cannot be read, or not any further; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Held:
    """One message as its mailbox holds it; of a huge one, the beginning.

    `key` is the hash of the whole, so that two beginnings alike are two messages.
    """

    raw: bytes
    key: str
    remove: Callable[[], None]
    is_cut: bool = False


class Mailbox(Protocol):
    """A place that messages come to."""

    @property
    def name(self) -> str:
        """Name its kind, which is the source of what comes from it."""

    @property
    def place(self) -> str:
        """Say where it is, without a password; empty when nobody else can read it."""

    def messages(self) -> Iterator[Held]:
        """Yield what is in it. Raises MailboxError."""


def read_whole(stream: IO[bytes], remove: Callable[[], None]) -> Held:
    """Read one message: ten megabytes of it are kept, and all of it is hashed."""
    kept = stream.read(MOST_BYTES)
    digest = hashlib.sha256(kept)
    rest = 0
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        rest += len(chunk)
    return Held(kept, digest.hexdigest(), remove, is_cut=rest > 0)


@dataclass(frozen=True, slots=True)
class Maildir:
    """A folder with a file per message, as mail servers deliver into (`new`)."""

    path: Path

    @property
    def name(self) -> str:
        return "maildir"

    @property
    def place(self) -> str:
        return str(self.path)

    def messages(self) -> Iterator[Held]:
        """Yield the messages of `new`, then of `cur`, the oldest name first."""
        for folder in (self.path / "new", self.path / "cur"):
            for path in _files(folder):
                with _troubles(self.path):
                    held = _of_file(path)
                if held is not None:
                    yield held
        if not (self.path / "new").is_dir():
            raise MailboxError(_gone(self.path))


def _files(folder: Path) -> list[Path]:
    with _troubles(folder):
        return sorted(each for each in folder.iterdir() if each.is_file())


def _of_file(path: Path) -> Held | None:
    def remove() -> None:
        path.unlink(missing_ok=True)

    try:
        with path.open("rb") as file:
            return read_whole(file, remove)
    except FileNotFoundError:
        # Another collector was faster, or the mailbox is gone: seen in the end.
        return None


@dataclass(frozen=True, slots=True)
class Mbox:
    """One file with all messages, which mail servers append to under a lock.

    Its content is moved aside under that lock, as movemail does: copied, then cut
    off. What is aside is read from there, also that of a run that was killed.
    """

    path: Path

    @property
    def name(self) -> str:
        return "mbox"

    @property
    def place(self) -> str:
        return str(self.path)

    def messages(self) -> Iterator[Held]:
        """Yield the messages, those of a killed run first."""
        aside = self.path.with_name(f"{self.path.name}.collecting")
        yield from self._of(aside)
        self._move(aside)
        yield from self._of(aside)

    def _move(self, aside: Path) -> None:
        with _troubles(self.path):
            if not self.path.exists():
                raise MailboxError(_gone(self.path))
            # Nothing is changed through it, so closing it writes nothing.
            with closing(mailbox.mbox(self.path, create=False)) as box:
                box.lock()
                _cut_off(self.path, aside)

    def _of(self, aside: Path) -> Iterator[Held]:
        """Yield the messages set aside, and take the file away after the last."""
        if not aside.exists():
            return
        with _troubles(self.path):
            box = mailbox.mbox(aside, create=False)
        with closing(box):
            with _troubles(self.path):
                keys = box.keys()
            for key in keys:
                with _troubles(self.path), box.get_file(key) as file:
                    held = read_whole(cast(IO[bytes], file), _nothing)
                yield held
        aside.unlink(missing_ok=True)


def _cut_off(path: Path, aside: Path) -> None:
    """Copy a file to the disk, and only then empty it."""
    with path.open("r+b") as source:
        if not os.fstat(source.fileno()).st_size:
            return
        part = aside.with_name(f"{aside.name}.part")
        with part.open("wb") as copy:
            while chunk := source.read(_CHUNK):
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        part.replace(aside)
        source.truncate(0)


@dataclass(frozen=True, slots=True)
class Stream:
    """One message that a mail server pipes into us."""

    stream: IO[bytes]

    @property
    def name(self) -> str:
        return "pipe"

    @property
    def place(self) -> str:
        return ""

    def messages(self) -> Iterator[Held]:
        """Yield the one message."""
        yield read_whole(self.stream, _nothing)


class Imap:
    """A mailbox on another machine: imaps://user:password@host/INBOX.

    imap:// begins encryption with STARTTLS, and only talks to this machine without.
    """

    name = "imap"

    def __init__(self, url: str) -> None:
        self._parts: SplitResult = urlsplit(url)
        if self._parts.scheme not in {"imap", "imaps"} or not self._parts.hostname:
            raise MailboxError(
                _(
                    "The mailbox cannot be read: its URL is none of IMAP. Write it as"
                    " imaps://user:password@mail.example.com/INBOX."
                )
            )

    @property
    def place(self) -> str:
        return f"{self._parts.username}@{self._parts.hostname}{self._parts.path}"

    def messages(self) -> Iterator[Held]:
        """Yield the messages of the folder, by their order in it."""
        host = self._parts.hostname or ""
        with _troubles_of(host):
            connection = self._connect(host)
        try:
            with _troubles_of(host):
                uids = self._open(connection)
            for place, uid in enumerate(uids, start=1):
                with _troubles_of(host):
                    held = _fetched(connection, uid)
                if held is not None:
                    yield held
                if place % _EXPUNGE_EVERY == 0:
                    with _troubles_of(host):
                        connection.expunge()
            with _troubles_of(host):
                connection.expunge()
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                connection.logout()
            with suppress(OSError):
                connection.shutdown()

    def _connect(self, host: str) -> imaplib.IMAP4:
        trusted = ssl.create_default_context()
        port = self._parts.port
        if self._parts.scheme == "imaps":
            return imaplib.IMAP4_SSL(
                host, port or 993, ssl_context=trusted, timeout=_SECONDS
            )
        connection = imaplib.IMAP4(host, port or 143, timeout=_SECONDS)
        if host not in _LOOPBACK:
            try:
                connection.starttls(trusted)
            except (imaplib.IMAP4.error, OSError):
                connection.shutdown()
                raise
        return connection

    def _open(self, connection: imaplib.IMAP4) -> list[str]:
        """Sign in, open the folder, and list what is in it."""
        connection.login(
            unquote(self._parts.username or ""), unquote(self._parts.password or "")
        )
        folder = unquote(self._parts.path.strip("/")) or "INBOX"
        status, _count = connection.select(f'"{folder}"')
        if status != "OK":
            raise MailboxError(
                _("The mailbox at %(host)s has no folder %(folder)s. Name one it has.")
                % {"host": connection.host, "folder": folder}
            )
        found = _call(connection, "SEARCH", "UNDELETED")[0] or b""
        return found.decode("ascii").split()


def _fetched(connection: imaplib.IMAP4, uid: str) -> Held | None:
    def remove() -> None:
        with _troubles_of(connection.host):
            _call(connection, "STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")

    # A part that begins at 0 is cut by the server: no bomb comes over the wire.
    part = f"(RFC822.SIZE BODY.PEEK[]<0.{MOST_BYTES}>)"
    for answer in _call(connection, "FETCH", uid, part):
        if isinstance(answer, tuple):
            size = _SIZE.search(answer[0])
            is_cut = size is not None and int(size[1]) > len(answer[1])
            key = hashlib.sha256(answer[1]).hexdigest()
            return Held(answer[1], key, remove, is_cut=is_cut and _is_most(answer[1]))
    return None


def _is_most(raw: bytes) -> bool:
    # Servers count line ends in ways of their own; only a full part was cut.
    return len(raw) >= MOST_BYTES


def _call(connection: imaplib.IMAP4, command: str, *args: str) -> list[bytes]:
    status, answers = connection.uid(command, *args)
    if status != "OK":
        raise MailboxError(
            _("The mailbox at %(host)s refused %(command)s. Look at its rights.")
            % {"host": connection.host, "command": command}
        )
    return cast(list[bytes], answers)


def from_url(url: str) -> Mailbox:
    """Give the mailbox of a URL: maildir:///path, mbox:///path or imaps://…

    Raises MailboxError, which never quotes the URL: there is a password in it.
    """
    parts = urlsplit(url)
    if parts.scheme == "maildir":
        return Maildir(Path(unquote(parts.path)))
    if parts.scheme == "mbox":
        return Mbox(Path(unquote(parts.path)))
    return Imap(url)


def _nothing() -> None:
    """Take nothing out: there is no mailbox, or all of it goes at once."""


@contextmanager
def _troubles(path: Path) -> Iterator[None]:
    try:
        yield
    except mailbox.ExternalClashError as error:
        raise MailboxError(
            _("The mailbox %(path)s is locked by another program. Try again later.")
            % {"path": path}
        ) from error
    except FileNotFoundError as error:
        raise MailboxError(_gone(path)) from error
    except (OSError, mailbox.Error) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise MailboxError(
            _("The mailbox %(path)s cannot be read: %(reason)s. See whose it is.")
            % {"path": path, "reason": reason}
        ) from error


@contextmanager
def _troubles_of(host: str) -> Iterator[None]:
    try:
        yield
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        # What a server says may quote the name that was signed in with.
        raise MailboxError(
            _(
                "The mailbox at %(host)s cannot be read (%(kind)s). See that the"
                " server answers, and that name and password are right."
            )
            % {"host": host, "kind": type(error).__name__}
        ) from error


def _gone(path: Path) -> str:
    return _("The mailbox %(path)s is not there. Make it, or name another one.") % {
        "path": path
    }
