"""Qualification: from what a server said to what it means for the address. Pure.

Asked in this order: the enhanced code in the words of the server, the Status of the
report, the reply code, the words, how far the dialogue had come. What one source leaves
open is left to the next. A refusal for policy or authentication is about us, and never
counts against the address. Everything has an answer.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from quarantine.qualification_codes import CodeRule, rule_of, rule_of_reply
from quarantine.qualification_texts import Family, TextRule, find, normalised
from quarantine.reasons import ErrorType, Reason, Verdict

_MOST_TEXT: Final = 4_000  # characters that are looked at
# Not a part of an address of a host or of a version, which have more numbers.
_ENHANCED: Final = re.compile(
    r"(?<![\w.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![\w]|\.[0-9])", re.ASCII
)
_REPLY: Final = re.compile(
    r"(?<![\w.:#/@-])([245][0-5][0-9])(?=[ \-]|$|[.:,;]\s)(?!\.[0-9])", re.ASCII
)
# Verdicts of which the address is innocent, whatever the class of the code.
INNOCENT: Final = frozenset({Verdict.POLICY, Verdict.OURS, Verdict.CONTENT})


class Phase(IntEnum):
    """How far the dialogue had come when the server refused (RFC 5321 section 3)."""

    UNKNOWN = 0
    # Connecting, greeting, encryption, signing in.
    SESSION = 1
    SENDER = 2
    RECIPIENT = 3
    # From DATA to the dot after the message.
    CONTENT = 4


BEFORE_RECIPIENT: Final = frozenset({Phase.SESSION, Phase.SENDER})


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
    # The code says nothing, and nothing known was said in words.
    is_vague: bool = False
    # Nothing at all was said that is known, so a person should read it.
    needs_review: bool = False

    @property
    def error_type(self) -> ErrorType:
        return self.verdict.error_type

    @property
    def is_to_be_confirmed(self) -> bool:
        return self.verdict == Verdict.UNSURE


IGNORED: Final = Qualification(Verdict.IGNORED, Reason.NONE)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A rule that applies, and the code that led to it."""

    rule: CodeRule | TextRule
    code: str


def qualify_reply(
    reply_code: int, text: str, *, enhanced: str = "", phase: Phase = Phase.UNKNOWN
) -> Qualification:
    """Qualify what a server answered during the dialogue (a synchronous refusal).

    4yz is temporary whatever else it says, and does not count; but a mailbox that is
    full does, and what is our own fault stays it.
    """
    codes = [enhanced or enhanced_of(text)]
    basic = reply_code // 100
    if basic in (2, 3) or codes[0].startswith("2."):
        return IGNORED
    if phase in BEFORE_RECIPIENT and basic == 5:
        return _before_recipient(codes[0], text)
    answer = _answer(codes, reply_code, text)
    if basic == 4 or (basic != 5 and codes[0].startswith("4.")):
        return _for_now(answer)
    return _for_good(answer, phase, is_mixed=codes[0].startswith("4."))


def qualify_report(
    text: str,
    *,
    status: str = "",
    action: str = "failed",
    phase: Phase = Phase.UNKNOWN,
) -> Qualification:
    """Qualify one recipient of a report (RFC 3464).

    `text` is its diagnostic code, or the words of a mail that is no machine-readable
    report. What is temporary and was given up counts as a soft error.
    """
    if action.strip().lower() in {"delayed", "delivered", "relayed", "expanded"}:
        return IGNORED
    said = enhanced_of(text)
    codes = [code for code in (said, enhanced_of(status)) if code]
    if codes and codes[0].startswith("2."):
        return IGNORED
    reply_code = reply_of(text, said)
    if phase in BEFORE_RECIPIENT and reply_code // 100 == 5:
        return _before_recipient(said, text)
    answer = _answer(codes, reply_code, text)
    if answer is None and not (codes or reply_code or phase):
        return Qualification(Verdict.IGNORED, Reason.NOT_DEFINED, needs_review=True)
    is_temporary = reply_code // 100 == 4 or (
        not reply_code and bool(codes) and codes[0].startswith("4.")
    )
    if is_temporary:
        return _given_up(answer)
    is_mixed = bool(codes) and codes[0].startswith("4.")
    return _for_good(answer, phase, is_mixed=is_mixed)


