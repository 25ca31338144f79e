"""Notes of a provider about our own mail, sent as JSON in a mail."""

import json
from typing import Any, Final

from delivery.inbound.complaints import Complaint
from delivery.inbound.meanings import ReadRecipient
from quarantine.qualification import enhanced_of, qualify_report, reply_of

MOST_RECIPIENTS: Final = 100
Note = dict[str, Any]


def find(text: str) -> Note | None:
    """Find a note of Amazon SES at the head of a text; None when there is none."""
    start = text.find("{")
    if start < 0 or start > 200 or '"notificationType"' not in text:
        return None
    joined = text[start:].replace("\n", "")
    try:
        note, _ = json.JSONDecoder(strict=False).raw_decode(joined)
    except (ValueError, RecursionError):
        return None
    return note if isinstance(note, dict) else None


def kind_of(note: Note) -> str:
    return str(note.get("notificationType", ""))


def complaint_of(note: Note) -> Complaint:
    said = _inner(note, "complaint")
    named = [
        _text(each, "emailAddress") for each in _list(said, "complainedRecipients")
    ]
    kind = _text(said, "complaintFeedbackType").lower() or "abuse"
    return Complaint(kind, tuple(each for each in named if each))


def recipients_of(note: Note, action: str) -> list[ReadRecipient]:
    """Read whom a bounce or a delivery of the note is about."""
    found = []
    for each in _list(_inner(note, "bounce"), "bouncedRecipients")[:MOST_RECIPIENTS]:
        address = _text(each, "emailAddress")
        words = _text(each, "diagnosticCode").partition(";")[2].strip()
        status = enhanced_of(words) or _text(each, "status")
        if address:
            found.append(
                ReadRecipient(
                    recipient=address,
                    qualification=qualify_report(words, status=status, action=action),
                    action=action,
                    status=status,
                    reply=str(reply_of(words, enhanced_of(words)) or ""),
                    diagnostic=words[:2_000],
                )
            )
    for address in _list(_inner(note, "delivery"), "recipients")[:MOST_RECIPIENTS]:
        if isinstance(address, str) and address:
            found.append(
                ReadRecipient(
                    recipient=address,
                    qualification=qualify_report("", action="delivered"),
                    action="delivered",
                )
            )
    return found


def _inner(note: Note, name: str) -> Note:
    value = note.get(name)
    return value if isinstance(value, dict) else {}


def _list(note: Note, name: str) -> list[Any]:
    value = note.get(name)
    return value if isinstance(value, list) else []


def _text(note: Any, name: str) -> str:
    value = note.get(name) if isinstance(note, dict) else None
    return value if isinstance(value, str) else ""
