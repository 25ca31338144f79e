"""Reports that a machine can read: RFC 3464, and RFC 6533 for addresses in UTF-8."""

import re
from typing import Final

from delivery.inbound.addresses import clean
from delivery.inbound.mails import Part, walk
from delivery.inbound.meanings import ReadRecipient
from delivery.inbound.phases import phase_of
from quarantine.qualification import enhanced_of, qualify_report, reply_of

MOST_RECIPIENTS: Final = 500
_FIELD: Final = re.compile(r"\s?([A-Za-z][A-Za-z-]{1,60})\s*:[ \t]*(.*)")
# The fields that a recipient's block is made of.
_OF_RECIPIENT: Final = frozenset(
    {
        "original-recipient",
        "final-recipient",
        "x-actual-recipient",
        "action",
        "status",
        "diagnostic-code",
        "remote-mta",
        "last-attempt-date",
        "will-retry-until",
    }
)
_REPORT_TYPES: Final = frozenset(
    {"message/delivery-status", "message/global-delivery-status"}
)
_LONGEST_DIAGNOSTIC: Final = 2_000
Fields = dict[str, str]


def find(mail: Part) -> list[Fields]:
    """Find the blocks of all recipients, wherever in the mail the report stands."""
    for into_returned in (False, True):
        blocks = [
            block
            for part in walk(mail, into_returned=into_returned)
            if part.type in _REPORT_TYPES
            for block in blocks_of(part.text)
        ]
        if blocks:
            return blocks[:MOST_RECIPIENTS]
    return []


def blocks_of(text: str) -> list[Fields]:
    """Divide the fields of a report into the blocks of its recipients.

    By the fields that repeat rather than by empty lines, which many leave out or put
    where none belong.
    """
    blocks: list[Fields] = []
    current: Fields = {}
    last = ""
    for line in text.split("\n"):
        if not line.strip():
            if "final-recipient" in current and "action" in current:
                blocks.append(current)
                current = {}
            last = ""
            continue
        found = _FIELD.match(line)
        if line[0] in " \t" and last and (not found or line[:1] == "\t"):
            current[last] += "\n" + line.strip()
            continue
        if found is None:
            if last == "diagnostic-code":
                current[last] += "\n" + line.strip()
            continue
        last = found[1].lower()
        if last in current and last in _OF_RECIPIENT:
            blocks.append(current)
            current = {}
        current.setdefault(last, "")
        current[last] += found[2].strip()
    blocks.append(current)
    return [block for block in blocks if _names_recipient(block)]


def recipient_of(block: Fields, said: str = "") -> ReadRecipient | None:
    """Read one block; None when it names nobody.

    `said` is what the part for people says of it, asked when the block is silent.
    """
    final = clean(block.get("final-recipient", ""))
    original = clean(block.get("original-recipient", ""))
    address = final if "@" in final else original or final
    if not address:
        return None
    action = block.get("action", "").split("(")[0].split(";")[0].strip().lower()
    diagnostic = _without_type(block.get("diagnostic-code", ""))
    status = enhanced_of(block.get("status", ""))
    phase = phase_of(diagnostic)
    qualification = qualify_report(
        diagnostic, status=status, action=action, phase=phase
    )
    if said and (qualification.needs_review or qualification.is_vague):
        by_words = qualify_report(said, status=status, action=action)
        if not (by_words.needs_review or by_words.is_vague):
            qualification = by_words
    in_words = enhanced_of(diagnostic)
    reply = reply_of(diagnostic, in_words)
    return ReadRecipient(
        recipient=address,
        qualification=qualification,
        original=original,
        action=action,
        status=in_words or status,
        reply=str(reply or ""),
        diagnostic=" ".join(diagnostic.split())[:_LONGEST_DIAGNOSTIC],
    )


def _names_recipient(block: Fields) -> bool:
    return "final-recipient" in block or "original-recipient" in block


def _without_type(diagnostic: str) -> str:
    kind, separator, words = diagnostic.partition(";")
    if separator and re.fullmatch(r"\s*[A-Za-z0-9-]{1,20}\s*", kind):
        return words.strip()
    return diagnostic.strip()
