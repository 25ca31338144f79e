"""Qualification: from what a server said to what it means for the address. Pure.

Asked in this order: the enhanced code in the diagnostic text, the Status of the
report, the basic reply, the words, and for a reply to us how far the dialogue was. The
classes are those of Verdict; the table below says which code is which (RFC 3463, RFC
5248, RFC 7293, RFC 7504, RFC 7505, and what providers say of theirs).

Two things are stronger than a code. Words that make the address innocent (it is full,
we are too fast, our own sender is refused) beat a code that blames it; and words that
say that nobody is there beat a code that speaks of policy or of nothing. Whatever comes
has an answer; what says nothing is never hard.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from typing import Final

from quarantine import qualification_texts as texts
from quarantine.qualification_texts import Family
from quarantine.reasons import ErrorType, Reason, Verdict

LONGEST_TEXT: Final = 2_000  # characters that are looked at
_ENHANCED: Final = re.compile(
    r"(?<![\w.])([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![\w]|\.[0-9])", re.ASCII
)
_BASIC: Final = re.compile(
    r"(?<![\w.\-/:@#])([245][0-9]{2})(?=[\s\-#;,]|:\s|$)", re.ASCII
)
_SPACES: Final = re.compile(r"\s+")


class Stage(IntEnum):
    """How far the dialogue had come when a server refused (RFC 5321 section 3)."""

    BEFORE = 1  # connecting, greeting, encryption, signing in
    SENDER = 2
    RECIPIENT = 3
    MESSAGE = 4


@dataclass(frozen=True, slots=True)
class Qualification:
    """What one reply or report makes of an address.

    `weight` is how many significant errors a soft one counts as: two for a mailbox
    that is full for good (5.2.2). `code` is the enhanced code it was decided by.
    """

    verdict: Verdict
    reason: Reason
    weight: int = 1
    code: str = ""

    @property
    def error_type(self) -> ErrorType:
        return self.verdict.error_type

    @property
    def needs_review(self) -> bool:
        """Whether nothing known was said, so that a person should read it."""
        return self.verdict == Verdict.IGNORED and self.reason == Reason.NOT_DEFINED

    @property
    def is_to_be_confirmed(self) -> bool:
        return self.verdict == Verdict.UNSURE


@dataclass(frozen=True, slots=True)
class Said:
    """What a server said: basic reply (0: none), enhanced code (empty: none), words."""

    basic: int
    enhanced: str
    words: str

    @property
    def subject(self) -> str:
        """Subject and detail of the enhanced code, such as `1.1`."""
        return self.enhanced[2:]

    @property
    def is_temporary(self) -> bool:
        """Whether to try again: the basic reply decides when the two disagree."""
        first = str(self.basic)[:1] if self.basic else self.enhanced[:1]
        return first == "4"


SAYS_NOTHING: Final = frozenset({"", "0.0", "2.0", "5.0", "1.0", "0.1"})
_Rule = tuple[Verdict, Reason]
_UNREACHABLE: Final = (Verdict.TRANSIENT, Reason.UNREACHABLE)
_OURS: Final = (Verdict.OURS, Reason.REFUSED)
_POLICY: Final = (Verdict.POLICY, Reason.REFUSED)
_CONTENT: Final = (Verdict.CONTENT, Reason.REFUSED)

# Of permanent refusals, by subject and detail; a subject alone is for its others.
CODES: Final[Mapping[str, _Rule]] = {
    "1.1": (Verdict.HARD, Reason.USER_UNKNOWN),
    "1.2": (Verdict.UNSURE, Reason.INVALID_DOMAIN),
    "1.3": (Verdict.HARD, Reason.USER_UNKNOWN),
    "1.4": (Verdict.UNSURE, Reason.USER_UNKNOWN),
    "1.6": (Verdict.HARD, Reason.USER_UNKNOWN),
    "1.7": _OURS,
    "1.8": _OURS,
    "1.9": _OURS,
    "1.90": _OURS,
    "1.10": (Verdict.UNSURE, Reason.INVALID_DOMAIN),
    "1": (Verdict.UNSURE, Reason.USER_UNKNOWN),
    "2.1": (Verdict.UNSURE, Reason.USER_UNKNOWN),
    "2.2": (Verdict.SOFT, Reason.MAILBOX_FULL),
    "2.3": _CONTENT,
    "2.4": (Verdict.SOFT, Reason.NOT_DEFINED),
    "2.121": _UNREACHABLE,
    "2.122": _UNREACHABLE,
    "2": (Verdict.SOFT, Reason.NOT_DEFINED),
    "3.4": _CONTENT,
    "3": (Verdict.TRANSIENT, Reason.NOT_DEFINED),
    "4.4": (Verdict.UNSURE, Reason.INVALID_DOMAIN),
    "4.310": (Verdict.UNSURE, Reason.INVALID_DOMAIN),
    "4.5": _OURS,
    "4": _UNREACHABLE,
    "5": _OURS,
    "6": _CONTENT,
    "7.13": (Verdict.SOFT, Reason.ACCOUNT_DISABLED),
    "7.17": (Verdict.OWNER_CHANGED, Reason.OWNER_CHANGED),
    "7.18": (Verdict.OWNER_CHANGED, Reason.OWNER_CHANGED),
    **{f"7.{detail}": _OURS for detail in (*range(20, 28), 29, 30, 32, 509, 515)},
    "7": _POLICY,
}
# Of what is given up after days, or refused for now: the reason by subject and detail.
_TEMPORARY_REASONS: Final[Mapping[str, Reason]] = {
    "1.2": Reason.INVALID_DOMAIN,
    "2.1": Reason.ACCOUNT_DISABLED,
    "2.2": Reason.MAILBOX_FULL,
    "3.1": Reason.MAILBOX_FULL,
    "4": Reason.UNREACHABLE,
    "7": Reason.REFUSED,
}
# Codes of the sender: nobody there is then said of us.
_OF_SENDER: Final = frozenset({"1.7", "1.8"})
# A host, or a domain, that takes no mail at all (RFC 7504 section 3).
_TAKES_NO_MAIL: Final = frozenset({521, 556})
_INNOCENT: Final = frozenset(
    {
        texts.OWNER,
        texts.OUR_SENDER,
        texts.AUTHENTICATION,
        texts.OUR_QUOTA,
        texts.FULL,
        texts.LOCAL_COMMAND,
        texts.CLOSED_GROUP,
        texts.RATE,
        texts.DISABLED,
    }
)
_BLAMES: Final = frozenset({Verdict.HARD, Verdict.UNSURE})
_IGNORED: Final = Qualification(Verdict.IGNORED, Reason.ERROR_IGNORED)


def qualify(
    text: str,
    *,
    status: str = "",
    action: str = "failed",
    stage: Stage | None = None,
    is_hearsay: bool = False,
) -> Qualification:
    """Qualify one recipient of a report: its diagnostic text, Status and Action.

    The Action is that of RFC 3464 section 2.3.3; what is not failed says nothing of
    the address. After the data a server speaks of the message, whatever its words,
    unless its code says that the address is bad; before it was told the recipient it
    speaks of us. Where a report shows no stage, what another server said is hearsay:
    filters say of whom they shield that nobody is there, so only a code or a look into
    one's own directory makes it hard. Total: every text has an answer.
    """
    if action.strip().lower() not in {"failed", ""}:
        return _IGNORED
    said = understand(text, status=status)
    if not said.words and not said.enhanced and not said.basic:
        return _IGNORED
    if said.enhanced.startswith("2."):
        return _IGNORED
    if said.is_temporary:
        return _given_up(said)
    made = _refused(said, stage=stage)
    is_before_recipient = stage in {Stage.BEFORE, Stage.SENDER}
    if is_before_recipient and made.verdict not in {Verdict.POLICY, Verdict.OURS}:
        return _made(_OURS, said)
    speaks_of_address = said.subject == "2.1" or said.subject.startswith("1.")
    says_why = made.verdict not in _BLAMES and made.reason != Reason.NOT_DEFINED
    if stage == Stage.MESSAGE and not speaks_of_address and not says_why:
        return _made(_POLICY, said)
    if is_hearsay and _is_doubtful(made, said):
        return _made((Verdict.SOFT, Reason.USER_UNKNOWN), said)
    return made


def contradicted(made: Qualification, prose: str) -> Qualification:
    """Believe what people are told of a mailbox against words that say it is not there.

    Prose that names both, as lists of what may be wrong do, contradicts nothing.
    """
    is_of_nobody = made.verdict in _BLAMES and made.reason == Reason.USER_UNKNOWN
    if not is_of_nobody or texts.UNKNOWN.is_said_in(prose):
        return made
    if texts.FULL.is_said_in(prose):
        return replace(made, verdict=Verdict.SOFT, reason=Reason.MAILBOX_FULL)
    if texts.DISABLED.is_said_in(prose) and not made.code.startswith("5.1."):
        return replace(made, verdict=Verdict.SOFT, reason=Reason.ACCOUNT_DISABLED)
    return made


def qualify_reply(reply_code: int, text: str, *, stage: Stage) -> Qualification:
    """Qualify a refusal to ourselves, by its reply code, text and stage.

    The text may begin with the enhanced code. A reply that refuses nothing, or for
    now, says nothing lasting.
    """
    if reply_code and not 400 <= reply_code < 600:
        return _IGNORED
    said = understand(f"{reply_code} {text}" if reply_code else text)
    if said.is_temporary or not said.basic:
        if _is_ours(said):
            return _made(_OURS, said)
        reason = _temporary_reason(said)
        # A full mailbox counts, however politely it is said (Gmail says 452 4.2.2).
        is_full = reason == Reason.MAILBOX_FULL and stage >= Stage.RECIPIENT
        verdict = Verdict.SOFT if is_full else Verdict.TRANSIENT
        return Qualification(verdict, reason, code=said.enhanced)
    made = _refused(said, stage=stage)
    if stage in (Stage.BEFORE, Stage.SENDER):
        is_policy = made.verdict == Verdict.POLICY
        verdict = Verdict.POLICY if is_policy else Verdict.OURS
        return Qualification(verdict, Reason.REFUSED, code=said.enhanced)
    if stage == Stage.MESSAGE and not said.enhanced.startswith(("5.1.", "5.2.")):
        innocent = made.verdict in _BLAMES or made.verdict == Verdict.SOFT
        return (
            Qualification(Verdict.CONTENT, Reason.REFUSED, code=said.enhanced)
            if innocent and family_of(said.words) is not texts.FULL
            else made
        )
    if made.reason == Reason.NOT_DEFINED:
        # Refused at the recipient, without a word on why: not the address's fault.
        return Qualification(Verdict.POLICY, Reason.REFUSED, code=said.enhanced)
    return made


def understand(text: str, *, status: str = "") -> Said:
    """Find the codes and the words in what a server said."""
    words = _SPACES.sub(" ", text[:LONGEST_TEXT]).strip()
    found = [".".join(each) for each in _ENHANCED.findall(words)]
    basic = next((int(each) for each in _BASIC.findall(words)), 0)
    # The first that says something; else the Status, if that does; else any.
    stated = _ENHANCED.match(status.strip())
    candidates = [*found, stated[0] if stated else ""]
    told = (each for each in candidates if each[2:] not in SAYS_NOTHING)
    enhanced = next(told, next((each for each in candidates if each), ""))
    return Said(basic, enhanced, words.lower())


@lru_cache(maxsize=4096)
def family_of(words: str) -> Family | None:
    """Find the first family that words belong to; None when they say nothing."""
    return next((each for each in texts.FAMILIES if each.is_said_in(words)), None)


def _refused(said: Said, *, stage: Stage | None) -> Qualification:
    """Qualify what was refused for good."""
    family = family_of(said.words)
    if family is texts.CARRIER_FILTER and stage == Stage.RECIPIENT:
        family = texts.UNKNOWN
    if said.basic in _TAKES_NO_MAIL and said.subject in {"", "3.2", "1.10"}:
        return _made((Verdict.UNSURE, Reason.INVALID_DOMAIN), said)
    if said.subject in SAYS_NOTHING:
        return _by_words(family, said)
    rule = _rule_of(said.subject)
    if family is not None and _is_stronger(family, rule, said):
        return _by_words(family, said)
    return _made(rule, said)


def _is_stronger(family: Family, rule: _Rule, said: Said) -> bool:
    """Say whether words are believed against a code."""
    verdict = rule[0]
    if verdict in _BLAMES:
        is_certain = said.subject == "1.1"
        if rule[1] == Reason.INVALID_DOMAIN and texts.NO_HOST.is_said_in(said.words):
            return family in _INNOCENT
        if family in _INNOCENT:
            return not (is_certain and family is texts.DISABLED)
        if said.subject in {"2.1", "4.1", "4.4"} or not is_certain:
            return family.verdict == Verdict.HARD or family is texts.POLICY
        return False
    if verdict == Verdict.POLICY:
        return family in _INNOCENT or family in {texts.NULL_MX, texts.MOVED}
    if verdict in {Verdict.OURS, Verdict.TRANSIENT, Verdict.CONTENT}:
        return (
            family.is_strong
            and family.verdict != Verdict.OURS
            and (not _is_ours(said) or family.verdict in _BLAMES)
            and said.subject not in _OF_SENDER
        )
    return verdict == Verdict.SOFT and said.subject == "2" and family.is_strong


def _is_doubtful(made: Qualification, said: Said) -> bool:
    """Say whether only what another server said makes an address look like nobody's."""
    if made.verdict not in _BLAMES or made.reason != Reason.USER_UNKNOWN:
        return False
    if said.subject.startswith("1.") or texts.LOOKED_UP.is_said_in(said.words):
        return False
    return bool(said.basic) or texts.TERSE.is_said_in(said.words)


