"""Taking a mail apart, whatever its bytes are: bounded, linear and without exceptions.

The standard library's parser recurses over nested parts and keeps all of them; mails
that come in are made by anybody. So parts are split here, to a bound in bytes, parts
and depth, and what lies beyond is left out. What a charset cannot say becomes a
replacement character.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.header import decode_header
from typing import Final

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_HEADER: Final = 64 * 1024  # bytes of one header block that are read
MOST_VALUE: Final = 8 * 1024  # characters of one field that are kept
MOST_FIELDS: Final = 1_000
MOST_PARTS: Final = 200
MOST_DEPTH: Final = 20
MOST_BODY: Final = 256 * 1024  # bytes of one part that are decoded

_FIELD: Final = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_PARAMETER: Final = re.compile(
    r"(?i);\s*([a-z0-9*'%!#$&+^_`{}~.-]{1,60})\s*=\s*(?:\"([^\"]{0,500})\"?|([^\s;]{0,500}))"
)
_BLANK: Final = re.compile(rb"\n[ \t]*\n")
_ENCODED_WORD: Final = re.compile(r"=\?[^?\s]{1,60}\?[bBqQ]\?")
# Marks of UTF-16, in which even the header is unreadable.
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


@dataclass(slots=True)
class Part:
    """A part of a mail, or the mail itself."""

    # Names in lower case, values unfolded but not decoded.
    fields: list[tuple[str, str]]
    body: bytes
    type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    parts: list["Part"] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """List the values of a field, decoded."""
        return [decoded(value) for each, value in self.fields if each == name]

    def first(self, name: str) -> str:
        """Give the first value of a field, decoded; empty when there is none."""
        for each, value in self.fields:
            if each == name:
                return decoded(value)
        return ""

    @property
    def text(self) -> str:
        """The body as text, lines ended by line feeds."""
        body = self.body[:MOST_BODY]
        encoding = self.first("content-transfer-encoding").strip().lower()
        if encoding == "quoted-printable":
            body = quopri.decodestring(body)
        elif encoding == "base64":
            body = _from_base64(body)
        text = to_text(body, self.parameters.get("charset", ""))
        return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def parse(raw: bytes) -> Part:
    """Take a mail apart. Never raises."""
    raw = raw[:MOST_BYTES]
    charset = _UTF16.get(raw[:2])
    if charset:
        raw = raw.decode(charset, "replace").encode("utf-8", "replace")
    raw = raw.replace(b"\r\n", b"\n")
    if raw.count(b"\r") > 20 and raw.count(b"\n") < 2:
        raw = raw.replace(b"\r", b"\n")
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    raw = raw.lstrip(b"\n")
    mail = _part(raw)
    budget = [MOST_PARTS]
    _split(mail, budget, MOST_DEPTH)
    return mail


def walk(part: Part, *, into_returned: bool = False) -> Iterator[Part]:
    """Go through a mail and its parts, outer ones first.

    The parts of a mail that is attached (message/rfc822) only if `into_returned`.
    """
    yield part
    if part.type.startswith("message/") and not into_returned:
        return
    for each in part.parts:
        yield from walk(each, into_returned=into_returned)


def header_of(raw: bytes) -> Part:
    """Read the header of a returned mail, of which the rest may be missing."""
    return _part(raw.replace(b"\r\n", b"\n").lstrip(b"\n"))


def decoded(value: str) -> str:
    """Decode the encoded words of a field (RFC 2047); what cannot be stays."""
    if "=?" not in value or not _ENCODED_WORD.search(value):
        return value
    try:
        pieces = decode_header(value)
    except (ValueError, LookupError, binascii.Error):
        return value
    return "".join(
        piece if isinstance(piece, str) else to_text(piece, charset or "")
        for piece, charset in pieces
    )


def to_text(octets: bytes, charset: str) -> str:
    """Decode with the charset that is named, else UTF-8, else what cannot fail."""
    named = charset.strip("\"' ").lower()
    if named in {"", "us-ascii", "ascii", "unknown-8bit", "7bit", "8bit"}:
        named = "iso-2022-jp" if b"\x1b$" in octets else "utf-8"
    for each in (named, "utf-8"):
        try:
            return octets.decode(each)
        except (ValueError, LookupError, AssertionError):
            continue
    try:
        return octets.decode(named, "replace")
    except (ValueError, LookupError, AssertionError):
        return octets.decode("latin-1")


def _part(raw: bytes) -> Part:
    head, body = _halves(raw)
    fields = _fields(head)
    part = Part(fields, body)
    for name, value in fields:
        if name == "content-type":
            part.type, part.parameters = _content_type(value)
            break
    return part


def _halves(raw: bytes) -> tuple[bytes, bytes]:
    """Divide header from body at the first empty line."""
    if raw.startswith(b"\n"):
        return b"", raw[1:]
    found = _BLANK.search(raw)
    if found is None:
        return raw[:MOST_HEADER], b""
    return raw[: min(found.start(), MOST_HEADER)], raw[found.end() :]


def _fields(head: bytes) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    current: list[bytes] = []
    for line in [*head.split(b"\n"), b""]:
        if line[:1] in (b" ", b"\t") and current:
            current.append(line.strip())
            continue
        if current:
            _keep(fields, b" ".join(current))
        current = [line] if line else []
        if len(fields) >= MOST_FIELDS:
            break
    return fields


def _keep(fields: list[tuple[str, str]], line: bytes) -> None:
    found = _FIELD.match(line)
    if found is None:
        return
    value = to_text(found[2].strip()[:MOST_VALUE], "")
    fields.append((found[1].decode("ascii").lower(), value))


def _content_type(value: str) -> tuple[str, dict[str, str]]:
    kind, _, rest = value.partition(";")
    parameters = {
        found[1].lower().rstrip("*"): found[2] or found[3] or ""
        for found in _PARAMETER.finditer(";" + rest)
    }
    return kind.strip().lower()[:100], parameters


def _split(part: Part, budget: list[int], depth: int) -> None:
    """Split a part into its parts, as far as the budget of parts and depth goes."""
    if depth <= 0 or budget[0] <= 0:
        return
    if part.type == "message/rfc822" or part.type == "message/global":
        budget[0] -= 1
        inner = _part(_carried(part).lstrip(b"\n"))
        part.parts = [inner]
        _split(inner, budget, depth - 1)
        return
    boundary = part.parameters.get("boundary", "")
    if not part.type.startswith("multipart/"):
        return
    for raw in _between(part.body, boundary, budget):
        inner = _part(raw)
        part.parts.append(inner)
        _split(inner, budget, depth - 1)


def _between(body: bytes, boundary: str, budget: list[int]) -> list[bytes]:
    """Cut a body at its boundaries (RFC 2046 section 5.1); the last may be missing."""
    mark = b"--" + boundary.strip().encode("utf-8", "replace")
    if len(mark) == 2:
        return []
    found = []
    start = 0 if body.startswith(mark) else body.find(b"\n" + mark)
    while start >= 0 and budget[0] > 0:
        line_end = body.find(b"\n", start + 1)
        line = body[start : line_end if line_end >= 0 else len(body)].strip()
        end = body.find(b"\n" + mark, max(line_end, start + 1))
        if line == mark + b"--" or line_end < 0:
            break
        found.append(body[line_end + 1 : end + 1 if end >= 0 else len(body)])
        budget[0] -= 1
        start = end
    return found


def _carried(part: Part) -> bytes:
    """Give the bytes of an attached mail, which may have been encoded."""
    encoding = part.first("content-transfer-encoding").strip().lower()
    if encoding == "base64":
        return _from_base64(part.body[:MOST_BODY]).replace(b"\r\n", b"\n")
    if encoding == "quoted-printable":
        return quopri.decodestring(part.body[:MOST_BODY]).replace(b"\r\n", b"\n")
    return part.body


def _from_base64(body: bytes) -> bytes:
    """Decode as much of broken Base64 as can be."""
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))
    except (ValueError, binascii.Error):
        return body
