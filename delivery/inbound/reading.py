"""Reading a mail that came in: what kind it is, whom it is about and what was said.

Nothing is believed here and nothing is changed. A bounce is easily forged, so whose
message it is about is known by a token of ours alone, which the caller looks for in
`came_to` and `original` and verifies.

Asked in this order: a report of a complaint, a report of a delivery, a note of a
provider, an automatic reply, a bounce in words. What is none of them is `other`.
"""

import re
from dataclasses import replace
from typing import Final

from delivery.inbound import (
    auto_replies,
    complaints,
    last_resort,
    mails,
    notices,
    notifications,
    plain_reports,
    reports,
)
from delivery.inbound.addresses import find_all, is_daemon
from delivery.inbound.complaints import Complaint
from delivery.inbound.mails import Part
from delivery.inbound.meanings import MailKind, OriginalMail, ReadMail, ReadRecipient
from delivery.inbound.originals import original_of
from quarantine.qualification import IGNORED

LONGEST_TEXT: Final = 10_000
_ENVELOPE: Final = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-delivered-to",
    "x-rcpt-to",
    "x-forwarded-to",
    "apparently-to",
    "to",
    "cc",
)
_ID: Final = re.compile(r"<[^<>\s]{1,500}>")
_FAILURE_SUBJECT: Final = re.compile(
    r"undeliver|non.?deliver|delivery (?:failure|failed|status|error|report|notif|problem"
    r"|has failed|incomplete|delayed)|returned mail|return(?:ed)? to sender|failure notice"
    r"|fail(?:ed|ure) (?:mail|delivery|to deliver|notice)|mail (?:system error|delivery"
    r"|failure|error|could not|not delivered|undelivered)|message (?:not|could not|delivery"
    r"|undeliverable|status)|not delivered|could not (?:be )?(?:deliver|send)|bounce"
    r"|rejected mail|mail rejected|unzustellbar|nicht zugestellt|fehlgeschlagen"
    r"|échec|non remis|non distribu|no se (?:ha )?(?:pudo|podido) entreg|no entregado"
    r"|mancata consegna|non recapitat|não entregue|olevererbar|kunde inte leverer"
    r"|ikke leveret|ikke levert|kan ikke leveres|toimitus epäonnistui|ei voitu toimittaa"
    r"|не доставлено|недоставлен|エラーメール|配信不能|送信できません|退信",
    re.IGNORECASE,
)
_DELAY: Final = re.compile(
    r"\((?:delay|delayed)\)|delivery (?:delayed|temporarily|warning|status notification"
    r" \(delay)|notification: warning|^warning\b|warning: |warning--|delayed:|still being retried"
    r"|message (?:delayed|warning)|verzögert|fördröj|retard[ée]",
    re.IGNORECASE,
)
_DELAY_TEXT: Final = re.compile(
    r"this is a warning message only|only a (?:temporary|warning)|will be retried"
    r"|will (?:keep|continue) (?:on )?trying|has not (?:yet )?been delivered"
    r"|still in (?:the )?queue|has been delayed|temporary failure report"
    r"|no action is required on your part",
    re.IGNORECASE,
)
_FAILURE_TEXT: Final = re.compile(
    r"(?:could not|couldn't|cannot|can't|unable to|was not|wasn't|not be|failed to|failure"
    r"|fail(?:ed)?) .{0,40}(?:deliver|sen[dt]|reach)|undeliver|delivery .{0,20}fail"
    r"|permanent(?:ly)? (?:fatal )?(?:error|fail)|rejected|user unknown|no such user"
    r"|returned to you|送信できません|配信できません|following addresses had",
    re.IGNORECASE,
)


def read(raw: bytes) -> ReadMail:
    """Read a mail, whatever its bytes are. Never raises."""
    mail = mails.parse(raw)
    notice, below = notices.divide(mail)
    known = ReadMail(
        kind=MailKind.OTHER,
        came_to=_came_to(mail),
        original=original_of(mail, below),
        sender=next(iter(find_all(mail.first("from"))), "").lower(),
        subject=mail.first("subject")[:500],
        message_id=mail.first("message-id").strip()[:500],
        answers_to=_answers_to(mail),
        text=notice[:LONGEST_TEXT].strip(),
    )
    return (
        _complaint(mail, known)
        or _report(mail, notice, known)
        or _note(notice, known)
        or _auto_reply(mail, known)
        or _bounce(raw, mail, known, notice)
        or _other(mail, known)
    )


def _complaint(mail: Part, known: ReadMail) -> ReadMail | None:
    found = complaints.find(mail) or complaints.unsubscribed(mail, known.text)
    return _complained(found, known) if found else None


