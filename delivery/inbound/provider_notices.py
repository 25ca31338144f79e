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
        found = tuple(_person(each) for each in people[:100])
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    named = tuple(each for each in found if each[0])
    return Notice(_KINDS[kind], named) if kind in _KINDS else None


def _person(person: Any) -> tuple[str, str, str, str]:
    if isinstance(person, str):
        return _address(person), "", "", ""
    names = ("emailAddress", "action", "status", "diagnosticCode")
    address, action, status, text = (str(person.get(name) or "") for name in names)
    return _address(address), action, status, text.partition("; ")[2] or text


def _address(text: str) -> str:
    found = ADDRESS.search(text)
    return found[0] if found else ""
