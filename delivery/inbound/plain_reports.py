"""Bounces that people read: mails in which a server says in words what went wrong.

Every server has a layout of its own, and a few habits are shared by nearly all: the
message that came back stands behind a line that says so, or begins with its headers;
before it stands each address on a line of its own or behind a colon, and next to it the
reason. These habits are looked for, not the servers.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from delivery.inbound.mime import Mail
from delivery.inbound.reports import ADDRESS

MOST_ENTRIES: Final = 100
LONGEST_LINE: Final = 2_000
MOST_LINES: Final = 400
MOST_TEXT: Final = 32_000  # characters
_DAEMONS: Final = re.compile(
    r"mailer.?daemon|post.?master|microsoftexchange|mail.?delivery|mail.?system|mdaemon|<>|bounce|"
    r"no-?reply|mailadmin|delivery.?(?:status|report|sub)|interscan|surfcontrol|"
    r"mail.?admin|mail.?gate|abuse|notification",
    re.IGNORECASE,
)
# These are asked of text in lower case, which is much faster than to ignore case.
_SUBJECT: Final = re.compile(
    r"undeliver|not\s+(?:be\s+)?deliver|deliver\w*\s+(?:\w+\s+){0,3}(?:fail|error|stat|prob"
    r"|notif|report|delay|unsuccess|warn)|fail\w*\s+(?:\w+\s+){0,2}(?:deliver|notice|mail)"
    r"|failure\s+notice|return(?:ed|ing)\s+(?:\w+\s+){0,2}(?:mail|message|to\s+sender)"
    r"|mail\s+(?:could|system\s+error|failure|deliver)|(?:message|mail)\s+(?:\w+\s+){0,2}"
    r"(?:failed|rejected|refused|blocked|not\s+sent|error)|user\s+unknown|unknown\s+user"
    r"|nondeliver|non.?deliver|delayed\s+mail|warning:\s+(?:message|could)|bounce"
    r"|could\s+not\s+(?:send|be\s+sent|deliver)|unable\s+to\s+deliver|status\s+notif"
    r"|unzustellbar|zustell|nicht\s+zugestellt|fehlgeschlagen|non\s+remis|échec"
    r"|non\s+distribu|remise|no\s+entregad|no\s+se\s+(?:pudo|puede)|devuelto"
    r"|mancata\s+consegna|não\s+(?:foi\s+)?entregue|devolvida|onbestelbaar|kan\s+inte\s+leverera"
    r"|kunde\s+inte\s+leverera|obeställbar|oleverer|kunne\s+ikke\s+lever|ei\s+voitu\s+toimittaa"
    r"|не\s+доставлен|недостав|配信|送信できません|エラー|退信|无法投递|投递失败|반송"
    r"|entrega\s+(?:fallida|falló)|(?:fallo|error)\s+(?:en\s+la|de)\s+entrega"
    r"|falha\s+(?:na|de)\s+entrega|mancato\s+recapito|niet\s+(?:afgeleverd|bezorgd)"
    r"|leverans(?:fel|en\s+misslyckades)|leveringsfe(?:il|jl)|toimitusvirhe"
    r"|nie(?:\s+dostarcz|dostarczon)|nedoruč|kézbesít|teslim\s+edilemedi",
)
_BODY: Final = re.compile(
    r"(?:could|can|was|were|has|have)\s*(?:not|n't)\s+(?:yet\s+)?(?:be(?:en)?\s+)?(?:\w+\s+)?"
    r"deliver|unable\s+to\s+(?:deliver|send)|wasn't\s+able\s+to\s+deliver|deliver\w*\s+"
    r"(?:\w+\s+){0,6}(?:failed|has\s+failed)|(?:failed|failure|error)\s+(?:\w+\s+){0,5}deliver|"
    r"permanent\s+(?:fatal\s+)?error|fatal\s+errors|delivery\s+errors|undeliver"
    r"|not\s+delivered|did\s+not\s+reach|returned\s+to\s+(?:you|sender)|was\s+rejected"
    r"|failure\s+reasons|invalid\s+user|transcript\s+of\s+session|did\s+not\s+like\s+our"
    r"|malformed\s+address|recipient\s+(?:address\s+)?(?:was\s+)?rejected|giving\s+up"
    r"|user\s+unknown|no\s+such\s+user|mailbox\s+is\s+full|message\s+rejected"
    r"|nicht\s+zugestellt|konnte\s+nicht|n'a\s+(?:pas\s+)?pu\s+être|n'existe\s+pas"
    r"|no\s+se\s+(?:pudo|ha\s+podido)|non\s+è\s+stato\s+possibile|kunde\s+inte|kunne\s+ikke"
    r"|niet\s+(?:worden\s+)?(?:afgeleverd|bezorgd)|nie\s+(?:została\s+)?dostarcz"
    r"|impossible\s+de\s+(?:remettre|distribuer)|no\s+se\s+entreg|não\s+(?:foi|pôde)"
    r"|не\s+удалось\s+доставить|无法投递|投递失败|배달되지|teslim\s+edilemedi"
    r"|ei\s+voitu|не\s+может\s+быть\s+достав|できません|配信",
)
_DELAY: Final = re.compile(
    r"warning\s+only|do\s+not\s+need\s+to\s+resend|not\s+need\s+to\s+resend|(?:will|to)\s+(?:be\s+)?"
    r"(?:retried|keep\s+trying|continue\s+to\s+(?:try|attempt))|still\s+being\s+retried"
    r"|has\s+not\s+yet\s+been\s+delivered|delivery\s+(?:\w+\s+)?delayed|temporary\s+failure\s+only"
    r"|delivery\s+attempts\s+will\s+continue|status\s+notification\s+\(delay"
    r"|warning\W{1,4}(?:could\s+not|unable\s+to)\s+send\s|will\s+(?:keep|continue)\s+trying"
    r"|verzögerte\s+zustellung|zustellung\s+verzögert|noch\s+nicht\s+zugestellt"
    r"|fördröjd\s+leverans|forsinket\s+levering|toimitus\s+viivästyy|remise\s+retardée"
    r"|entrega\s+(?:retrasada|demorada|atrasada)|consegna\s+ritardata",
)
_SEPARATOR: Final = re.compile(
    r"(?:original|returned|undelivered|unsent|failed|rejected)\s+(?:e-?mail\s+)?(?:message|mail|headers?)"
    r"(?:\s+headers?)?(?:\s+(?:is\s+)?(?:follows?|following|below|attached|text))?"
    r"|(?:copy|text|headers?|beginning|body|contents|start)\s+of\s+(?:the\s+|your\s+)?(?:original\s+|"
    r"failed\s+|returned\s+|unsent\s+)?(?:mail\s+|e-?mail\s+)?(?:message|mail)"
    r"|message\s+headers?\s+follow|message\s+text\s+follows|unsent\s+message\s+follows"
    r"|your\s+(?:original\s+)?message\s+(?:was|follows|is\s+(?:below|returned|enclosed))"
    r"|ursprüngliche\s+nachricht|message\s+d'origine|mensaje\s+original|messaggio\s+originale"
    r"|mensagem\s+original|ursprungligt?\s+meddelande|oprindelig\s+meddelelse",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(
    r"(?:received|return-path|from|to|cc|subject|date|message-id|mime-version|reply-to|sender"
    r"|content-type|x-[a-z-]+|dkim-signature|delivered-to|user-agent|references|in-reply-to"
    r"|list-[a-z-]+|content-transfer-encoding)\s*:",
    re.IGNORECASE,
)
_SURE_HEADER: Final = re.compile(r"(?:received|return-path)\s*:", re.IGNORECASE)
_A: Final = (
    r'(?:"[^"\r\n<>]{1,64}"|[^\s<>"(),:;@\[\]\\\'`]{1,64})'
    # One way to read each character: a nested repetition would try them all.
    r"@[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9]))*"
)
# An address that begins a line, and what stands behind it there.
_FIRST: Final = re.compile(
    rf"^[\s>*•\-]*(?:5\d\d[ -](?:\d\.\d+\.\d+ )?)?<?\s*({_A})\s*>?(?:\s*<({_A})>)?"
    r"(?=[\s:;,.(\[>—-]|$)"
)
# An address behind a colon that ends a line.
_LAST: Final = re.compile(rf":\s*<?({_A})>?\s*$")
_QUOTED_HEADER: Final = re.compile(
    r"\s*(?:to|from|cc|bcc|reply-to|sender)\s*:", re.IGNORECASE
)
# An address behind words that say that it is the one.
_NAMED: Final = re.compile(
    r"\b(?:recipients?|rcpt\s+to|addressee|address|deliver\w*\s+(?:\w+\s+){0,3}to|attempts|user"
    r"|mailbox|account|reach|destinataire|empfänger|an|destinatario|recipient\(s\)|message\s+to"
    r"|sent\s+to|mail\s+to|rejected|for|to)(?:\(e?s\))?(?:\s+(?:address|is|was)\b)?"
    rf"[\s:=\"'(<]+({_A})",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"\s*[245]\d\d[ -]")
_NOT_RECIPIENT: Final = re.compile(
    r"contact|please|e-?mail\s+to|mail\s+from|\bfrom\b|sender|help|support|questions?|https?:|mailto:"
    r"|reply-to|envelope-from",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An address that a text says could not be reached, and what it says of it."""

    recipient: str
    words: str