def _complained(found: Complaint, known: ReadMail) -> ReadMail:
    return replace(
        known,
        kind=MailKind.COMPLAINT,
        feedback_type=found.type,
        recipients=tuple(
            ReadRecipient(recipient=each, qualification=IGNORED)
            for each in found.recipients
        ),
        needs_review=found.needs_review,
    )


def _report(mail: Part, notice: str, known: ReadMail) -> ReadMail | None:
    blocks = reports.find(mail)
    recipients = [
        found
        for block in blocks
        if (found := reports.recipient_of(block, notice)) is not None
    ]
    if not recipients:
        return None
    return replace(
        known, kind=_kind_of_actions(recipients), recipients=tuple(recipients)
    )


def _kind_of_actions(recipients: list[ReadRecipient]) -> MailKind:
    """A report of several recipients is what the worst of them is."""
    actions = {each.action for each in recipients}
    if actions <= {"delivered", "relayed", "expanded"}:
        return MailKind.DELIVERED
    if actions <= {"delivered", "relayed", "expanded", "delayed"}:
        return MailKind.DELAYED
    return MailKind.BOUNCE


def _note(notice: str, known: ReadMail) -> ReadMail | None:
    note = notifications.find(notice)
    if note is None:
        return None
    kind = notifications.kind_of(note)
    if kind == "Complaint":
        return _complained(notifications.complaint_of(note), known)
    if kind == "Bounce":
        recipients = notifications.recipients_of(note, "failed")
        return replace(known, kind=MailKind.BOUNCE, recipients=tuple(recipients))
    if kind == "Delivery":
        recipients = notifications.recipients_of(note, "delivered")
        return replace(known, kind=MailKind.DELIVERED, recipients=tuple(recipients))
    return None


def _auto_reply(mail: Part, known: ReadMail) -> ReadMail | None:
    is_system = is_daemon(known.sender) or bool(mail.first("x-failed-recipients"))
    fails = _FAILURE_SUBJECT.search(known.subject) is not None
    if is_system and fails:
        return None
    if auto_replies.has_subject(mail) or (
        auto_replies.is_marked(mail) and not is_system and not fails
    ):
        return replace(known, kind=MailKind.AUTO_REPLY)
    return None


def _bounce(raw: bytes, mail: Part, known: ReadMail, notice: str) -> ReadMail | None:
    """Read a bounce in words; None when the mail does not look like one."""
    if not _looks_like_bounce(mail, known, notice):
        return None
    senders = {known.sender, *known.came_to, known.original.return_path.lower()}
    found = plain_reports.read(mail, notice, senders=frozenset(senders))
    if not found:
        words = [*find_all(known.original.to)[:1]] or last_resort.find(raw)
        found = [plain_reports.recipient(each, notice, notice) for each in words]
    is_delayed = _DELAY.search(known.subject) or _DELAY_TEXT.search(notice)
    if is_delayed:
        found = [
            replace(each, action="delayed", qualification=IGNORED) for each in found
        ]
    kind = MailKind.DELAYED if is_delayed else MailKind.BOUNCE
    return replace(known, kind=kind, recipients=tuple(found), needs_review=not found)


def _looks_like_bounce(mail: Part, known: ReadMail, notice: str) -> bool:
    if mail.first("x-failed-recipients"):
        return True
    is_null = mail.first("return-path").strip() in {"<>", "<MAILER-DAEMON>"}
    is_system = is_null or is_daemon(known.sender) or _is_named_system(mail)
    fails = _FAILURE_SUBJECT.search(known.subject) is not None
    if is_system and fails:
        return True
    says_so = _FAILURE_TEXT.search(notice) is not None
    return says_so and (is_system or fails)


def _is_named_system(mail: Part) -> bool:
    sender = mail.first("from").lower()
    return any(
        word in sender
        for word in ("mail delivery", "delivery subsystem", "mailer-daemon")
    )


def _other(mail: Part, known: ReadMail) -> ReadMail:
    is_system = is_daemon(known.sender) or not known.sender
    is_machine = is_system or auto_replies.is_marked(mail) or auto_replies.is_bulk(mail)
    return replace(known, is_human=not is_machine)


def _came_to(mail: Part) -> tuple[str, ...]:
    found = (
        address.lower()
        for name in _ENVELOPE
        for value in mail.all(name)[:20]
        for address in find_all(value)[:50]
    )
    return tuple(dict.fromkeys(found))[:100]


def _answers_to(mail: Part) -> tuple[str, ...]:
    text = " ".join([*mail.all("in-reply-to")[:5], *mail.all("references")[:5]])
    return tuple(dict.fromkeys(_ID.findall(text)))[:50]


__all__ = ["MailKind", "OriginalMail", "ReadMail", "ReadRecipient", "read"]
