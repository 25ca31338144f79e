"""Notices that Amazon SES sends by mail through SNS: JSON in the body of a mail."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from delivery.inbound.mime import Mail
from delivery.inbound.reports import ADDRESS

_PEOPLE: Final = ("bouncedRecipients", "complainedRecipients", "recipients")
# A server on the way may have broken long lines within a string.
_BROKEN_LINE: Final = re.compile(r"!\r?\n[ \t]")
_LENIENT: Final = json.JSONDecoder(strict=False)
_KINDS: Final = {"bounce": "bounce", "complaint": "complaint", "delivery": "delivered"}


@dataclass(frozen=True, slots=True)
class Notice:
    """What a provider says happened, and to whom: (address, action, status, text)."""

    kind: str
    recipients: tuple[tuple[str, str, str, str], ...]


def find(mail: Mail) -> Notice | None:
    """Find a notice in a mail; None when there is none."""
    for part in mail.parts:
        text = part.text.strip()
        if text.startswith("{") and "otificationType" in text:
            return _read(_BROKEN_LINE.sub("", text))
    return None


def _read(text: str) -> Notice | None:
    try:
        outer = _LENIENT.raw_decode(text)[0]
        inner = outer.get("Message", outer)
        told = _LENIENT.raw_decode(inner)[0] if isinstance(inner, str) else inner
        kind = str(told.get("notificationType") or told.get("eventType") or "").lower()
        about = told.get(kind) or {}
        people: list[Any] = next((about[each] for each in _PEOPLE if each in about), [])
        found = tuple(filter(None, map(_person, people[:100])))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    return Notice(_KINDS.get(kind, ""), found) if kind in _KINDS else None


def _person(person: Any) -> tuple[str, str, str, str] | None:
    told = {"emailAddress": person} if isinstance(person, str) else person
    names = ("emailAddress", "action", "status", "diagnosticCode")
    named, action, status, text = (str(told.get(name) or "") for name in names)
    address = ADDRESS.search(named[:1_000])
    if address is None:
        return None
    return address[0], action, status, text.partition("; ")[2] or text
