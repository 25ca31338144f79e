"""Bounces without a part for machines: the words that mail servers write for people.

Every system has a layout of its own, but there are few kinds: an address at the head of
a line, with what was said behind or below it; an address after words such as `could not
be delivered to`; and a transcript of the dialogue. Which addresses are meant is found by
kind, best first; what was said of each is the text up to the next one.
"""

import re
from dataclasses import dataclass
from typing import Final

from delivery.inbound.addresses import ADDRESS, find_all, is_daemon, tidy
from delivery.inbound.mails import Part
from delivery.inbound.meanings import ReadRecipient
from delivery.inbound.phases import phase_of
from quarantine.qualification import enhanced_of, qualify_report, reply_of

MOST_LINES: Final = 400
MOST_RECIPIENTS: Final = 100
_LONGEST_LINE: Final = 1_000
_LONGEST_DIAGNOSTIC: Final = 2_000

_AT_HEAD: Final = re.compile(
    rf"^[\s>*•·#|]*(?:\d+[.)]\s+)?[-<\"'(\[«]{{0,3}}(?P<address>{ADDRESS})[>\"')\]»]{{0,3}}"
    rf"(?:\s*[<(]{ADDRESS}[>)])?(?P<rest>\s*(?:$|[:;,\[(|…=-].*|\.\.\.+.*|\s{{2,}}.*))"
)
_IN_COMMAND: Final = re.compile(
    rf"(?:rcpt\s+to|envelope-to|x-failed-recipients?)\s*:\s*<?(?P<address>{ADDRESS})",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(
    r"^[\s>*-]*(?:(?:final|original|failed|intended|undeliverable|bad|e-?mail)[ -])?"
    r"(?:recipients?|rcpt|address(?:es)?|addressee|to|user ?(?:id)?|mailbox|e-?mail"
    r"|destinataire|empfänger|mottagare|destinatario|adresse|宛先|收件人)"
    r"(?:[ -](?:address|addresses|e-?mail|name|s))?\s*[:=]\s*(?:rfc822\s*;\s*)?"
    rf"[<\"'\[]?(?P<address>{ADDRESS})",
    re.IGNORECASE,
)
_AFTER_WORDS: Final = re.compile(
    r"(?:deliver(?:y|ed|ing)?|undeliver\w*|send|sent|recipients?|reach\w*|forward\w*"
    r"|contact|mailbox|user(?:id)?|account|address\w*|attempts|mail|message|e-mail"
    r"|zustell\w*|zugestellt|empfänger|an|distribu\w*|remis|destinataire|livr\w*"
    r"|entrega\w*|destinatario|consegn\w*|leverera\w*|levere\w*|toimit\w*|доставлен\w*"
    r"|送信|配信|宛)"
    rf"\b[^@\n<>]{{0,60}}?[\s:;<\"'\[(]{{1,3}}(?P<address>{ADDRESS})",
    re.IGNORECASE,
)
_IN_REPLY: Final = re.compile(
    rf"(?:^|[\s>])[45][0-9]{{2}}[\s-].{{0,200}}?[<\s:(](?P<address>{ADDRESS})"
)
# Fields of the mail that was returned, repeated among the words.
_NOT_OURS: Final = re.compile(
    r"^[\s>*-]*(?:from|reply-to|sender|return-path|subject|message-?id|cc|date|mail from"
    r"|x-[\w-]+|received|references|in-reply-to|envelope-from)\s*:",
    re.IGNORECASE,
)
_HELP: Final = re.compile(
    r"\b(?:assistance|help|support|contact|questions?|inquir\w*|write to|e-?mail us)\b",
    re.IGNORECASE,
)
_COMMAND_FROM: Final = re.compile(r"^[\s>]*>>> *mail from", re.IGNORECASE)
_COMMAND: Final = re.compile(r"^[\s>]*>>>")
_ANSWER: Final = re.compile(r"^[\s>]*<<<")
_SAID: Final = re.compile(r"(?<![\w.:/-])[45][0-9]{2}[ \-]|\b[45]\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class _Mention:
    """An address on a line of the notice, and how it stands there."""

    address: str
    line: int
    rest: str


def read(mail: Part, notice: str, *, senders: frozenset[str]) -> list[ReadRecipient]:
    """Read a notice; `senders` are addresses that are not whom it is about."""
    lines = [line[:_LONGEST_LINE] for line in notice.split("\n")[:MOST_LINES]]
    named = find_all(" ".join(mail.all("x-failed-recipients")))
    for mentions in (
        _mentions(lines, (_AT_HEAD,), senders),
        _mentions(lines, (_LABEL, _IN_COMMAND), senders),
        _mentions(lines, (_IN_REPLY, _AFTER_WORDS), senders),
    ):
        if named:
            wanted = {each.lower() for each in named}
            mentions = [each for each in mentions if each.address.lower() in wanted]
        if mentions:
            return _recipients(lines, mentions)
    return [recipient(address, notice, notice) for address in named[:MOST_RECIPIENTS]]


def words_about(notice: str, address: str) -> str:
    """Give what a notice says of one address; all of it when it does not name it."""
    lines = [line[:_LONGEST_LINE] for line in notice.split("\n")[:MOST_LINES]]
    mentions = _mentions(lines, (_AT_HEAD,), frozenset())
    for number, mention in enumerate(mentions):
        if mention.address.lower() == address.lower():
            return _segment(lines, mentions, number)
    return notice


def _mentions(
    lines: list[str], patterns: tuple[re.Pattern[str], ...], senders: frozenset[str]
) -> list[_Mention]:
    """List the addresses that stand as a pattern wants it, each once."""
    found: dict[str, _Mention] = {}
    for number, line in enumerate(lines):
        if "@" not in line or _NOT_OURS.match(line) or _COMMAND_FROM.match(line):
            continue
        for pattern in patterns:
            match = pattern.search(line)
            if match is None:
                continue
            address = tidy(match["address"])
            rest = match["rest"] if "rest" in match.groupdict() else line
            if not _HELP.search(line[: match.start("address")]):
                found.setdefault(address.lower(), _Mention(address, number, rest))
            break
    mentions = list(found.values())[:MOST_RECIPIENTS]
    likely = [each for each in mentions if each.address.lower() not in senders]
    meant = [each for each in likely if not is_daemon(each.address)]
    return meant or likely


def _recipients(lines: list[str], mentions: list[_Mention]) -> list[ReadRecipient]:
    notice = "\n".join(lines)
    return [
        recipient(each.address, _segment(lines, mentions, number), notice)
        for number, each in enumerate(mentions)
    ]


def _segment(lines: list[str], mentions: list[_Mention], number: int) -> str:
    """Cut out what was said of one address: to the next one, or in the transcript."""
    mention = mentions[number]
    if len(mentions) == 1:
        after = [mention.rest, *lines[mention.line + 1 :]]
        text = "\n".join(after)
        return text if _SAID.search(text) or len(text.split()) > 2 else "\n".join(lines)
    end = mentions[number + 1].line if number + 1 < len(mentions) else len(lines)
    segment = "\n".join([mention.rest, *lines[mention.line + 1 : end]])
    if _SAID.search(mention.rest) or (_SAID.search(segment) and "<<<" not in segment):
        return segment
    return _in_transcript(lines, mention) or segment


def _in_transcript(lines: list[str], mention: _Mention) -> str:
    """Give the lines that name the address again, with the reply just before each."""
    found: list[str] = []
    for number, line in enumerate(lines):
        if number == mention.line or mention.address.lower() not in line.lower():
            continue
        before = lines[number - 1] if number else ""
        found += [before] if _ANSWER.match(before) else []
        found.append(line)
        after = lines[number + 1] if number + 1 < len(lines) else ""
        found += [after] if _ANSWER.match(after) else []
    return "\n".join(found) if _SAID.search("\n".join(found)) else ""


def recipient(address: str, segment: str, notice: str) -> ReadRecipient:
    phase = phase_of(segment)
    words = _words_of_server(segment)
    qualification = qualify_report(words, phase=phase)
    if qualification.is_vague or qualification.needs_review:
        by_all = qualify_report(_without_commands(notice), phase=phase)
        if not (by_all.is_vague or by_all.needs_review):
            qualification = by_all
    enhanced = enhanced_of(words)
    return ReadRecipient(
        recipient=address,
        qualification=qualification,
        status=enhanced,
        reply=str(reply_of(words, enhanced) or ""),
        diagnostic=" ".join(words.split())[:_LONGEST_DIAGNOSTIC],
    )


def _words_of_server(segment: str) -> str:
    """Give the segment from its first code on: before it the reporter speaks."""
    text = _without_commands(segment)
    found = _SAID.search(text)
    return text[found.start() :] if found else text


def _without_commands(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not _COMMAND.match(line))
