"""Mail: from subject, text and HTML to the bytes of one message (RFC 5322).

What is the same in all messages of a delivery is encoded once; a message costs its own
subject, parts and links. All of it is 7-bit, in lines of at most 998 bytes, with CRLF,
so that no server on the way has a reason to touch it. What could break a header is
refused, and then fails that message alone.
"""

import binascii
import hmac
import re
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from django.conf import settings

from optout import mail_tokens
from optout.list_headers import HeaderPair
from optout.mail_tokens import MailLink, MailPurpose

_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")
_BREAKS: Final = re.compile(r"[\0-\x1f\x7f]")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_SENDER: Final = re.compile(
    r"\s*(?:(?P<name>[^<>]*?)\s*<(?P<in>[^<>]+)>|(?P<bare>[^<>\s]+))\s*"
)
_ADDRESS: Final = re.compile(r'[^\s<>@",;:\\()\[\]\0]+@[^\s<>@",;:\\()\[\]\0]+')
# The ids and the MAC of message_id(); ids have 18 digits at most, as 63 bits have.
_MESSAGE_NAME: Final = re.compile(
    r"([0-9]{1,18})\.([0-9]{1,18})\.[a-z2-7]{16}(?=@)", re.ASCII | re.IGNORECASE
)
_LONGEST_LINE: Final = 998
_FOLD: Final = 76


