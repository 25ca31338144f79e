"""Reading a mail that came in: what it is, whom it names, and what that means. Pure.

Nothing here is to be believed for *whose* message it is about: only a token of ours is,
which the caller looks for in `arrived_at` and in `returned`, and verifies. Whatever
comes is read without raising; what cannot be read is of the kind `other`.
"""

import logging
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Final

from flufl.bounce import all_failures

from delivery.inbound import (
    auto_replies,
    complaints,
    mime,
    plain_reports,
    provider_notices,
    reports,
    stages,
)
from delivery.inbound.mime import Mail
from delivery.inbound.reports import ADDRESS, Block
from quarantine.qualification import (
    Qualification,
    Stage,
    contradicted,
    qualify,
    understand,
)
from quarantine.reasons import ErrorType, Reason, Verdict

# What it cannot read it writes to its log with a traceback; here it is of no account.
logging.getLogger("flufl.bounce").disabled = True
MOST_BODY: Final = 16_000  # characters of what a person wrote
_ARRIVALS: Final = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-delivered-to",
    "x-rcpt-to",
    "to",
    "cc",
    "resent-to",
)
_RETURNED: Final = (
    "return-path",
    "message-id",
    "list-unsubscribe",
    "feedback-id",
    "x-campaign",
    "to",
    "from",
    "date",
)
_ID: Final = re.compile(r"<[^<>\s]{1,500}>")
_IGNORED: Final = Qualification(Verdict.IGNORED, Reason.ERROR_IGNORED)
_COMPLAINED: Final = Qualification(Verdict.IGNORED, Reason.COMPLAINT)


