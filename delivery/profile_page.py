"""What the page of one profile shows of its addresses and of those who share them."""

from collections.abc import Sequence
from dataclasses import dataclass

from optout.models import Subscription
from profiles.models import Address, Profile
from quarantine import browsing
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Status

OTHERS_LIMIT = 20


@dataclass(frozen=True)
class AddressLine:
    """An address and what quarantine knows of it."""

    address: Address
    known: QuarantinedAddress | None
    tone: str


@dataclass(frozen=True)
class Other:
    """Another profile, and the addresses that it shares with this one."""

    profile: Profile
    addresses: list[Address]


def addresses_of(profile: Profile) -> list[Address]:
    """List the addresses by channel, the preferred one first."""
    rows = Address.objects.filter(profile=profile)
    return list(rows.order_by("channel", "-is_preferred", "pk"))


def address_lines(addresses: Sequence[Address]) -> list[AddressLine]:
    """Put beside each address what quarantine knows of it."""
    known = browsing.known(addresses)
    return [_line(each, known.get((each.channel, each.digest))) for each in addresses]


def others_with(addresses: Sequence[Address], *, profile: Profile) -> list[Other]:
    """List the other profiles that have one of these addresses, oldest first."""
    own = {each.digest: each for each in addresses}
    shared = Address.objects.filter(digest__in=own).exclude(profile=profile)
    others: dict[int, Other] = {}
    for each in shared.select_related("profile").order_by("profile_id")[:OTHERS_LIMIT]:
        other = others.setdefault(each.profile_id, Other(each.profile, []))
        other.addresses.append(own[each.digest])
    return list(others.values())


def subscriptions_of(profile: Profile) -> list[Subscription]:
    """List what a profile subscribes to, and what it left, by the service."""
    rows = Subscription.objects.filter(profile=profile).select_related("service")
    return list(rows.order_by("service__label", "pk"))


def _line(address: Address, known: QuarantinedAddress | None) -> AddressLine:
    tone = browsing.TONES[Status(known.status)] if known is not None else ""
    return AddressLine(address, known, tone)
