"""Making one profile with one address, as a page or an API does it."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from profiles.addresses import ParsedAddress, suffixes
from profiles.models import Address, DomainSuffix, Profile


@transaction.atomic
def add(
    address: ParsedAddress, *, fields: Mapping[str, object], now: datetime
) -> Profile:
    """Make a profile whose only and preferred address is this one."""
    profile = Profile.objects.create(created_at=now, updated_at=now, **fields)
    if address.domain:
        DomainSuffix.objects.bulk_create(
            [
                DomainSuffix(suffix=suffix, domain=address.domain)
                for suffix in suffixes(address.domain)
            ],
            ignore_conflicts=True,
        )
    Address.objects.create(
        profile=profile,
        channel=address.channel,
        value=address.value,
        digest=address.digest,
        domain=address.domain,
        is_deliverable=address.is_deliverable,
        is_preferred=True,
        created_at=now,
    )
    return profile


def oldest_with(address: ParsedAddress) -> Profile | None:
    """Find the oldest profile that carries an address: by created_at, then id."""
    carriers = Profile.objects.not_erased().filter(addresses__digest=address.digest)
    return carriers.order_by("created_at", "pk").first()


@transaction.atomic
def prefer(profile: Profile, address: ParsedAddress, *, now: datetime) -> None:
    """Make an address the preferred one of its channel; earlier ones stay."""
    own = Address.objects.filter(profile=profile, channel=address.channel)
    own.filter(is_preferred=True).exclude(digest=address.digest).update(
        is_preferred=False
    )
    Address.objects.update_or_create(
        profile=profile,
        channel=address.channel,
        digest=address.digest,
        defaults={
            "value": address.value,
            "domain": address.domain,
            "is_deliverable": address.is_deliverable,
            "is_preferred": True,
        },
        create_defaults={
            "value": address.value,
            "domain": address.domain,
            "is_deliverable": address.is_deliverable,
            "is_preferred": True,
            "created_at": now,
        },
    )
