"""Delivery status notifications (RFC 3464, RFC 6533): the fields that machines write.

They are looked for in their part, and in any text, since programs on the way turn parts
into text. What a block says of its recipient is taken as it is; what it means is
decided in quarantine.qualification.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from delivery.inbound.mime import Mail

REPORT_TYPES: Final = ("message/delivery-status", "message/global-delivery-status")
MOST_RECIPIENTS: Final = 200
_FIELD: Final = re.compile(r"^([A-Za-z][A-Za-z0-9-]{2,40})\s*:[ \t]*(.*)$")
_RECIPIENT_FIELDS: Final = (
    "final-recipient",
    "original-recipient",
    "x-actual-recipient",
)
_ADDRESS_TYPE: Final = re.compile(r"^\s*[A-Za-z0-9-]{1,20}\s*;\s*")
_UTF8_ESCAPE: Final = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
ADDRESS: Final = re.compile(
    r'(?:"[^"\r\n<>]{1,64}"|[^\s<>"(),:;@\[\]\\\'`]{1,64})@[^\s<>"(),:;@\[\]\\\'`]{1,255}'
)
_ROUTE: Final = re.compile(r";\s*@[^:\s]+:")
_STATUS: Final = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Block:
    """What a report says of one recipient, as it says it."""

    final: str
    original: str
    action: str
    status: str
    diagnostic: str

    @property
    def recipient(self) -> str:
        return self.final or self.original


def blocks(mail: Mail) -> list[Block]:
    """List what the reports in a mail say of each recipient."""
    parts = list(mail.parts_of(*REPORT_TYPES)) or [
        part for part in mail.parts if part.type.startswith("text/")
    ]
    found: list[Block] = []
    for part in parts:
        found += list(_blocks_of(part.text))[:MOST_RECIPIENTS]
    return found[:MOST_RECIPIENTS]


def address_of(value: str) -> str:
    """Give the address in a field such as `rfc822; jane@example.com`; may be empty."""
    text = _ADDRESS_TYPE.sub("", value, count=1).strip()
    text = _UTF8_ESCAPE.sub(lambda match: _character(match[1]), text)
    found = ADDRESS.search(text)
    return found[0].rstrip(".") if found else ""


def _character(code: str) -> str:
    number = int(code, 16)
    is_one = 0 < number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if is_one else ""


def _blocks_of(text: str) -> Iterator[Block]:
    for fields in _groups(text.splitlines()):
        if not any(name in fields for name in _RECIPIENT_FIELDS):
            continue
        if not {"action", "status", "diagnostic-code"} & set(fields):
            continue
        final = fields.get("final-recipient", "")
        original = address_of(fields.get("original-recipient", ""))
        original = original or address_of(fields.get("x-actual-recipient", ""))
        status = _STATUS.search(fields.get("status", ""))
        yield Block(
            # A route (RFC 5321 appendix C) leads inside a network, where names differ.
            final="" if _ROUTE.search(final) and original else address_of(final),
            original=original,
            action=_word(fields.get("action", "")),
            status=status[0] if status else "",
            diagnostic=_diagnostic(fields),
        )


def _groups(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Put fields that stand together into groups; a second recipient begins one."""
    fields: dict[str, str] = {}
    last = ""
    for line in lines:
        match = _FIELD.match(line)
        if match:
            last = match[1].lower()
            if last in fields and last in ("final-recipient", "action", "status"):
                yield fields
                fields = {}
            fields[last] = match[2].strip()
        elif line[:1] in (" ", "\t") and line.strip() and last:
            fields[last] += " " + line.strip()
        elif fields and not line.strip():
            if any(name in fields for name in _RECIPIENT_FIELDS):
                yield fields
                fields = {}
            last = ""
        else:
            last = ""
    if fields:
        yield fields


def _word(value: str) -> str:
    return re.split(r"[^A-Za-z-]", value.strip(), maxsplit=1)[0].lower()


def _diagnostic(fields: dict[str, str]) -> str:
    """Give the diagnostic without the name of its kind."""
    for name in ("diagnostic-code", "x-diagnostic-code", "x-supplementary-info"):
        value = fields.get(name, "")
        if value:
            return re.sub(r"^\s*[A-Za-z][A-Za-z0-9-]{1,30}\s*;\s*", "", value)
    comment = re.search(r"\(([^()]{8,})\)", fields.get("status", ""))
    return comment[1] if comment else ""