class Kind(StrEnum):
    """What a mail is."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a mail says of one recipient; `reply` is the basic reply code, or empty."""

    recipient: str
    status: str
    reply: str
    diagnostic: str
    action: str
    qualification: Qualification
    # The address as it was given to the reporting server, when it says so.
    original: str = ""


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A mail, read.

    `arrived_at` are the addresses that it was sent or delivered to, as they stand
    there; `returned` are headers of the message that came back, by lower-case name.
    `feedback_type` is that of a complaint, such as `abuse`, `not-spam`, `auth-failure`
    or `opt-out`; `is_whole` says whether a feedback report has all that it must. A
    human reply is one that no machine seems to have written; `answers_to` are the
    Message-IDs that it answers, in brackets.
    """

    kind: Kind
    recipients: tuple[Recipient, ...] = ()
    arrived_at: tuple[str, ...] = ()
    returned: dict[str, list[str]] = field(default_factory=dict)
    feedback_type: str = ""
    is_whole: bool = True
    sender: str = ""
    subject: str = ""
    body: str = ""
    answers_to: tuple[str, ...] = ()
    is_human_reply: bool = False


def read(raw: bytes) -> ReadMail:
    """Read one mail, whatever it is."""
    mail = mime.parse(raw)
    text = plain_reports.notice(mail)
    kind, recipients, feedback = _understood(mail, text, raw)
    is_auto = kind == Kind.OTHER and auto_replies.is_auto_reply(mail)
    if is_auto and not recipients:
        kind = Kind.AUTO_REPLY
    null_sender = mail.first("return-path").strip() == "<>"
    return ReadMail(
        kind=kind,
        recipients=tuple(recipients),
        arrived_at=_arrivals(mail),
        returned=_returned(mail),
        feedback_type=feedback.type if feedback else "",
        is_whole=feedback.is_whole if feedback else True,
        sender=next(iter(ADDRESS.findall(mail.first("from"))), ""),
        subject=mail.first("subject")[:1_000],
        body=_body(mail),
        answers_to=_answered(mail),
        is_human_reply=kind == Kind.OTHER and not is_auto and not null_sender,
    )


def _understood(
    mail: Mail, text: str, raw: bytes
) -> tuple[Kind, list[Recipient], complaints.Feedback | None]:
    feedback = complaints.find(mail)
    if feedback is not None:
        return Kind.COMPLAINT, _complained(feedback), feedback
    notice = provider_notices.find(mail)
    if notice is not None:
        return Kind(notice.kind), _noticed(notice), None
    blocks = reports.blocks(mail)
    if blocks:
        return *_reported(blocks, text), None
    if not plain_reports.is_bounce(mail, text):
        return Kind.OTHER, [], None
    found = _told(mail, text, raw)
    if plain_reports.is_delay(mail, text):
        return Kind.DELAYED, [_with(each, _IGNORED) for each in found], None
    return (Kind.BOUNCE if found else _unnamed(mail, text)), found, None


def _complained(feedback: complaints.Feedback) -> list[Recipient]:
    is_complaint = feedback.type in {"abuse", "fraud", "virus"}
    made = _COMPLAINED if is_complaint else _IGNORED
    return [Recipient(each, "", "", "", "", made) for each in feedback.recipients]


def _noticed(notice: provider_notices.Notice) -> list[Recipient]:
    made = []
    for address, action, status, text in notice.recipients:
        if notice.kind == "bounce":
            made.append(_recipient(address, text, status=status, action=action))
        else:
            reason = _COMPLAINED if notice.kind == "complaint" else _IGNORED
            made.append(Recipient(address, status, "", text, action, reason))
    return made


def _reported(blocks: list[Block], text: str) -> tuple[Kind, list[Recipient]]:
    told = plain_reports.told(text)
    found: dict[str, Recipient] = {}
    for block in blocks:
        if not block.recipient:
            continue
        words = block.diagnostic
        about = plain_reports.words_of(told, text, block.recipient)
        if not _says_why(words):
            words = f"{words} {about}".strip()
        stage = stages.stage_of(text, about)
        made = _recipient(
            block.recipient,
            words,
            status=block.status,
            action=block.action or "failed",
            stage=stage,
            is_hearsay=stage is None and not understand(block.diagnostic).basic,
        )
        if len(blocks) == 1:
            made = _beside(text, made)
        made = replace(made, original=block.original)
        found.setdefault(block.recipient.lower(), made)
    actions = {each.action for each in found.values()}
    if "failed" in actions or not actions:
        return Kind.BOUNCE, list(found.values())
    kind = Kind.DELAYED if "delayed" in actions else Kind.DELIVERED
    return kind, list(found.values())


def _says_why(words: str) -> bool:
    said = understand(words)
    return bool(said.enhanced or said.basic) and len(said.words) > 12


def _beside(text: str, recipient: Recipient) -> Recipient:
    """Weigh what a report of one recipient tells people against its codes."""
    if recipient.qualification.error_type != ErrorType.HARD:
        return recipient
    told = plain_reports.prose(text, recipient.recipient)
    made = contradicted(recipient.qualification, told)
    return replace(recipient, qualification=made)


def _told(mail: Mail, text: str, raw: bytes) -> list[Recipient]:
    """Find out from words whom a mail names, and what it says of each."""
    entries = plain_reports.entries(mail, text)
    if not entries:
        named = _last_resort(mail, raw)
        entries = [plain_reports.Entry(each, "") for each in named]
    told = plain_reports.told(text)
    made = []
    for entry in entries:
        words = entry.words
        about = plain_reports.words_of(told, text, entry.recipient)
        stage = stages.stage_of(text, about)
        recipient_of = partial(
            _recipient, entry.recipient, stage=stage, is_hearsay=stage is None
        )
        recipient = recipient_of(words)
        if recipient.qualification.reason in {Reason.NOT_DEFINED, Reason.ERROR_IGNORED}:
            whole = f"{words} {text} {mail.first('subject')}"
            recipient = recipient_of(whole)
        made.append(_beside(text, recipient) if len(entries) == 1 else recipient)
    return made


def _last_resort(mail: Mail, raw: bytes) -> list[str]:
    """Name the recipients by what came back, else as flufl.bounce finds them."""
    returned = _returned(mail)
    named = [
        each for value in returned.get("to", []) for each in ADDRESS.findall(value)
    ]
    if named:
        return list(dict.fromkeys(named))[:20]
    message = mime.message_of(raw)
    if message is None:
        return []
    try:
        found = [each for group in all_failures(message) for each in group]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []
    texts = (each.decode("utf-8", "replace")[:1_000] for each in dict.fromkeys(found))
    return [address[0] for each in texts if (address := ADDRESS.search(each))][:20]


def _unnamed(mail: Mail, text: str) -> Kind:
    """Say what a mail is that speaks of a failure and names nobody."""
    return Kind.OTHER if auto_replies.is_auto_reply(mail) else Kind.BOUNCE


def _recipient(
    address: str,
    words: str,
    *,
    status: str = "",
    action: str = "failed",
    stage: Stage | None = None,
    is_hearsay: bool = False,
) -> Recipient:
    said = understand(words, status=status)
    return Recipient(
        recipient=address,
        status=said.enhanced or status,
        reply=str(said.basic) if said.basic else "",
        diagnostic=words[:1_000],
        action=action,
        qualification=qualify(
            words,
            status=status,
            action=action,
            stage=stage,
            is_hearsay=is_hearsay,
        ),
    )


def _with(recipient: Recipient, made: Qualification) -> Recipient:
    return replace(recipient, action="delayed", qualification=made)


def _arrivals(mail: Mail) -> tuple[str, ...]:
    values = [value for name in _ARRIVALS for value in mail.headers.get(name, [])]
    found = [each for value in values for each in ADDRESS.findall(value)]
    return tuple(dict.fromkeys(found))[:50]


def _returned(mail: Mail) -> dict[str, list[str]]:
    headers = dict(mail.returned)
    if not headers:
        for part in mail.parts:
            if part.type.startswith("text/"):
                headers = plain_reports.returned_headers(part.text) or headers
    return {name: headers[name] for name in _RETURNED if name in headers}


def _answered(mail: Mail) -> tuple[str, ...]:
    names = ("in-reply-to", "references")
    values = [value for name in names for value in mail.headers.get(name, [])]
    return tuple(each for value in values for each in _ID.findall(value))[:50]


def _body(mail: Mail) -> str:
    plain = [part.text for part in mail.parts_of("text/plain")]
    texts = plain or [part.text for part in mail.parts_of("text/html")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(texts))[:MOST_BODY]
