"""Reports that must change nothing: forged, replayed, late, or of nobody's message."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from delivery.channels import mail
from delivery.models import DomainDay, LaneHold, Report
from optout import mail_tokens
from optout.mail_tokens import MailLink, MailPurpose
from optout.models import ConsentEvent, OptOut, Subscription
from profiles.channels import Channel
from quarantine.models import QuarantinedAddress, QuarantineEvent
from tests.delivery.inbound.report_mails import STATUS_TEXTS, arf, dsn

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
CHANGED_BY_REPORTS = (
    QuarantinedAddress,
    QuarantineEvent,
    OptOut,
    Subscription,
    ConsentEvent,
    Report,
    DomainDay,
    LaneHold,
)


def snapshot() -> list[dict[str, Any]]:
    """Everything that a report may change."""
    return [
        row
        for model in CHANGED_BY_REPORTS
        for row in model.objects.order_by("pk").values()
    ]


@dataclass
class Forger:
    """Makes reports out of what an attacker may know: an old message, and addresses.

    `sender` is the envelope sender of a message whose bounce was counted already, and
    `unsubscribe` the token of somebody who has opted out already.
    """

    sender: str
    unsubscribe: str
    addresses: list[str]
    lots: random.Random = field(default_factory=lambda: random.Random(1))
    number: int = 0

    def reports(self, count: int) -> Iterator[bytes]:
        """Yield so many reports, of all kinds in turn."""
        kinds: list[Callable[[], bytes]] = [
            self.without_token,
            self.with_token_in_the_content,
            self.with_altered_token,
            self.with_random_token,
            self.with_token_of_another_purpose,
            self.of_a_message_never_sent,
            self.replayed,
            self.complaint_without_token,
            self.complaint_with_altered_token,
            self.complaint_with_message_id,
            self.unsubscription_with_altered_token,
            self.unsubscription_replayed,
        ]
        for self.number in range(1, count + 1):
            yield kinds[self.number % len(kinds)]()

    def without_token(self) -> bytes:
        return self._dsn("bounces@example.com")

    def with_token_in_the_content(self) -> bytes:
        original = f"Return-Path: <{self.sender}>\r\nTo: {self.victim}\r\n\r\n"
        return self._dsn("bounces@example.com", original=original.encode())

    def with_altered_token(self) -> bytes:
        return self._dsn(self._altered(self.sender))

    def with_random_token(self) -> bytes:
        return self._dsn(f"b-{self._random(48)}@example.com")

    def with_token_of_another_purpose(self) -> bytes:
        return self._dsn(self.unsubscribe.replace("u+", "b-"))

    def of_a_message_never_sent(self) -> bytes:
        """Even a token that we made, of a message that did not go out."""
        link = MailLink(self.lots.randrange(1 << 40), Channel.EMAIL, 0, 10**9)
        return self._dsn(mail.verp_sender(link, "example.com"))

    def replayed(self) -> bytes:
        return self._dsn(self.sender)

    def complaint_without_token(self) -> bytes:
        return arf(f"To: {self.victim}\r\nSubject: Spring", number=self.number)

    def complaint_with_altered_token(self) -> bytes:
        path = self._altered(self.sender)
        return arf(f"Return-Path: <{path}>\r\nTo: {self.victim}", number=self.number)

    def complaint_with_message_id(self) -> bytes:
        forged = f"1.{self.lots.randrange(1000)}.{self._random(16)}@example.com"
        return arf(f"Message-ID: <{forged}>\r\nTo: {self.victim}", number=self.number)

    def unsubscription_with_altered_token(self) -> bytes:
        return self._mail(self._altered(self.unsubscribe))

    def unsubscription_replayed(self) -> bytes:
        return self._mail(self.unsubscribe)

    @property
    def victim(self) -> str:
        return self.lots.choice(self.addresses)

    def _dsn(self, to: str, **more: Any) -> bytes:
        status = self.lots.choice(list(STATUS_TEXTS))
        return dsn(to, self.victim, status=status, number=self.number, **more)

    def _mail(self, to: str) -> bytes:
        return (
            f"From: {self.victim}\r\nTo: {to}\r\nMessage-ID: <{self.number}@x>\r\n"
            "Subject: unsubscribe\r\n\r\n"
        ).encode()

    def _altered(self, address: str) -> str:
        place = self.lots.randrange(2, 50)
        letter = self.lots.choice(LETTERS.replace(address[place].lower(), ""))
        return f"{address[:place]}{letter}{address[place + 1 :]}"

    def _random(self, length: int) -> str:
        return "".join(self.lots.choices(LETTERS, k=length))


def unsubscribe_address(profile_id: int) -> str:
    link = MailLink(profile_id, Channel.EMAIL)
    return f"u+{mail_tokens.make(link, MailPurpose.MAILTO)}@example.com"
