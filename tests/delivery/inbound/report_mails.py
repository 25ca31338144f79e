"""Mails that come in, made as servers and programs make them."""

from datetime import datetime

from django.utils import timezone

from delivery.inbound import processing, storing
from delivery.models import Inbound, InboundKind

STATUS_TEXTS = {
    "5.1.1": "550 5.1.1 No such user here",
    "5.2.2": "552 5.2.2 Mailbox is full",
    "4.4.7": "450 4.4.7 Delivery time expired",
    "5.7.1": "550 5.7.1 Message rejected as spam",
    "5.7.17": "550 5.7.17 Mailbox owner has changed",
}


def dsn(
    to: str,
    recipient: str,
    *,
    status: str = "5.1.1",
    action: str = "failed",
    said: str | None = None,
    original: bytes = b"Subject: Spring\r\n\r\nHello\r\n",
    number: int = 1,
    headers: str = "",
) -> bytes:
    """Make a delivery status notification (RFC 3464) to an address."""
    said = STATUS_TEXTS.get(status, f"550 {status}") if said is None else said
    diagnostic = f"Diagnostic-Code: smtp; {said}\r\n" if said else ""
    return (
        (
            "Return-Path: <>\r\n"
            f"{headers}"
            "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>\r\n"
            f"To: {to}\r\n"
            f"Message-ID: <dsn-{number}@mx.example.org>\r\n"
            "Subject: Undelivered Mail Returned to Sender\r\n"
            "Auto-Submitted: auto-replied\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=delivery-status;\r\n"
            ' boundary="=_b"\r\n\r\n'
            "--=_b\r\nContent-Type: text/plain\r\n\r\n"
            "This is the mail system at host mx.example.org.\r\n"
            "--=_b\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mx.example.org\r\n\r\n"
            f"Final-Recipient: rfc822; {recipient}\r\n"
            f"Action: {action}\r\nStatus: {status}\r\n{diagnostic}\r\n"
            "--=_b\r\nContent-Type: message/rfc822\r\n\r\n"
        ).encode()
        + original
        + b"\r\n--=_b--\r\n"
    )


def arf(
    original_headers: str,
    *,
    kind: str = "abuse",
    to: str = "fbl@example.com",
    number: int = 1,
) -> bytes:
    """Make a feedback report (RFC 5965) that quotes the headers of a message."""
    return (
        "Return-Path: <feedback@provider.example>\r\n"
        "From: <feedback@provider.example>\r\n"
        f"To: {to}\r\nMessage-ID: <arf-{number}@provider.example>\r\n"
        "Subject: FW: Spring\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=feedback-report;\r\n"
        ' boundary="=_a"\r\n\r\n'
        "--=_a\r\nContent-Type: text/plain\r\n\r\n"
        "This is an email abuse report.\r\n"
        "--=_a\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: Provider/1.0\r\nVersion: 1\r\n\r\n"
        "--=_a\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"{original_headers}\r\n"
        "--=_a--\r\n"
    ).encode()


def take_in(raw: bytes, *, now: datetime | None = None, recipient: str = "") -> Inbound:
    """Store a mail and read it; gives what was made of it."""
    now = now or timezone.now()
    row = storing.store(
        InboundKind.MAIL, raw, source="maildir", now=now, recipient=recipient
    )
    assert row is not None
    processing.read_one(row.pk, now=now)
    row.refresh_from_db()
    return row
