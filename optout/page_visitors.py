"""What is known of somebody who comes to a landing page."""

from datetime import datetime

from optout.models import OptOut, Subscription
from optout.page_content import FieldName, PageContent
from optout.planned_changes import PersonState
from optout.stopping import mask
from profiles.models import Address, Profile


def state_of(
    profile: Profile, content: PageContent, *, is_identified: bool, now: datetime
) -> PersonState:
    """Read a person's flags, subscriptions and what the page asks of their profile."""
    flags = OptOut.objects.filter(profile=profile).values_list("channel", flat=True)
    own = Subscription.objects.filter(profile=profile)
    ended = own.filter(unsubscribed_at__isnull=False)
    return PersonState(
        is_known=True,
        is_identified=is_identified,
        opted_out=frozenset(flags),
        subscribed=frozenset(own.current(now).values_list("service_id", flat=True)),
        ended=frozenset(ended.values_list("service_id", flat=True)),
        fields={
            each.name.value: field_text(profile, each.name) for each in content.fields
        },
    )


def field_text(profile: Profile, name: FieldName) -> str:
    """Give a field of a profile as the page writes it; dates as 2026-01-31."""
    value = getattr(profile, name.value)
    return "" if value is None else str(value)


def masked_address(profile: Profile, channel: int) -> str:
    """Give the preferred address on a channel with most of it hidden; or nothing."""
    address = Address.objects.filter(
        profile=profile, channel=channel, is_preferred=True
    ).first()
    return mask(channel, address.value) if address else ""
