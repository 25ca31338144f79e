"""Mails that come back, made from the messages that the folder kept."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import parseaddr
from pathlib import Path

_REPORT = """\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: {sender}
Message-ID: <{key}@mx.example.org>
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="=_b"

--=_b
Content-Type: text/plain

This is the mail system at host mx.example.org.
--=_b
{part}
--=_b
Content-Type: text/rfc822-headers

{headers}
--=_b--
"""
_STATUS = """\
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {said}
"""
_FEEDBACK = """\
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1.0
Version: 1
"""
_REPLY = """\
Return-Path: <{recipient}>
From: <{recipient}>
To: {sender}
Message-ID: <{key}@mail.example.org>
In-Reply-To: {message_id}
Subject: Re: {subject}
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"

{text}
"""


@dataclass(frozen=True)
class Kept:
    """A message in the folder: whom it went to, and where its bounces come to."""

    sender: str
    recipient: str
    message_id: str
    subject: str
    # Of the message, which reports quote.
    headers: str

    @property
    def domain(self) -> str:
        return self.recipient.rpartition("@")[2]

    def bounce(self, status: str, said: str) -> bytes:
        """Make the delivery status notification of its server (RFC 3464)."""
        part = _STATUS.format(recipient=self.recipient, status=status, said=said)
        return self._report("delivery-status", part)

    def complaint(self) -> bytes:
        """Make the feedback report of its provider (RFC 5965)."""
        return self._report("feedback-report", _FEEDBACK)

    def reply(self, text: str) -> bytes:
        """Make the answer of its recipient."""
        return _wired(_REPLY, self, text=text)

    def _report(self, kind: str, part: str) -> bytes:
        return _wired(_REPORT, self, kind=kind, part=part)


def kept_in(folder: Path) -> list[Kept]:
    """List the messages in a folder by their recipients."""
    found = [_read(path) for path in folder.glob("b-*.eml")]
    return sorted(found, key=lambda each: each.recipient)


def _read(path: Path) -> Kept:
    raw = path.read_bytes()
    mail = message_from_bytes(raw, policy=policy.default)
    domain = str(mail["Message-ID"]).strip("<>").rpartition("@")[2]
    return Kept(
        sender=f"{path.stem}@{domain}",
        recipient=parseaddr(str(mail["To"]))[1],
        message_id=str(mail["Message-ID"]),
        subject=str(mail["Subject"]),
        headers=raw.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n"),
    )


def _wired(form: str, kept: Kept, **fields: str) -> bytes:
    key = f"about-{kept.recipient.partition('@')[0]}"
    text = form.format(**(vars(kept) | {"key": key} | fields))
    return text.replace("\n", "\r\n").encode()
