"""Taking a mail apart, whatever it is: bounded in size, parts and depth.

Never raises. A report begins with what matters, so a long mail is read from its
beginning. One that is nested or cut into parts without measure is taken as plain text:
nothing in it is worth the time that its maker wants to cost us.
"""

import codecs
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses
from html import unescape
from itertools import islice
from quopri import decodestring
from typing import Any, Final

MOST_BYTES: Final = 256 * 1024  # that are read of one mail
MOST_FOR_OTHERS: Final = 16 * 1024
MOST_PARTS: Final = 60
MOST_BLOCKS: Final = 200  # of a report, one for each recipient
MOST_HEADER: Final = 4_000
MOST_DEPTH: Final = 12
MOST_TEXT: Final = 64 * 1024  # characters of one part
MOST_EMPTY_LINES: Final = 2_000
MOST_EMPTY_FOR_OTHERS: Final = 300
MOST_RULES: Final = 500
_UNREADABLE: Final = (
    MessageError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)
_EMPTY_LINE: Final = re.compile(rb"\n\r?\n|\r\r")
_RULE: Final = re.compile(rb"^--", re.MULTILINE)
_LONG_LINE: Final = re.compile(rb"([^\r\n]{998})[^\r\n]+")
# What opens a level: a boundary, also in pieces (RFC 2231), or a mail within a mail.
_NESTING: Final = re.compile(
    rb"boundary[*0-9]{0,9}\s{0,9}=|^content-type\s{0,9}:\s{0,9}message/",
    re.MULTILINE,
)
# The standard library reads parameters and encoded words in quadratic time, and takes
# a bare CR for the end of a line too.
_LONG_FIELD: Final = re.compile(
    rb"(?:\A|[\r\n])content-[a-z-]{1,40}\s{0,9}:(?:[^\r\n]|\r?\n[ \t]|\r[ \t]){4000}",
    re.IGNORECASE,
)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_RETURNED_TYPES: Final = (
    "message/rfc822",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
)
_TAG: Final = re.compile(r"<[^<>]{0,2000}>")
_HIDDEN: Final = re.compile(
    r"<(style|script|head)\b[^<>]{0,2000}>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_BREAK: Final = re.compile(
    r"<(?:br|/p|/div|/tr|/li|/h\d)\b[^<>]{0,500}>", re.IGNORECASE
)


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
    raw = _prepared(raw)
    try:
        message = _parsed(raw)
        return _flat(raw) if message is None else _taken_apart(message)
    except _UNREADABLE:
        return _flat(raw)


def message_of(raw: bytes) -> Message | None:
    """Parse the beginning of a mail for others to read; None when it is not to be.

    In ASCII, with a sender, and in lines as long as they may be (RFC 5322 section
    2.1.1): others rely on it.
    """
    prepared = _prepared(raw[:MOST_FOR_OTHERS], most_empty=MOST_EMPTY_FOR_OTHERS)
    lines = _LONG_LINE.sub(rb"\1", prepared)
    beginning = lines.decode("ascii", "replace")
    try:
        message = _parsed(beginning.encode("ascii", "replace"))
        is_sent = message is not None and getaddresses([message.get("from", "")])
        return message if is_sent else None
    except _UNREADABLE:
        return None


def text_of_header(value: object) -> str:
    """Decode the words of a header (RFC 2047), as far as they can be."""
    text = str(value)[:MOST_HEADER]
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


def _prepared(raw: bytes, *, most_empty: int = MOST_EMPTY_LINES) -> bytes:
    """Give as much of a mail as is worth reading, from its headers on."""
    raw = _as_ascii_superset(raw[:MOST_BYTES])
    # A mailbox of the classic kind writes a line of its own before the headers.
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    raw = raw.lstrip(b"\r\n")
    # Each empty line may end a block of a report, each line of hyphens a part.
    lines = raw.count(b"\n") + raw.count(b"\r")
    for pattern, most in ((_EMPTY_LINE, most_empty), (_RULE, MOST_RULES)):
        if lines <= most:
            continue
        ends = next(islice(pattern.finditer(raw), most, None), None)
        raw = raw[: ends.start()] if ends else raw
    return raw


def _parsed(raw: bytes) -> Message | None:
    """Parse a mail; None for one made so that its parsing costs too much."""
    lower = raw.lower()
    # To count words costs a tenth of what the pattern does, and settles most mails.
    may_nest = lower.count(b"boundary") + lower.count(b"message/") > MOST_DEPTH
    is_nested = may_nest and len(_NESTING.findall(lower)) > MOST_DEPTH
    if is_nested or _LONG_FIELD.search(raw):
        return None
    return BytesParser(policy=compat32).parsebytes(raw)


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
        for part in _messages(payload):
            _walk(part, mail, depth=depth + 1)
    elif kind in _RETURNED_TYPES and isinstance(payload, list):
        for returned in _messages(payload)[:1]:
            _remember(returned, mail)
    elif kind == "text/rfc822-headers":
        headers = BytesParser(policy=compat32).parsebytes(_text(message).encode())
        _remember(headers, mail)
    elif isinstance(payload, list):
        blocks = _messages(payload)[:MOST_BLOCKS]
        text = "\n".join(map(_as_text, blocks))
        mail.parts.append(Part(kind, _decoded_blocks(text, message)[:MOST_TEXT]))
    else:
        text = _text(message)
        if kind.startswith("multipart/"):
            # Its parts cannot be told apart: what is there is text.
            kind = "text/plain"
        if kind == "text/html":
            text = text_of_html(text)
        mail.parts.append(Part(kind, text))


def _messages(payload: list[Any]) -> list[Message]:
    return [part for part in payload if isinstance(part, Message)]


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


def _decoded_blocks(text: str, message: Message) -> str:
    """Decode what the parser took for blocks, though they were encoded as a whole."""
    encoding = text_of_header(message.get("content-transfer-encoding", "")).lower()
    raw = text.encode("utf-8", "surrogateescape")
    if encoding.strip() == "base64":
        # Letter by letter, so that a broken end spoils only itself.
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        return b64decode(letters[: len(letters) // 4 * 4]).decode("utf-8", "replace")
    if encoding.strip() == "quoted-printable":
        return decodestring(raw).decode("utf-8", "replace")
    return text


def _headers(message: Message) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in message.items()[:400]:
        headers.setdefault(name.lower(), []).append(text_of_header(value))
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