class MailError(Exception):
    """A message that cannot be a mail; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Who a mail is from, or answers go to: a name, perhaps empty, and an address."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Letter:
    """The personal parts of one mail; `html` is a whole document, or empty."""

    recipient: str
    subject: str
    text: str
    html: str
    message_id: str
    list_headers: Sequence[HeaderPair] = ()


class Assembler:
    """Makes the mails of one delivery, which differ in their Letter only."""

    def __init__(
        self, *, sender: str, reply_to: str, feedback_id: str, date: datetime
    ) -> None:
        """Prepare sender, answers and date. Raises MailError for what is no mailbox."""
        from_header = _folded("From", _written(mailbox(sender)))
        common = [from_header]
        if reply_to:
            common.append(_folded("Reply-To", _written(mailbox(reply_to))))
        common.append(f"Date: {format_datetime(date)}\r\n")
        common.append(_folded("Feedback-ID", _checked("Feedback-ID", feedback_id)))
        common.append("MIME-Version: 1.0\r\n")
        self._common = "".join(common)
        # In no text of ours: quoted-printable writes an equals sign otherwise.
        self._boundary = _boundary(self._common)

    def assemble(self, letter: Letter) -> bytes:
        """Give the bytes of one mail. Raises MailError for that mail alone."""
        headers = [
            self._common,
            _folded("To", address_on_the_wire(letter.recipient)),
            _subject(letter.subject),
            _folded("Message-ID", f"<{letter.message_id}>"),
        ]
        headers += [pair.value.fold(policy=SMTP) for pair in letter.list_headers]
        if not letter.html:
            return _utf8("".join(headers) + _PLAIN, _quoted(letter.text))
        boundary = self._boundary
        return _utf8(
            "".join(headers)
            + f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'
            f"\r\n--{boundary}\r\n{_PLAIN}",
            _quoted(letter.text),
            f"\r\n--{boundary}\r\n{_HTML}".encode(),
            _quoted(letter.html),
            f"\r\n--{boundary}--\r\n".encode(),
        )


def _boundary(common: str) -> str:
    """Give the same boundary at every attempt, and none that a reader could foresee."""
    key = next(iter(settings.PUBLIC_LINK_KEYS.values())).encode()
    return f"=_{hmac.digest(key, common.encode(), 'sha256').hex()[:32]}"


_PLAIN: Final = (
    'Content-Type: text/plain; charset="utf-8"\r\n'
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)
_HTML: Final = _PLAIN.replace("text/plain", "text/html")


def verp_sender(link: MailLink, domain: str) -> str:
    """Give the envelope sender of a message: what comes back there is about it.

    48 characters of token behind `b-`, within the 64 of a local part (RFC 5321
    section 4.5.3.1.1).
    """
    return f"b-{mail_tokens.make(link, MailPurpose.VERP)}@{domain}"


def message_id(analysis_id: int, profile_id: int, domain: str) -> str:
    """Give the Message-ID of a message, without brackets: the same at every attempt.

    Hard to forge or guess: HMAC-SHA256, 80 bits of it, under the first key of the ring.
    """
    ring = next(iter(settings.PUBLIC_LINK_KEYS.values()))
    return f"{_message_name(analysis_id, profile_id, ring)}@{domain}"


def read_message_id(text: str) -> tuple[int, int] | None:
    """Give the analysis and the profile of a Message-ID of ours; None for any other."""
    found = _MESSAGE_NAME.match(text)
    if found is None:
        return None
    analysis_id, profile_id = int(found[1]), int(found[2])
    is_ours = False
    for ring in settings.PUBLIC_LINK_KEYS.values():
        name = _message_name(analysis_id, profile_id, ring)
        is_ours |= hmac.compare_digest(name, found[0].lower())
    return (analysis_id, profile_id) if is_ours else None


def _message_name(analysis_id: int, profile_id: int, ring: str) -> str:
    text = f"campaign message id: {analysis_id:d}.{profile_id:d}"
    mac = hmac.digest(ring.encode(), text.encode(), "sha256")[:10]
    return f"{analysis_id:d}.{profile_id:d}.{b32encode(mac).decode().lower()}"


def mailbox(text: str) -> Mailbox:
    """Read `Name <address>` or `address`. Raises MailError for anything else."""
    if _BREAKS.search(text):
        raise MailError(
            f"The mailbox {text[:80]!r} has line breaks or control characters in it."
            " Take them out."
        )
    found = _SENDER.fullmatch(text)
    address = (found["in"] or found["bare"]).strip() if found else ""
    if found is None or not _ADDRESS.fullmatch(address):
        raise MailError(
            f"{text[:80]!r} is no mailbox. Write it as Name <name@example.com>."
        )
    name = (found["name"] or "").strip()
    if name.startswith('"') and name.endswith('"') and len(name) > 1:
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return Mailbox(name, address_on_the_wire(address))


def address_on_the_wire(address: str) -> str:
    """Give an address with its domain as A-labels (RFC 5890).

    Raises MailError for what would break a header.
    """
    if _BREAKS.search(address) or not address.isprintable() or " " in address:
        raise MailError("The address has characters that no header can hold.")
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    return f"{local}{at}{_a_labels(domain)}"


@lru_cache(maxsize=4096)
def _a_labels(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        raise MailError(
            f"The domain {domain!r} cannot be written as A-labels."
        ) from None


def _written(box: Mailbox) -> str:
    if not box.name:
        return box.address
    if not box.name.isascii():
        # Words of 75 characters at most, with a space between: _folded() takes it on.
        encoded = Header(box.name, "utf-8", maxlinelen=75).encode(linesep="")
        return f"{encoded} <{box.address}>"
    if _ATOMS.fullmatch(box.name):
        return f"{box.name} <{box.address}>"
    quoted = re.sub(r'(["\\])', r"\\\1", box.name)
    return f'"{quoted}" <{box.address}>'


def _subject(text: str) -> str:
    _checked("Subject", text)
    if text.isascii() and len(text) < _LONGEST_LINE - 10 and "=?" not in text:
        return _folded("Subject", text)
    return f"Subject: {Header(text, 'utf-8', maxlinelen=65).encode(linesep=CRLF)}\r\n"


CRLF: Final = "\r\n"


def _checked(name: str, value: str) -> str:
    if _BREAKS.search(value):
        raise MailError(f"The header {name} would have line breaks in it.")
    return value


def _folded(name: str, value: str) -> str:
    """Write a header, folded before spaces where it is long (RFC 5322, 2.2.3)."""
    line = f"{name}: {value}"
    if len(line) <= _FOLD:
        return line + CRLF
    lines = []
    first = len(name) + 3  # never right after the colon
    while len(line) > _FOLD:
        cut = line.rfind(" ", first, _FOLD)
        cut = cut if cut > 0 else line.find(" ", _FOLD)
        if cut < 0 or not line[cut:].strip():
            break
        lines.append(line[:cut])
        line, first = line[cut:], 1
    lines.append(line)
    if any(len(each) > _LONGEST_LINE for each in lines):
        raise MailError(f"The header {name} has a line of more than 998 characters.")
    return CRLF.join(lines) + CRLF


def _quoted(text: str) -> bytes:
    """Write a part in quoted-printable (RFC 2045 section 6.7), with CRLF."""
    unified = _LINE_ENDS.sub("\n", text) if "\r" in text else text
    body = unified.encode("utf-8", "replace")
    return binascii.b2a_qp(body, istext=True).replace(b"\n", b"\r\n")


def _utf8(head: str, *rest: bytes) -> bytes:
    # A local part may be beyond ASCII (RFC 6532); all else is ASCII by construction.
    return b"".join((head.encode(), *rest))
