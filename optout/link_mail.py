"""Mailing people their links, and noting numbers that ask to stop: the worker's part.

At most one mail to a mailbox in 24 hours, whoever asks from wherever. It goes to the
address that a profile carries, and says nothing that anybody typed. A mailbox that is
in quarantine, denylisted or of a blocked domain gets none.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from optout import limiting, link_urls, notices
from optout.models import OptOut, StopRequest
from optout.tokens import Link
from profiles.addresses import parse, suffixes
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address
from quarantine.models import BlockedDomain, QuarantinedAddress

MOST_PROFILES: Final = 5


def answer(channel: Channel, digest: UUID, *, now: datetime) -> bool:
    """Do what was asked for an address; says whether there was anything to do."""
    limiting.prune(now=now)
    if channel == Channel.EMAIL:
        return mail_links(digest, now=now)
    return note_request(channel, digest, now=now)


def mail_links(digest: UUID, *, now: datetime) -> bool:
    """Mail the links of the profiles that carry an address; says whether it did.

    The day's one mail is counted before it is sent: a worker that dies in between
    sends none, never two. Raises MailNotSent.
    """
    addresses = _addresses(digest)
    if not addresses or is_protected(addresses[0]):
        return False
    canonical = parse(Channel.EMAIL, addresses[0].value).canonical
    mailbox = limiting.mailbox_of(canonical)
    if not limiting.allow(limiting.MAIL_TO_MAILBOX, mailbox, now=now):
        return False
    language = addresses[0].profile.language
    with translation.override(supported(language)):
        notices.send(addresses[0].value, _("Your links"), _body(addresses, now=now))
    return True


def note_request(channel: Channel, digest: UUID, *, now: datetime) -> bool:
    """Note for the operators that a number asks to stop; once while it is open."""
    known = Address.objects.filter(channel=channel, digest=digest)
    if not known.filter(~Exists(_flags(channel))).exists():
        return False
    _row, is_new = StopRequest.objects.get_or_create(
        channel=channel, digest=digest, closed_at=None, defaults={"asked_at": now}
    )
    return is_new


def is_protected(address: Address) -> bool:
    """Say whether nothing at all may be sent to an address."""
    listed = QuarantinedAddress.objects.excluding().filter(
        channel=address.channel, digest=address.digest
    )
    blocked = BlockedDomain.objects.filter(domain__in=suffixes(address.domain))
    return listed.exists() or blocked.exists()


def _addresses(digest: UUID) -> list[Address]:
    """List the addresses of this digest; those that still get messages come first."""
    known = Address.objects.filter(
        channel=Channel.EMAIL, digest=digest, is_deliverable=True
    ).select_related("profile")
    stopped = Exists(_flags(Channel.EMAIL))
    found = known.annotate(is_stopped=stopped).order_by("is_stopped", "profile_id")
    return list(found[:MOST_PROFILES])


def _flags(channel: Channel) -> QuerySet[OptOut]:
    return OptOut.objects.filter(
        profile_id=OuterRef("profile_id"), channel__in=[channel, ANY_CHANNEL]
    )


def supported(language: str) -> str:
    """Give the language that we write in to somebody of this one."""
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return settings.LANGUAGE_CODE


def _body(addresses: Sequence[Address], *, now: datetime) -> str:
    parts = [
        _("Somebody, probably you, asked on our page for the links of this address."),
        *(_links(address, now=now) for address in addresses),
        _("If it was not you, you need not do anything: nothing was changed."),
    ]
    return "\n\n".join(parts)


def _links(address: Address, *, now: datetime) -> str:
    link = Link(address.profile_id, Channel.EMAIL, now, digest=address.digest)
    lines = [
        _("To stop all our messages to this address, open this page and press:"),
        link_urls.stop_url(link),
        _("To choose what you get:"),
        link_urls.preferences_url(link),
    ]
    return "\n".join(lines)