def enhanced_of(text: str) -> str:
    """Find the first enhanced status code of a text; empty when it has none."""
    found = _ENHANCED.search(text[:_MOST_TEXT])
    return found[1] if found else ""


def reply_of(text: str, enhanced: str = "") -> int:
    """Find the reply code of a text: the one before its enhanced code, else the first.

    0 when it has none.
    """
    text = text[:_MOST_TEXT]
    if enhanced:
        before = text[: text.find(enhanced)].rstrip(" -(#")[-3:]
        if _REPLY.fullmatch(before):
            return int(before)
    found = [int(each) for each in _REPLY.findall(text)]
    refusals = [each for each in found if each >= 400]
    return refusals[0] if refusals else 0


def _answer(codes: list[str], reply_code: int, text: str) -> _Answer | None:
    """Ask the sources in their order; None when all of them leave it open."""
    said = normalised(text[:_MOST_TEXT])
    vague: _Answer | None = None
    for code in codes:
        rule = rule_of(code)
        if rule is None:
            continue
        if not rule.is_vague:
            return _Answer(find(said, rule.texts) or rule, code)
        vague = vague or _Answer(rule, code)
    by_reply = rule_of_reply(reply_code)
    if by_reply is not None:
        return _Answer(by_reply, "")
    by_text = find(said)
    if by_text is not None:
        return _Answer(by_text, vague.code if vague else "")
    return vague


def _before_recipient(code: str, text: str) -> Qualification:
    """A refusal before any recipient was named is about us, whatever its code."""
    answer = _answer([code], 0, text)
    verdict = Verdict.OURS
    if answer is not None and answer.rule.verdict == Verdict.POLICY:
        verdict = Verdict.POLICY
    return Qualification(verdict, Reason.REFUSED, code=code)


def _for_now(answer: _Answer | None) -> Qualification:
    """Qualify a temporary refusal that will be tried again."""
    if answer is None:
        return Qualification(Verdict.TRANSIENT, Reason.UNREACHABLE)
    rule = answer.rule
    if rule.verdict in INNOCENT and not answer.code.startswith("4."):
        return Qualification(rule.verdict, rule.reason, code=answer.code)
    is_full = rule.reason == Reason.MAILBOX_FULL
    verdict = Verdict.SOFT if is_full else Verdict.TRANSIENT
    return Qualification(verdict, rule.reason, code=answer.code)


def _given_up(answer: _Answer | None) -> Qualification:
    """Qualify what was temporary until it was given up."""
    if answer is None:
        return Qualification(Verdict.SOFT, Reason.UNREACHABLE, is_vague=True)
    rule = answer.rule
    verdict = rule.verdict if rule.verdict in INNOCENT else Verdict.SOFT
    return Qualification(verdict, rule.reason, code=answer.code)


def _for_good(answer: _Answer | None, phase: Phase, *, is_mixed: bool) -> Qualification:
    """Qualify a permanent refusal; never as hard when its codes contradict it."""
    if answer is None or (isinstance(answer.rule, CodeRule) and answer.rule.is_vague):
        return _by_phase(answer, phase)
    rule = answer.rule
    if rule.verdict.error_type == ErrorType.HARD:
        if is_mixed:
            return Qualification(Verdict.SOFT, rule.reason, code=answer.code)
        if phase == Phase.CONTENT and not _is_of_recipient(answer.code):
            # The recipient was taken, so the words are about what it was sent.
            return Qualification(Verdict.POLICY, Reason.REFUSED, code=answer.code)
    return Qualification(rule.verdict, rule.reason, rule.weight, answer.code)


def _is_of_recipient(code: str) -> bool:
    return code.startswith(("5.1.", "5.7.17", "5.7.18")) or code == "5.2.1"


def _by_phase(answer: _Answer | None, phase: Phase) -> Qualification:
    """Qualify a permanent refusal of which little is known but when it came."""
    code = answer.code if answer else ""
    if phase in BEFORE_RECIPIENT:
        return Qualification(Verdict.OURS, Reason.REFUSED, code=code)
    if phase == Phase.CONTENT:
        return Qualification(Verdict.POLICY, Reason.REFUSED, code=code)
    if answer is None:
        return Qualification(Verdict.SOFT, Reason.NOT_DEFINED, is_vague=True)
    rule = answer.rule
    return Qualification(rule.verdict, rule.reason, code=code, is_vague=True)