def is_bounce(mail: Mail, text: str) -> bool:
    """Say whether a mail without a machine-readable part is about a failed delivery."""
    if mail.has("x-failed-recipients") or mail.has("x-bounced-address"):
        return True
    sender = f"{mail.first('from')} {mail.first('return-path')}"
    is_daemon = _DAEMONS.search(sender) is not None or mail.first("return-path") == "<>"
    if _SUBJECT.search(mail.first("subject").lower()):
        return is_daemon or _BODY.search(text[:8_000].lower()) is not None
    return is_daemon and _BODY.search(text[:8_000].lower()) is not None


def is_delay(mail: Mail, text: str) -> bool:
    """Say whether a mail only warns that a delivery takes longer."""
    told = f"{mail.first('subject')}\n{text[:8_000]}"
    return _DELAY.search(told.lower()) is not None


def notice(mail: Mail) -> str:
    """Give what was written about the failure, without the message that came back."""
    plain = [p.text for p in mail.parts_of("text/plain", "text/preamble")]
    texts = plain or [part.text for part in mail.parts_of("text/html")]
    return "\n".join(before_returned(text) for text in texts[:4])[:MOST_TEXT]


def before_returned(text: str) -> str:
    """Cut a text where the message that came back begins."""
    lines = text.splitlines()[:MOST_LINES]
    for number, line in enumerate(lines):
        if _begins_returned(lines, number, line):
            return "\n".join(lines[:number])
    return "\n".join(lines)