def _rule_of(subject: str) -> _Rule:
    nothing = (Verdict.SOFT, Reason.NOT_DEFINED)
    return CODES.get(subject) or CODES.get(subject.partition(".")[0]) or nothing


def _made(rule: _Rule, said: Said) -> Qualification:
    verdict, reason = rule
    is_full_for_good = said.enhanced == "5.2.2"
    return Qualification(
        verdict, reason, weight=2 if is_full_for_good else 1, code=said.enhanced
    )


def _by_words(family: Family | None, said: Said) -> Qualification:
    if family is not None:
        return _made((family.verdict, family.reason), said)
    if said.enhanced or said.basic:
        # A bare refusal: it counts, and is never hard.
        return _made((Verdict.SOFT, Reason.NOT_DEFINED), said)
    return Qualification(Verdict.IGNORED, Reason.NOT_DEFINED)


def _given_up(said: Said) -> Qualification:
    """Qualify what was given up after days of trying."""
    if _is_ours(said):
        return _made(_OURS, said)
    family = family_of(said.words)
    if family is not None and family.verdict in {Verdict.OURS, Verdict.POLICY}:
        return Qualification(family.verdict, family.reason, code=said.enhanced)
    return Qualification(Verdict.SOFT, _temporary_reason(said), code=said.enhanced)


def _is_ours(said: Said) -> bool:
    """Say whether a code names our own authentication or quota, temporary or not."""
    return said.subject in CODES and CODES[said.subject][0] == Verdict.OURS


def _temporary_reason(said: Said) -> Reason:
    family = family_of(said.words)
    if family is texts.FULL:
        return Reason.MAILBOX_FULL
    by_code = _TEMPORARY_REASONS.get(said.subject) or _TEMPORARY_REASONS.get(
        said.subject.partition(".")[0]
    )
    if by_code is not None:
        return by_code
    if family is None or family.verdict == Verdict.HARD:
        return Reason.NOT_DEFINED
    return family.reason
