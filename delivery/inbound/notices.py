"""The part of a mail that is for people: its words, without what is quoted below."""

import html
import re
from typing import Final

from delivery.inbound.mails import Part, walk

MOST_TEXT: Final = 32 * 1024  # characters that are looked at

_TAG: Final = re.compile(r"<(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*'){0,2000}>")
_BLOCK_TAG: Final = re.compile(
    r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/td)\b[^<>]{0,200}>", re.I
)
_INVISIBLE: Final = re.compile(
    r"<(style|script|title)\b[^<>]{0,500}>.{0,20000}?</\1>", re.I | re.S
)
# A line that announces the returned mail.
_ANNOUNCED: Final = re.compile(
    r"^[\s>*=_+~-]*(?:"
    r"(?:[\w' ]{0,30}\b)?(?:original|returned|unsent|undelivered|rejected|bounced)"
    r" (?:message|mail|e-mail|email|text|headers?|body)\b[\w ,']{0,50}[\s:.*=_+~-]*"
    r"|(?:this is |below is |below this line is |included is |here is |attached is )?"
    r"(?:a |the )?copy of (?:the |your |my )?(?:original |returned )?"
    r"(?:message|mail|e-mail|email|header)\b.{0,60}"
    r"|below this line\b.{0,60}"
    r"|(?:the )?(?:message )?(?:headers?|text|body|start|beginning|first \d+ \w+)"
    r" (?:of (?:the |your )?(?:original |returned |undelivered )?"
    r"(?:message|mail|e-mail)\b.{0,60}|follows?[\s.:-]*)"
    r"|your (?:original )?(?:message|mail|e-mail)\b[\w ]{0,20}"
    r"(?:follows|begins|was as follows)\b.{0,20}"
    r"|(?:the )?(?:message|mail) (?:headers? )?(?:follows|begins)\b.{0,20}"
    r"|ursprüngliche (?:nachricht|mail).{0,40}|message d'origine.{0,40}"
    r"|mensaje original.{0,40}|messaggio originale.{0,40}|mensagem original.{0,40}"
    r"|(?:det )?ursprungliga meddelandet.{0,40}|opprinnelig melding.{0,40}"
    r"|oprindelig meddelelse.{0,40}|alkuperäinen viesti.{0,40}|元のメッセージ.{0,40}"
    r")\s*$",
    re.IGNORECASE,
)
# A returned mail that nothing announces.
_TRACE: Final = re.compile(
    r"^[> ]{0,4}(?:Received: +(?:from|by|\()|Return-Path: *<|DKIM-Signature: |"
    r"X-Received: by)",
    re.IGNORECASE,
)


def divide(mail: Part) -> tuple[str, str]:
    """Give the words for people, and the returned mail that follows in the same text."""
    text = _text(mail)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        is_below = _TRACE.match(line) or (
            0 < len(line) < 120
            and _ANNOUNCED.match(line)
            and _is_set_off(lines, number)
        )
        if is_below and number:
            return "\n".join(lines[:number]), "\n".join(lines[number:])
    return text, ""


def _is_set_off(lines: list[str], number: int) -> bool:
    """Say whether what follows the line looks like a mail rather than a sentence."""
    line = lines[number].strip()
    if line[:1] in "-=*_+~" or line.endswith((":", "-", "=", "*")):
        return True
    following = [each for each in lines[number + 1 : number + 8] if each.strip()]
    return not following or any(
        re.match(r"[>\s]*[A-Za-z][A-Za-z-]+: ", each) for each in following[:3]
    )


def _text(mail: Part) -> str:
    """Give the first words there are: plain, else those of an HTML part."""
    markup = ""
    found = []
    for part in walk(mail):
        if part.type.startswith("message/") or part.parts:
            continue
        if part.type == "text/html":
            markup = markup or part.text[: 4 * MOST_TEXT]
        elif part.type.startswith("text/") or part is mail:
            found.append(part.text[:MOST_TEXT])
        if len(found) == 3:
            break
    text = "\n".join(found)
    return text if text.strip() or not markup else from_html(markup)


def from_html(markup: str) -> str:
    """Give the words of an HTML text, roughly and in linear time."""
    markup = _INVISIBLE.sub(" ", markup)
    markup = _BLOCK_TAG.sub("\n", markup.replace("\n", " "))
    # An address in angle brackets is no tag.
    markup = re.sub(r"<([^<>\s@]{1,64}@[^<>\s@]{1,255})>", r"&lt;\1&gt;", markup)
    return html.unescape(_TAG.sub("", markup))[:MOST_TEXT]