def returned_headers(text: str) -> dict[str, list[str]]:
    """Read the headers of a message that came back as text."""
    lines = text.splitlines()
    start = len(before_returned(text).splitlines())
    headers: dict[str, list[str]] = {}
    name = ""
    for line in lines[start : start + 200]:
        if line[:1] in (" ", "\t") and name:
            headers[name][-1] += " " + line.strip()
        elif _HEADER.match(line.strip()):
            name, _, value = line.strip().partition(":")
            name = name.lower()
            headers.setdefault(name, []).append(value.strip())
        elif headers and not line.strip():
            break
        else:
            name = ""
    return headers


def entries(mail: Mail, text: str) -> list[Entry]:
    """List the addresses that a text says could not be reached, with their reasons."""
    named = failed_recipients(mail)
    found = list(_entries_of(text, exclude=_ours(mail) - set(map(str.lower, named))))
    # Somebody may have written to themselves.
    found = found or list(_entries_of(text, exclude=set()))
    if not named:
        return _first_of_each(found)[:MOST_ENTRIES]
    if found and not {each.recipient.lower() for each in found} & set(
        map(str.lower, named)
    ):
        # The header is of another hop than the words.
        return _first_of_each(found)[:MOST_ENTRIES]
    by_address = {entry.recipient.lower(): entry for entry in _first_of_each(found)}
    whole = _squeezed(text)
    made = [by_address.get(each.lower(), Entry(each, "")) for each in named]
    only = len(named) == 1 and not made[0].words
    return [Entry(named[0], whole)] if only else made[:MOST_ENTRIES]


def failed_recipients(mail: Mail) -> list[str]:
    """Read the headers in which some servers name the recipients."""
    values = [
        *mail.headers.get("x-failed-recipients", []),
        *mail.headers.get("x-bounced-address", []),
    ]
    found = [each for value in values for each in ADDRESS.findall(value)]
    return list(dict.fromkeys(found))[:MOST_ENTRIES]


