"""What servers say in words, as families of phrases.

A phrase is lower case; ` * ` in it stands for up to 40 characters of anything. The
phrases are in quarantine.qualification_phrases.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from quarantine import qualification_phrases as phrases
from quarantine.reasons import Reason, Verdict

_WIDEST_GAP: Final = 40
_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:]{1,200}@[^\s<>\"'(),;:]{1,200}")
_URL: Final = re.compile(r"\bhttps?://[^\s>]{1,500}|\bwww\.[^\s>]{1,500}")
# `550-5.7.1 ` at the head of each line of a long reply.
_LINE_HEAD: Final = re.compile(r"(?<![\w.])[245][0-5][0-9][- ](?:[245]\.\d+\.\d+ ?)?")
_SPACES: Final = re.compile(r"[\s|*_\"<>`´‘’“”«»]+")


class Family(IntEnum):
    """Kinds of things that servers say, in the order in which they are looked for."""

    OWNER_CHANGED = 1
    AUTHENTICATION = 2
    NOT_RECEIVING = 3
    REPUTATION = 4
    MAILBOX_FULL = 5
    ACCOUNT_DISABLED = 6
    RATE = 7
    TOO_BIG = 8
    NOT_IN_DIRECTORY = 9
    MOVED = 10
    SENDER_REFUSED = 11
    USER_UNKNOWN = 12
    DOMAIN_UNKNOWN = 13
    CONTENT = 14
    POLICY = 15
    EXPIRED = 16
    SYSTEM = 17


@dataclass(frozen=True, slots=True)
class TextRule:
    """What a family of phrases means."""

    family: Family
    meaning: str
    verdict: Verdict
    reason: Reason
    phrases: tuple[str, ...]
    weight: int = 1


TEXTS: Final = (
    TextRule(
        Family.OWNER_CHANGED,
        "the mailbox or its domain has another owner now",
        Verdict.OWNER_CHANGED,
        Reason.OWNER_CHANGED,
        phrases.OWNER_CHANGED,
    ),
    TextRule(
        Family.AUTHENTICATION,
        "SPF, DKIM, DMARC, reverse DNS, TLS or signing in of ours",
        Verdict.OURS,
        Reason.REFUSED,
        phrases.AUTHENTICATION,
    ),
    TextRule(
        Family.NOT_RECEIVING,
        "the domain takes no mail",
        Verdict.UNSURE,
        Reason.INVALID_DOMAIN,
        phrases.NOT_RECEIVING,
    ),
    TextRule(
        Family.REPUTATION,
        "spam, block lists, reputation",
        Verdict.POLICY,
        Reason.REFUSED,
        phrases.REPUTATION,
    ),
    TextRule(
        Family.MAILBOX_FULL,
        "the mailbox is full",
        Verdict.SOFT,
        Reason.MAILBOX_FULL,
        phrases.MAILBOX_FULL,
    ),
    TextRule(
        Family.ACCOUNT_DISABLED,
        "the account is disabled, suspended or inactive",
        Verdict.SOFT,
        Reason.ACCOUNT_DISABLED,
        phrases.ACCOUNT_DISABLED,
    ),
    TextRule(
        Family.RATE,
        "too much at once",
        Verdict.TRANSIENT,
        Reason.UNREACHABLE,
        phrases.RATE,
    ),
    TextRule(
        Family.TOO_BIG,
        "the message is too big",
        Verdict.CONTENT,
        Reason.REFUSED,
        phrases.TOO_BIG,
    ),
    TextRule(
        Family.NOT_IN_DIRECTORY,
        "recipient not in the directory of the domain (Microsoft)",
        Verdict.UNSURE,
        Reason.USER_UNKNOWN,
        phrases.NOT_IN_DIRECTORY,
    ),
    TextRule(
        Family.MOVED,
        "moved, not forwarded",
        Verdict.HARD,
        Reason.USER_UNKNOWN,
        phrases.MOVED,
    ),
    TextRule(
        Family.SENDER_REFUSED,
        "our sender address or domain is refused",
        Verdict.OURS,
        Reason.REFUSED,
        phrases.SENDER_REFUSED,
    ),
    TextRule(
        Family.USER_UNKNOWN,
        "no such mailbox",
        Verdict.HARD,
        Reason.USER_UNKNOWN,
        phrases.USER_UNKNOWN,
    ),
    TextRule(
        Family.DOMAIN_UNKNOWN,
        "no such host or domain",
        Verdict.UNSURE,
        Reason.INVALID_DOMAIN,
        phrases.DOMAIN_UNKNOWN,
    ),
    TextRule(
        Family.CONTENT,
        "content or form of the message",
        Verdict.CONTENT,
        Reason.REFUSED,
        phrases.CONTENT,
    ),
    TextRule(
        Family.POLICY,
        "refused by a policy",
        Verdict.POLICY,
        Reason.REFUSED,
        phrases.POLICY,
    ),
    TextRule(
        Family.EXPIRED,
        "given up after days",
        Verdict.SOFT,
        Reason.UNREACHABLE,
        phrases.EXPIRED,
    ),
    TextRule(
        Family.SYSTEM,
        "network or mail system at fault",
        Verdict.TRANSIENT,
        Reason.UNREACHABLE,
        phrases.SYSTEM,
    ),
)


def normalised(text: str) -> str:
    """Give what is compared: lower case, one line, no addresses, links or line heads.

    Addresses and links go because they hold words of their own (`unknown@`, `/spam`).
    """
    text = text.lower()
    if "://" in text or "www." in text:
        text = _URL.sub(" ", text)
    if "@" in text:
        text = _ADDRESS.sub(" ", text)
    return _SPACES.sub(" ", _LINE_HEAD.sub(" ", text).replace("’", "'")).strip()


def find(said: str, families: frozenset[Family] | None = None) -> TextRule | None:
    """Find the first rule that has a phrase of a normalised text."""
    if families is not None and not families:
        return None
    for rule in TEXTS:
        if families is not None and rule.family not in families:
            continue
        if any(_holds(said, pieces) for pieces in _PIECES[rule.family]):
            return rule
    return None


def _holds(said: str, pieces: tuple[str, ...]) -> bool:
    """Say whether the pieces follow each other, with narrow gaps between them."""
    start = said.find(pieces[0])
    if start < 0 or len(pieces) == 1:
        return start >= 0
    tries = 0
    while start >= 0 and tries < 20:
        if _follow(said, start, pieces):
            return True
        start, tries = said.find(pieces[0], start + 1), tries + 1
    return False


def _follow(said: str, start: int, pieces: tuple[str, ...]) -> bool:
    end = start + len(pieces[0])
    for piece in pieces[1:]:
        found = said.find(piece, end, end + _WIDEST_GAP + len(piece))
        if found < 0:
            return False
        end = found + len(piece)
    return True


_PIECES: Final = {
    rule.family: tuple(
        tuple(piece.strip() for piece in phrase.split(" * ")) for phrase in rule.phrases
    )
    for rule in TEXTS
}
