"""Making one profile with one address, as a page or an API does it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from profiles.addresses import ParsedAddress
from profiles.creating import KnownDomains
from profiles.models import Address, Profile, ProfileQuerySet


@transaction.atomic
def add(
    address: ParsedAddress, *, fields: Mapping[str, object], now: datetime
) -> Profile:
    """Make a profile whose only and preferred address is this one."""
    profile = Profile.objects.create(created_at=now, updated_at=now, **fields)
    KnownDomains().add({address.domain})
    prefer(profile, address, now=now)
    return profile


def carriers_of(digest: UUID) -> ProfileQuerySet:
    """Keep the profiles that carry an address, oldest first: by created_at, then id."""
    carriers = Profile.objects.not_erased().filter(addresses__digest=digest)
    return carriers.order_by("created_at", "pk")


def oldest_with(address: ParsedAddress) -> Profile | None:
    """Find the oldest profile that carries an address."""
    return carriers_of(address.digest).first()


@transaction.atomic
def prefer(profile: Profile, address: ParsedAddress, *, now: datetime) -> None:
    """Make an address the preferred one of its channel; earlier ones stay."""
    own = Address.objects.filter(profile=profile, channel=address.channel)
    own.filter(is_preferred=True).exclude(digest=address.digest).update(
        is_preferred=False
    )
    stored = {
        "value": address.value,
        "domain": address.domain,
        "is_deliverable": address.is_deliverable,
        "is_preferred": True,
    }
    Address.objects.update_or_create(
        profile=profile,
        channel=address.channel,
        digest=address.digest,
        defaults=stored,
        create_defaults=stored | {"created_at": now},
    )