def told(text: str) -> dict[str, str]:
    """Gather what a text says of each address, by the address in lower case."""
    found: dict[str, list[str]] = {}
    for entry in _entries_of(text, exclude=set()):
        found.setdefault(entry.recipient.lower(), []).append(entry.words)
    return {address: " ".join(words)[:4_000] for address, words in found.items()}


def words_of(told: dict[str, str], text: str, recipient: str) -> str:
    """Give what a text says of one recipient; all of it where it names none."""
    return told.get(recipient.lower(), "").strip() or _squeezed(text)


def prose(text: str, recipient: str) -> str:
    """Give what a text says to people, without the lines that quote a reply."""
    named = recipient.lower()
    lines = (line.strip().lower() for line in text.splitlines()[:MOST_LINES])
    own = [
        line
        for line in lines
        if named not in line and not _CODE.match(line) and line[:1] not in "<>"
    ]
    return _squeezed(" ".join(own))


def _begins_returned(lines: list[str], number: int, line: str) -> bool:
    stripped = line.strip()
    if not stripped:
        return False
    if len(stripped) < 100 and _SEPARATOR.search(stripped):
        is_marked = stripped.startswith(("-", "=", "*", "_", "#", "+")) or (
            stripped.endswith((":", ".", "-"))
        )
        after = [each for each in lines[number + 1 : number + 8] if each.strip()]
        heads = any(_HEADER.match(each.strip()) for each in after[:3])
        return is_marked and (heads or not after) or heads
    if _SURE_HEADER.match(stripped):
        return True
    if line[:1].isspace() or not _HEADER.match(line):
        return False
    return sum(_HEADER.match(each) is not None for each in lines[number:][:4]) >= 3


def _entries_of(text: str, *, exclude: set[str]) -> Iterator[Entry]:
    lines = text.splitlines()[:MOST_LINES]
    starts = [
        (number, *begin)
        for number, line in enumerate(lines)
        if (begin := _begin(line, exclude)) is not None
    ]
    for place, (number, recipient, rest) in enumerate(starts):
        stop = starts[place + 1][0] if place + 1 < len(starts) else len(lines)
        yield Entry(
            recipient, _squeezed(" ".join([rest, *_about(lines, number, stop)]))
        )


def _begin(line: str, exclude: set[str]) -> tuple[str, str] | None:
    # No run of spaces is long, and no line: then no pattern here takes long.
    line = " ".join(line[:LONGEST_LINE].split())
    if "@" not in line or _QUOTED_HEADER.match(line):
        return None
    first = _FIRST.match(line)
    if first:
        address = first[2] or first[1]
        if address.lower() not in exclude:
            return address, line
    named = _NAMED.search(line) or _LAST.search(line)
    if named and named[1].lower() not in exclude:
        before = line[: named.start(1)]
        if not _NOT_RECIPIENT.search(before):
            return named[1], line
    return None


def _about(lines: list[str], number: int, stop: int) -> Iterable[str]:
    """Give the lines of an entry: to the blank line after its first words."""
    about: list[str] = []
    for line in lines[number + 1 : min(stop, number + 25)]:
        if not line.strip():
            if about:
                break
            continue
        if _CODE.match(line) and _CODE.match(lines[number]):
            break
        about.append(line)
    return about


def _ours(mail: Mail) -> set[str]:
    """Name the addresses that cannot be the recipient: the server's, and ours."""
    names = (
        "from",
        "to",
        "return-path",
        "delivered-to",
        "x-original-to",
        "envelope-to",
        "reply-to",
        "sender",
        "cc",
    )
    values = [value for name in names for value in mail.headers.get(name, [])]
    values += mail.returned.get("from", []) + mail.returned.get("return-path", [])
    return {each.lower() for value in values for each in ADDRESS.findall(value)}


def _first_of_each(found: Iterable[Entry]) -> list[Entry]:
    """Keep one entry for each address: the one that says most of why."""
    best: dict[str, Entry] = {}
    for entry in found:
        known = best.get(entry.recipient.lower())
        if known is None or len(known.words) < len(entry.words):
            best[entry.recipient.lower()] = entry
    return list(best.values())


def _squeezed(text: str) -> str:
    return " ".join(text[:8_000].split())[:2_000]
