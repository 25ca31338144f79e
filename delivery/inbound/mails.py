"""Taking a mail apart, whatever it is: bounded in size, parts and depth, and never raising.

A report begins with what matters, so a long mail is read from its beginning. One that is
nested or cut into parts without measure is taken as plain text: nothing in it is worth
the time that its maker wants to cost us.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from html import unescape
from typing import Final

MOST_BYTES: Final = 256 * 1024  # that are read of one mail
MOST_PARTS: Final = 60
MOST_DEPTH: Final = 12
MOST_TEXT: Final = 64 * 1024  # characters of one part
_BOUNDARY: Final = re.compile(rb"boundary\s*=", re.IGNORECASE)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TAG: Final = re.compile(r"<[^<>]{0,2000}>")
_HIDDEN: Final = re.compile(
    r"<(style|script|head)\b[^>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_BREAK: Final = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mail: its type, as `text/plain`, and its text, decoded."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail taken apart: headers in lower case, decoded, and its parts in order.

    `returned` are the headers of the message that came back, when it was attached.
    """

    headers: dict[str, list[str]]
    type: str
    parameters: dict[str, str]
    parts: list[Part] = field(default_factory=list)
    returned: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str) -> str:
        """Give a header; empty when there is none."""
        return next(iter(self.headers.get(name, [])), "")

    def has(self, name: str) -> bool:
        return name in self.headers

    def parts_of(self, *types: str) -> Iterator[Part]:
        return (part for part in self.parts if part.type in types)


def parse(raw: bytes) -> Mail:
    """Take a mail apart. Never raises: of what cannot be read there is nothing."""
    raw = _as_ascii_superset(raw[:MOST_BYTES])
    # A mailbox of the classic kind writes a line of its own before the headers.
    if raw.startswith(b"From ") or raw.startswith(b">From "):
        raw = raw.partition(b"\n")[2]
    raw = raw.lstrip(b"\r\n")
    if len(_BOUNDARY.findall(raw)) > MOST_DEPTH:
        return _flat(raw)
    try:
        message = BytesParser(policy=compat32).parsebytes(raw)
        return _taken_apart(message)
    except (MessageError, ValueError, LookupError, TypeError, RecursionError):
        return _flat(raw)


def text_of_header(value: object) -> str:
    """Decode the words of a header (RFC 2047), as far as they can be."""
    text = str(value)
    if "=?" not in text:
        return _printable(text)
    try:
        pieces = decode_header(text)
    except (MessageError, ValueError, LookupError):
        return _printable(text)
    return _printable(
        "".join(
            piece if isinstance(piece, str) else _decoded(piece, charset or "latin-1")
            for piece, charset in pieces
        )
    )


def text_of_html(html: str) -> str:
    """Give the words of HTML, a line for each block."""
    text = _BREAK.sub("\n", _HIDDEN.sub(" ", html))
    return unescape(_TAG.sub("", text))


def _as_ascii_superset(raw: bytes) -> bytes:
    for mark, charset in _MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(charset, "replace").encode()
    # UTF-16 without its mark: every other byte of its headers is zero.
    for start, charset in ((1, "utf-16-le"), (0, "utf-16-be")):
        sample = raw[start:200:2]
        if len(sample) > 20 and sample.count(0) > len(sample) * 0.9:
            return raw.decode(charset, "replace").encode()
    return raw.replace(b"\0", b"")


def _flat(raw: bytes) -> Mail:
    """Take a mail as headers and one text."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    headers: dict[str, list[str]] = {}
    name = ""
    for line in head.decode("latin-1")[:MOST_TEXT].split("\n"):
        if line[:1] in (" ", "\t") and name:
            headers[name][-1] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        name = name.strip().lower() if colon else ""
        if name:
            headers.setdefault(name, []).append(value.strip())
    decoded = {
        name: [text_of_header(value) for value in values]
        for name, values in headers.items()
    }
    text = body[:MOST_TEXT].decode("utf-8", "replace")
    return Mail(decoded, "text/plain", {}, [Part("text/plain", text)])


def _taken_apart(message: Message) -> Mail:
    parameters = {
        str(name).lower(): text_of_header(value)
        for name, value in (message.get_params() or [])[1:]
    }
    mail = Mail(_headers(message), message.get_content_type(), parameters)
    _walk(message, mail, depth=0)
    return mail


def _walk(message: Message, mail: Mail, *, depth: int) -> None:
    if len(mail.parts) >= MOST_PARTS or depth > MOST_DEPTH:
        return
    kind = message.get_content_type().split()[0]
    payload = message.get_payload()
    if kind.startswith("multipart/") and isinstance(payload, list):
        preamble = message.preamble or ""
        if depth == 0 and len(preamble.strip()) > 60:
            mail.parts.append(Part("text/preamble", preamble[:MOST_TEXT]))
        for part in payload:
            _walk(part, mail, depth=depth + 1)
    elif kind in ("message/rfc822", "message/global") and isinstance(payload, list):
        _take_returned(payload, mail)
    elif kind == "text/rfc822-headers" or kind == "message/global-headers":
        headers = BytesParser(policy=compat32).parsebytes(_text(message).encode())
        _remember(headers, mail)
    elif isinstance(payload, list):
        text = "\n".join(_as_text(part) for part in payload[:MOST_PARTS])
        mail.parts.append(Part(kind, text[:MOST_TEXT]))
    else:
        text = _text(message)
        if kind.startswith("multipart/"):
            # Its parts cannot be told apart: what is there is text.
            kind = "text/plain"
        if kind == "text/html":
            text = text_of_html(text)
        mail.parts.append(Part(kind, text))


def _take_returned(payload: list[Message], mail: Mail) -> None:
    for part in payload[:1]:
        _remember(part, mail)


def _remember(part: Message, mail: Mail) -> None:
    for name, values in _headers(part).items():
        mail.returned.setdefault(name, values)


def _as_text(part: Message) -> str:
    """Write the fields of a block of a report as lines again."""
    lines = [f"{name}: {text_of_header(value)}" for name, value in part.items()]
    inner = part.get_payload()
    rest = inner if isinstance(inner, str) else ""
    if not lines and rest:
        rest = _text(part)
    return "\n".join([*lines, "", rest])


def _headers(message: Message) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in message.items()[:400]:
        headers.setdefault(name.lower(), []).append(text_of_header(value)[:4_000])
    return headers


def _text(message: Message) -> str:
    try:
        raw = message.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        raw = None
    if not isinstance(raw, bytes):
        payload = message.get_payload()
        return payload[:MOST_TEXT] if isinstance(payload, str) else ""
    charset = message.get_content_charset("utf-8") or "utf-8"
    return _decoded(raw[: 4 * MOST_TEXT], charset)[:MOST_TEXT]


def _decoded(raw: bytes, charset: str) -> str:
    if charset.lower() in ("us-ascii", "ascii", "unknown-8bit", "unknown", "8bit"):
        charset = "utf-8"
    if b"\x1b$" in raw:
        charset = "iso2022_jp"
    try:
        text = raw.decode(charset, "replace")
    except (LookupError, ValueError):
        text = raw.decode("latin-1")
    return text.replace("\0", "")


def _printable(text: str) -> str:
    # Bytes beyond ASCII that no rule explains come as surrogates.
    if "\x1b$" in text:
        return _decoded(text.encode("ascii", "replace"), "iso2022_jp")
    if text.isascii():
        return text
    raw = text.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "replace")
