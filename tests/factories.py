"""Plain functions that make things. Every argument is by name."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

from delivery import analysis
from delivery.models import Audience, Delivery
from optout import page_defaults, pages
from optout.models import (
    Brand,
    Burst,
    LandingPage,
    OptOut,
    Service,
    ServiceText,
    Subscription,
)
from optout.models.ledger import ConsentSource
from optout.models.pages import PageType
from profiles.addresses import parse, suffixes
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, DomainSuffix, Profile
from quarantine.models import BlockedDomain, QuarantinedAddress
from quarantine.reasons import Reason, Source, Status

_numbers = count(1)
CREATED_AT = datetime(2024, 1, 1, 12, tzinfo=UTC)


def make_profile(
    *,
    external_id: str | None = None,
    email: str | None = "",
    sms: str | None = None,
    created_at: datetime = CREATED_AT,
    **fields: object,
) -> Profile:
    """Make a profile. An empty `email` makes one up; None leaves it without."""
    number = next(_numbers)
    profile = Profile.objects.create(
        external_id=f"P-{number:05}" if external_id is None else external_id,
        created_at=created_at,
        updated_at=created_at,
        **fields,
    )
    if email is not None:
        make_address(profile=profile, value=email or f"person{number}@example.com")
    if sms is not None:
        make_address(profile=profile, channel=Channel.SMS, value=sms)
    return profile


def make_address(
    *,
    profile: Profile,
    value: str,
    channel: Channel = Channel.EMAIL,
    is_preferred: bool = True,
) -> Address:
    parsed = parse(channel, value, country=profile.country)
    if parsed.domain:
        for suffix in suffixes(parsed.domain):
            DomainSuffix.objects.get_or_create(suffix=suffix, domain=parsed.domain)
    return Address.objects.create(
        profile=profile,
        channel=channel,
        value=parsed.value,
        digest=parsed.digest,
        domain=parsed.domain,
        is_deliverable=parsed.is_deliverable,
        is_preferred=is_preferred,
    )


def make_opt_out(*, profile: Profile, channel: int = ANY_CHANNEL) -> OptOut:
    return OptOut.objects.create(profile=profile, channel=channel)


def make_quarantined_address(
    *,
    value: str,
    channel: Channel = Channel.EMAIL,
    status: Status = Status.QUARANTINE,
    reason: Reason = Reason.USER_UNKNOWN,
    **fields: object,
) -> QuarantinedAddress:
    parsed = parse(channel, value)
    return QuarantinedAddress.objects.create(
        channel=channel,
        digest=parsed.digest,
        address=parsed.value,
        domain=parsed.domain,
        status=status,
        reason=reason,
        source=Source.OPERATOR,
        **fields,
    )


def make_blocked_domain(*, domain: str) -> BlockedDomain:
    return BlockedDomain.objects.create(domain=domain)


def make_delivery(
    *,
    label: str = "Spring",
    channel: Channel = Channel.EMAIL,
    audience: Audience | None = None,
    **fields: object,
) -> Delivery:
    return Delivery.objects.create(
        label=label,
        channel=channel,
        audience=audience or Audience.objects.create(),
        **fields,
    )


def make_analysed_delivery(*, now: datetime = CREATED_AT, **fields: object) -> Delivery:
    delivery = make_delivery(**fields)
    analysis.prepare(delivery, by="tests", now=now)
    delivery.refresh_from_db()
    return delivery


def make_service(
    *,
    name: str | None = None,
    public_name: str = "Letters",
    language: str = "en",
    channel: Channel = Channel.EMAIL,
    **fields: object,
) -> Service:
    """Make a service with its text in one language."""
    name = name or f"service-{next(_numbers)}"
    service = Service.objects.create(
        name=name, channel=channel, **({"label": name.capitalize()} | fields)
    )
    ServiceText.objects.create(
        service=service, language=language, public_name=public_name
    )
    return service


def make_subscription(
    *, profile: Profile, service: Service, **fields: object
) -> Subscription:
    known = {"subscribed_at": CREATED_AT, "source": ConsentSource.IMPORT}
    return Subscription.objects.create(
        profile=profile, service=service, **(known | fields)
    )


def make_burst(*, delivery_id: int = 7, count: int = 20) -> Burst:
    return Burst.objects.create(
        delivery_id=delivery_id,
        began_at=CREATED_AT,
        ended_at=CREATED_AT,
        count=count,
    )


def make_brand(**fields: object) -> Brand:
    known = {"name": "Shop", "sender_name": "The Shop", "postal_address": "Box 1, Umeå"}
    return Brand.objects.create(**(known | fields))


def make_landing_page(
    *,
    page_type: PageType = PageType.DENYLIST,
    name: str = "Way out",
    brand: Brand | None = None,
    is_published: bool = False,
    **content: object,
) -> LandingPage:
    """Make a page with the usual texts in English; `content` replaces parts of it."""
    page = pages.create(
        name, page_type, by="tests", now=CREATED_AT, brand=brand or make_brand()
    )
    usual = page_defaults.content(page_type, "en")
    pages.edit_draft(page, replace(usual, **content), by="tests", now=CREATED_AT)
    if is_published:
        pages.publish(page, by="tests", now=CREATED_AT)
    page.refresh_from_db()
    return page
