"""Example services with people who came and left, and landing pages for them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from optout import pages, subscriptions
from optout.models import Brand, LandingPage, Service, ServiceText
from optout.models.ledger import ConsentSource
from optout.models.pages import PageType
from optout.models.subscribing import ConfirmationMode
from optout.page_content import Access
from profiles.channels import Channel
from profiles.models import Profile

SUBSCRIBERS = 240
MADE_BY = "example data"
_TEXTS = {
    "news": {
        "en": ("News from the garden", "What to sow and to harvest, once a month."),
        "sv": ("Nytt från trädgården", "Vad man sår och skördar, en gång i månaden."),
    },
    "evenings": {
        "en": ("Evenings for members", "A text message when we open after hours."),
        "sv": ("Kvällar för medlemmar", "Ett sms när vi har kvällsöppet."),
    },
}


def make_services(*, now: datetime) -> list[Service]:
    """Make the services with their texts, and let people come and go."""
    news = _make("news", Channel.EMAIL, is_open=True, now=now)
    evenings = _make("evenings", Channel.SMS, is_open=False, validity_days=365, now=now)
    people = list(
        Profile.objects.not_erased()
        .filter(external_id__startswith="EX-")
        .order_by("external_id")[:SUBSCRIBERS]
    )
    for number, profile in enumerate(people):
        _come_and_go(profile, news, number, now=now)
        if number % 4 == 0:
            _come_and_go(profile, evenings, number + 1, now=now)
    for service in (news, evenings):
        service.subscribe_confirmation = ConfirmationMode.DEFAULT
        service.save(update_fields=["subscribe_confirmation"])
    return [news, evenings]


def make_pages(services: Sequence[Service], *, now: datetime) -> list[LandingPage]:
    """Publish a page to choose on, and one to sign up by; keep a third as a draft."""
    brand = Brand.objects.default()
    brand.sender_name = "Example Garden"
    brand.postal_address = "Storgatan 1\n903 26 Umeå"
    brand.contact = "hello@example.com"
    brand.save()
    choose = _make_page(_("What you get"), PageType.PREFERENCES, now=now)
    choices = {
        "channels": (Channel.EMAIL, Channel.SMS),
        "services": tuple(service.pk for service in services),
    }
    _offer(choose, choices, now=now)
    sign_up = _make_page(_("Sign up for the news"), PageType.SUBSCRIBE, now=now)
    public = {"access": Access.ANYBODY, "services": (services[0].pk,)}
    _offer(sign_up, public, now=now)
    for page in (choose, sign_up):
        pages.publish(page, by=MADE_BY, now=now)
    services[0].subscribe_page = sign_up
    services[0].save(update_fields=["subscribe_page"])
    return [choose, sign_up, _make_page(_("Way out"), PageType.DENYLIST, now=now)]


def _make_page(name: str, page_type: PageType, *, now: datetime) -> LandingPage:
    return pages.create(name, page_type, by=MADE_BY, now=now)


def _offer(page: LandingPage, choices: Mapping[str, Any], *, now: datetime) -> None:
    content = replace(pages.editable_content(page), **choices)
    pages.edit_draft(page, content, by=MADE_BY, now=now)


def _make(name: str, channel: Channel, *, now: datetime, **fields: object) -> Service:
    texts = _TEXTS[name]
    service = Service.objects.create(
        name=name,
        label=texts["en"][0],
        channel=channel,
        created_at=now,
        # Who came in the past gets no mail about it today.
        subscribe_confirmation=ConfirmationMode.NONE,
        **fields,
    )
    for language, (public_name, description) in texts.items():
        ServiceText.objects.create(
            service=service,
            language=language,
            public_name=public_name,
            description=description,
        )
    return service


def _come_and_go(
    profile: Profile, service: Service, number: int, *, now: datetime
) -> None:
    # Spread over two months, more of them on some days than on others.
    came = now - timedelta(days=number * number % 59, hours=number % 20)
    source = ConsentSource.LANDING_PAGE
    subscriptions.subscribe(profile, service, by="", source=source, now=came)
    if number % 11 == 3:
        left = came + (now - came) / 2
        subscriptions.unsubscribe(
            profile, service, by="", source=ConsentSource.ONE_CLICK, now=left
        )
