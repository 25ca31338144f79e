"""Notices that Amazon SES sends by mail through SNS: JSON in the body of a mail."""

import json
from dataclasses import dataclass
from typing import Any, Final

from delivery.inbound.mails import Mail

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
            return _read(text)
    return None


def _read(text: str) -> Notice | None:
    try:
        outer = json.JSONDecoder().raw_decode(text)[0]
        inner = outer.get("Message", outer)
        told = json.loads(inner) if isinstance(inner, str) else inner
        kind = str(told.get("notificationType") or told.get("eventType") or "").lower()
        about = told.get(kind) or {}
        people = about.get(f"{kind}edRecipients" if kind == "bounce" else f"{kind}Recipients")
        people = people or about.get("bouncedRecipients") or about.get("recipients") or []
        found = tuple(_person(each) for each in people[:100])
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    return Notice(_KINDS.get(kind, ""), found) if kind in _KINDS else None


def _person(person: Any) -> tuple[str, str, str, str]:
    if isinstance(person, str):
        return person, "", "", ""
    names = ("emailAddress", "action", "status", "diagnosticCode")
    address, action, status, text = (str(person.get(name) or "") for name in names)
    return address, action, status, text.partition("; ")[2] or text
