"""Complaints: feedback reports (RFC 5965) and what providers send in their place."""

import re
from dataclasses import dataclass
from typing import Final

from delivery.inbound.mime import Mail
from delivery.inbound.reports import ADDRESS

REPORT_TYPE: Final = "message/feedback-report"
_FEEDBACK: Final = re.compile(
    r"^feedback-type\s*:\s*([\w-]+)", re.IGNORECASE | re.MULTILINE
)
_RECIPIENT: Final = re.compile(
    r"^(?:original-rcpt-to|removal-recipient|redacted-address|original-recipient)\s*:\s*(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
# Of one mail these fields stand once (RFC 5965 section 3.1).
_ONCE: Final = ("feedback-type", "user-agent", "version")


@dataclass(frozen=True, slots=True)
class Feedback:
    """A feedback report: its type (`abuse`, `not-spam`, ...), and whom it names.

    What it names is not to be believed; only our own token in what came back is.
    """

    type: str
    recipients: tuple[str, ...]
    is_whole: bool


def find(mail: Mail) -> Feedback | None:
    """Find a feedback report in a mail; None when there is none."""
    parts = [part.text for part in mail.parts_of(REPORT_TYPE)]
    if not parts and _is_named(mail):
        parts = [part.text for part in mail.parts if _FEEDBACK.search(part.text)]
    if not parts and mail.first("x-apple-unsubscribe").lower() == "true":
        return Feedback("opt-out", tuple(ADDRESS.findall(mail.first("from"))), True)
    if not parts and "x-hmxmroriginalrecipient" in mail.returned:
        values = mail.returned["x-hmxmroriginalrecipient"]
        named = [each for value in values for each in ADDRESS.findall(value)]
        return Feedback("abuse", tuple(named), True)
    if not parts and _is_named(mail):
        return Feedback("", (), is_whole=False)
    if not parts:
        return None
    fields = "\n".join(parts)
    found = _FEEDBACK.search(fields)
    is_whole = all(
        len(re.findall(rf"^{name}\s*:", fields, re.IGNORECASE | re.MULTILINE)) == 1
        for name in _ONCE
    )
    return Feedback(
        found[1].lower() if found else "",
        tuple(_recipients(mail, fields)),
        is_whole and bool(mail.returned),
    )


def _is_named(mail: Mail) -> bool:
    return mail.parameters.get("report-type", "").lower() == "feedback-report"


def _recipients(mail: Mail, fields: str) -> list[str]:
    named = [
        each for value in _RECIPIENT.findall(fields) for each in ADDRESS.findall(value)
    ]
    if not named:
        values = mail.returned.get("to", []) + mail.returned.get("x-original-to", [])
        named = [each for value in values for each in ADDRESS.findall(value)]
    return list(dict.fromkeys(named))[:100]
