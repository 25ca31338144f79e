"""Telling people that a subscription of theirs began or ended, where the service says.

1. `optout.subscriptions` has it told after the commit, when the person acted: files
   and operators tell nobody.
2. `tell` looks again: what was taken back meanwhile is not told, and neither is it to
   somebody who wants no email, or at an address that must get none.
3. One mail a day, service and direction goes to a mailbox, however often one changes
   one's mind.
"""

from datetime import datetime
from typing import Final

from django.template.loader import render_to_string
from django.utils import translation

from optout import limiting, link_mail, link_urls, notices
from optout.models import OptOut, Service, Subscription
from optout.models.ledger import ConsentSource
from optout.models.subscribing import ConfirmationMode
from optout.tokens import Link
from profiles.addresses import parse
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address

_OWN_ACTS: Final = frozenset(
    {ConsentSource.LANDING_PAGE, ConsentSource.ONE_CLICK, ConsentSource.MAILTO}
)


def is_told(service: Service, *, has_begun: bool, source: str) -> bool:
    """Say whether somebody who came or went in this way is told by mail."""
    return (
        service.channel == Channel.EMAIL
        and source in _OWN_ACTS
        and _mode(service, has_begun=has_begun) != ConfirmationMode.NONE
    )


def tell(
    profile_id: int, service_id: int, *, has_begun: bool, language: str, now: datetime
) -> bool:
    """Send the mail of a subscription that began, or ended; says whether it was sent.

    `language` is the one the person chose in, empty for that of the profile. Raises
    notices.MailNotSent.
    """
    service = Service.objects.filter(pk=service_id).first()
    if service is None or not _is_still_so(
        profile_id, service, has_begun=has_begun, now=now
    ):
        return False
    address = _reachable(profile_id)
    if address is None or _mode(service, has_begun=has_begun) == ConfirmationMode.NONE:
        return False
    # Counted before it is sent: a worker that dies in between sends none, never two.
    mailbox = limiting.mailbox_of(parse(Channel.EMAIL, address.value).canonical)
    subject = f"{mailbox} {service.pk} {has_begun:d}"
    if not limiting.allow(limiting.SERVICE_MAIL, subject, now=now):
        return False
    link = Link(
        profile_id, Channel.EMAIL, now, service_id=service.pk, digest=address.digest
    )
    with translation.override(
        link_mail.supported(language or address.profile.language)
    ):
        title, body = _texts(service, link, has_begun=has_begun)
        notices.send(address.value, title, body)
    return True


def _mode(service: Service, *, has_begun: bool) -> str:
    if has_begun:
        return service.subscribe_confirmation
    return service.unsubscribe_confirmation


def _is_still_so(
    profile_id: int, service: Service, *, has_begun: bool, now: datetime
) -> bool:
    rows = Subscription.objects.filter(profile_id=profile_id, service=service)
    if has_begun:
        return rows.current(now).exists()
    return rows.filter(unsubscribed_at__isnull=False).exists()


def _reachable(profile_id: int) -> Address | None:
    """Find the address to write to; None when the person must or can get no mail."""
    stops = OptOut.objects.filter(
        profile_id=profile_id, channel__in=[ANY_CHANNEL, Channel.EMAIL]
    )
    address = (
        Address.objects.select_related("profile")
        .filter(
            profile_id=profile_id,
            profile__erased_at__isnull=True,
            channel=Channel.EMAIL,
            is_preferred=True,
            is_deliverable=True,
        )
        .first()
    )
    if address is None or stops.exists() or link_mail.is_protected(address):
        return None
    return address


def _texts(service: Service, link: Link, *, has_begun: bool) -> tuple[str, str]:
    """Give subject and body in the language at hand, with the way back below."""
    name = "subscribed" if has_begun else "unsubscribed"
    text = service.text_in(translation.get_language() or "")
    about = {
        "name": text.public_name if text else service.label,
        "stop_url": link_urls.unsubscribe_url(link, service),
        "join_url": link_urls.join_url(service),
    }
    subject = render_to_string(f"public/mail/{name}_subject.txt", about)
    opening = render_to_string(f"public/mail/{name}.txt", about)
    if text and _mode(service, has_begun=has_begun) == ConfirmationMode.OWN:
        subject = getattr(text, f"{name}_subject") or subject
        opening = getattr(text, f"{name}_body") or opening
    way_back = render_to_string(f"public/mail/{name}_back.txt", about)
    return subject, f"{opening.strip()}\n\n{way_back.strip()}"
