"""Whose message a report is about: said by a token of ours, and by nothing else.

A report comes to an address that holds a token (the envelope sender of the message),
or quotes a message that does. Its MAC is checked. What the report says in words, such
as its Final-Recipient, never selects an address: anybody can write that.

The token names a message; its row in the log names the address that it went to, which
may not be the address that the profile has now.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Max

from delivery.channels import mail
from delivery.channels.outcomes import OutcomeKind
from delivery.lanes import domain_of
from delivery.models import Analysis, Attempt, Delivery, Message
from delivery.states import MessageStatus
from optout import mail_tokens, tokens
from optout.mail_tokens import MailLink, MailPurpose
from optout.tokens import InvalidToken, Link, Purpose
from profiles import addresses
from profiles.addresses import ParsedAddress
from profiles.channels import Channel

# The local parts that we make hold 48 characters; cut or stretched ones are no less
# meant to be ours.
_VERP: Final = re.compile(r"\bb-([a-z0-9]{20,62})(?=@|$)", re.IGNORECASE | re.ASCII)
_MAILTO: Final = re.compile(r"\bu\+([a-z0-9]{20,62})(?=@|$)", re.IGNORECASE | re.ASCII)
_LINK_PATH: Final = re.compile(r"/u/([A-Za-z0-9_.-]{40,160})(?=[>\s?/]|$)", re.ASCII)
_SHAPES: Final = {MailPurpose.VERP: _VERP, MailPurpose.MAILTO: _MAILTO}
# Of one text no more tokens are looked at: each costs a MAC per key.
_MOST: Final = 20
_MAY_HAVE_TAKEN: Final = (OutcomeKind.SENT, OutcomeKind.AMBIGUOUS)
_ON_ITS_WAY: Final = (
    MessageStatus.SENDING,
    MessageStatus.SENT,
    MessageStatus.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of us: the link of an authentic token, or that one was forged."""

    link: MailLink | None = None
    is_forged: bool = False


@dataclass(frozen=True, slots=True)
class Reported:
    """A message that was sent, as its row and the log know it."""

    delivery: Delivery
    analysis_id: int
    profile_id: int
    address: ParsedAddress
    # When it last went out; None while the server is still being asked.
    sent_at: datetime | None

    def is_fresh(self, now: datetime) -> bool:
        """Say whether reports about it still have an effect; later ones are kept."""
        within = timedelta(days=settings.QUARANTINE_REPORT_DAYS)
        return self.sent_at is None or now - self.sent_at <= within

    @property
    def domain(self) -> str:
        """Give the lane that it went by."""
        return self.address.domain or domain_of(self.address.value)


def find(texts: Iterable[str], purpose: MailPurpose) -> Found:
    """Look for an address with a token of ours; the first authentic one counts.

    A token that looks like ours and is not makes it a forgery, unless a true one is
    there too.
    """
    seen = 0
    for text in texts:
        for match in _SHAPES[purpose].finditer(text):
            seen += 1
            if seen > _MOST:
                break
            try:
                return Found(mail_tokens.read(match[1], purpose))
            except InvalidToken:
                continue
    return Found(is_forged=seen > 0)


def find_link(texts: Iterable[str], *, now: datetime) -> Found:
    """Look for a one-click link of ours, as a quoted List-Unsubscribe header has it."""
    is_forged = False
    for text in texts:
        for match in list(_LINK_PATH.finditer(text))[:_MOST]:
            try:
                link = tokens.read(match[1], Purpose.ONE_CLICK, now=now)
            except InvalidToken:
                is_forged = True
                continue
            return Found(
                MailLink(
                    link.profile_id, link.channel, link.service_id, link.delivery_id
                )
            )
    return Found(is_forged=is_forged)


def bare(text: str) -> Found:
    """Read a token as a provider hands it back: with or without the address around."""
    shown = text.strip()
    name = shown.partition("@")[0]
    return find([name if name[:2].lower() == "b-" else f"b-{name}"], MailPurpose.VERP)


def link_of_message(ids: Iterable[str]) -> MailLink | None:
    """Find the message that an answer is to, by the Message-ID that we gave it."""
    for each in list(ids)[:_MOST]:
        found = mail.read_message_id(each.strip().strip("<>"))
        if found is not None:
            return _link_of(*found)
    return None


def reported(link: MailLink) -> Reported | None:
    """Look up the message of an authentic token; None unless it was ever sent."""
    delivery = Delivery.objects.filter(pk=link.delivery_id).first()
    if delivery is None or delivery.current_analysis_id is None:
        return None
    analysis_id = delivery.current_analysis_id
    message = Message.objects.filter(
        analysis_id=analysis_id, profile_id=link.profile_id
    ).first()
    if message is None or message.digest is None:
        return None
    taken = Attempt.objects.filter(
        analysis_id=analysis_id,
        profile_id=link.profile_id,
        outcome__in=_MAY_HAVE_TAKEN,
    )
    sent_at = taken.aggregate(at=Max("started_at"))["at"]
    if sent_at is None and message.status not in _ON_ITS_WAY:
        return None
    address = address_of(delivery.channel, message.address, message.digest)
    return Reported(delivery, analysis_id, link.profile_id, address, sent_at)


def address_of(channel: int, value: str, digest: UUID) -> ParsedAddress:
    """Give the identity of an address as the log holds it: its digest decides.

    The readable address is empty once the person was erased.
    """
    parsed = addresses.parse(Channel(channel), value)
    return replace(parsed, digest=digest)


def public_link(link: MailLink, *, now: datetime, digest: UUID | None = None) -> Link:
    """Give the link by which a stop is carried out."""
    return Link(
        link.profile_id, link.channel, now, link.service_id, link.delivery_id, digest
    )


def _link_of(analysis_id: int, profile_id: int) -> MailLink | None:
    analysis = Analysis.objects.filter(pk=analysis_id).select_related("delivery")
    run = analysis.first()
    if run is None:
        return None
    delivery = run.delivery
    return MailLink(profile_id, delivery.channel, delivery.service_id or 0, delivery.pk)
