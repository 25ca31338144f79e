"""What can come of handing one message over, in words of our own.

A server says it with a reply code, often with an enhanced status code (RFC 3463), and
always at some phase of the dialogue. What it makes of the *address* is decided
elsewhere; here is only what becomes of the message.
"""

import re
from dataclasses import dataclass
from typing import Final

from django.db.models import IntegerChoices
from django.utils.translation import gettext_lazy as _

LONGEST_REPLY: Final = 500  # characters that are kept
# Not a part of an address of a host, which has four numbers.
_ENHANCED: Final = re.compile(
    r"(?<![\w.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?!\w|\.[0-9])", re.ASCII
)
_SLOW_DOWN: Final = re.compile(
    r"too many|too fast|\brate|throttl|(?<!quota )exceeded", re.IGNORECASE
)
# Of RFC 3463: system or network congested, not accepting, too many recipients; and
# of providers: policy that passes.
_SLOW_DOWN_CODES: Final = re.compile(r"4\.3\.2|4\.4\.5|4\.5\.3|4\.7\.[0-9]+")
# A mailbox that is full or busy says nothing of its neighbours (RFC 3463 section 3.3).
_MAILBOX: Final = ("4.2.", "5.2.")


class OutcomeKind(IntegerChoices):
    """What came of one attempt."""

    SENT = 1, _("Accepted")
    SOFT = 2, _("Refused for now")
    HARD = 3, _("Refused for good")
    # The server may have taken it: it did not answer after the end of the message.
    AMBIGUOUS = 4, _("No answer")
    # This message is refused, or cannot be sent; the address is not at fault.
    REFUSED = 5, _("Message refused")
    # Nothing was tried.
    UNREACHABLE = 6, _("Server unreachable")


# Refusals, which may say something about the address.
REFUSALS: Final = (OutcomeKind.SOFT, OutcomeKind.HARD, OutcomeKind.REFUSED)


class Phase(IntegerChoices):
    """How far the dialogue with a server had come (RFC 5321 section 3)."""

    CONNECT = 1, _("Connecting")
    GREETING = 2, _("Greeting")
    TLS = 3, _("Encryption")
    AUTH = 4, _("Signing in")
    MAIL = 5, _("Sender")
    RCPT = 6, _("Recipient")
    DATA = 7, _("Announcing the message")
    CONTENT = 8, _("Message")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt, where, and what the server said.

    `code` is our own word where no reply says it; `pauses_lane` when the recipient's
    domain asked us to slow down.
    """

    kind: OutcomeKind
    phase: Phase
    reply_code: int = 0
    enhanced: str = ""
    reply: str = ""
    code: str = ""
    pauses_lane: bool = False


def from_reply(phase: Phase, reply_code: int, text: str) -> Outcome:
    """Qualify a reply to one command of the dialogue (RFC 5321 section 4.2).

    Total: every reply has an outcome. A 5yz reply whose enhanced code begins with 4
    is taken for temporary, as mailbox full (5.2.2) is.
    """
    enhanced = enhanced_of(text)
    kind = _kind(phase, reply_code, enhanced)
    pauses = kind == OutcomeKind.SOFT and (
        reply_code == 421
        or _SLOW_DOWN_CODES.fullmatch(enhanced) is not None
        or (not enhanced.startswith(_MAILBOX) and _SLOW_DOWN.search(text) is not None)
    )
    return Outcome(kind, phase, reply_code, enhanced, cleaned(text), pauses_lane=pauses)


def enhanced_of(text: str) -> str:
    """Find the enhanced status code of a reply; empty when it has none."""
    found = _ENHANCED.search(text)
    return found[1] if found else ""


def cleaned(text: str) -> str:
    """Give what is kept of a reply: one line, printable, cut."""
    if text.isprintable():
        return " ".join(text.split())[:LONGEST_REPLY]
    words = "".join(each if each.isprintable() else " " for each in text).split()
    return " ".join(words)[:LONGEST_REPLY]


def _kind(phase: Phase, reply_code: int, enhanced: str) -> OutcomeKind:
    if 200 <= reply_code < 300 and phase == Phase.CONTENT:
        return OutcomeKind.SENT
    if phase == Phase.CONTENT and not 400 <= reply_code < 600:
        # No reply that may follow the end of a message: who knows what it means.
        return OutcomeKind.AMBIGUOUS
    if not 500 <= reply_code < 600:
        # 4yz; a positive reply where none was due; no code at all.
        return OutcomeKind.SOFT
    if enhanced.startswith("4.") or enhanced == "5.2.2":
        return OutcomeKind.SOFT
    if phase < Phase.MAIL:
        return OutcomeKind.UNREACHABLE
    if phase == Phase.RCPT or enhanced.startswith("5.1."):
        is_ours = enhanced.startswith(("5.1.7", "5.1.8", "5.7."))
        return OutcomeKind.REFUSED if is_ours else OutcomeKind.HARD
    return OutcomeKind.REFUSED
