"""What the page of messages to decide about shows of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final

from inscriptis import get_text

from delivery.inbound import text_messages, triage
from delivery.inbound.text_messages import TextError
from delivery.models import Decision, Inbound, InboundKind, TriageItem
from optout.mail_replies import own_part
from profiles.channels import Channel
from profiles.models import Profile

LONGEST: Final = 2_500  # characters that are shown
SHORT: Final = 300  # characters that are shown at once
MOST_PEOPLE: Final = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One message: from whom, what it says, whom it is about, what can be decided."""

    item: TriageItem
    sender: str
    wording: str
    people: list[Profile]
    more_people: int
    choices: list[Decision]
    is_overdue: bool
    is_late: bool

    @property
    def channel(self) -> Channel | None:
        return triage.channel_of(self.item)

    @property
    def is_long(self) -> bool:
        return len(self.wording) > SHORT

    @property
    def beginning(self) -> str:
        """Give what is shown at once, as a slice: of the text as it may be shown."""
        return f":{SHORT}"


def lines(items: Iterable[TriageItem], *, now: datetime) -> list[Line]:
    """Gather what is shown of items."""
    items = list(items)
    people = triage.people_of_all(items)
    return [_line(item, people[item.pk], now=now) for item in items]


def wording_of(inbound: Inbound) -> tuple[str, str]:
    """Give who sent it and what they wrote, as it may be shown; empty once erased."""
    if inbound.raw is None:
        return "", ""
    raw = bytes(inbound.raw)
    sender, wording = "", raw.decode("utf-8", "replace")
    if inbound.kind == InboundKind.TEXT:
        try:
            text = text_messages.read(raw)
        except TextError:
            return "", _shown(wording)
        sender, wording = text.sender, text.text
    elif inbound.kind == InboundKind.MAIL:
        sender, wording = _mail(raw)
    return _shown(sender)[:100], _shown(wording)


def _line(item: TriageItem, people: list[Profile], *, now: datetime) -> Line:
    sender, wording = wording_of(item.inbound)
    late_at = triage.working_days_after(item.added_at, triage.LATE_AFTER)
    return Line(
        item,
        sender,
        wording,
        people[:MOST_PEOPLE],
        max(0, len(people) - MOST_PEOPLE),
        triage.choices_of(item, people),
        is_overdue=item.due_at <= now,
        is_late=late_at <= now,
    )


def _mail(raw: bytes) -> tuple[str, str]:
    """Give the sender of a mail, and its subject with what its writer wrote."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    sender, subject = str(mail["From"] or ""), str(mail["Subject"] or "")
    part = mail.get_body(("plain", "html"))
    text = ""
    if part is not None:
        try:
            text = part.get_content()
        except (LookupError, ValueError, KeyError):
            text = bytes(part.get_payload(decode=True) or b"").decode(
                "utf-8", "replace"
            )
        if part.get_content_subtype() == "html":
            text = get_text(text)
    return sender, f"{subject}\n\n{own_part(text) or text}".strip()


def _shown(text: str) -> str:
    """Give text that any page can hold: no half characters, no control characters."""
    whole = text[:LONGEST].encode("utf-8", "replace").decode()
    return "".join(
        each if each.isprintable() or each == "\n" else " " for each in whole
    )
