"""Finding a person by what an operator has at hand: an id, a name or an address.

Every way uses an index, so a search among millions answers at once. An address is
found by its digest: exact, whatever its case and format.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import phonenumbers
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from profiles.addresses import parse
from profiles.channels import TELEPHONE_CHANNELS, Channel
from profiles.models import Address, Profile

LIMIT = 100
_NATIONAL_NUMBER = re.compile(r"0[0-9 ()./-]{5,24}")


@dataclass(frozen=True)
class Found:
    """The profiles found, oldest first, and whether there are more than are shown."""

    profiles: list[Profile]
    has_more: bool


def search(text: str) -> Found:
    """Find profiles by external id, number, name or address; at most LIMIT."""
    text = text.strip().replace("\0", "")
    if not text:
        return Found([], has_more=False)
    ids: set[int] = set()
    for way in (_by_key(text), _by_address(text), _by_name(text)):
        ids.update(way[: LIMIT + 1])
    shown = sorted(ids)[:LIMIT]
    profiles = Profile.objects.not_erased().filter(pk__in=shown).order_by("pk")
    return Found(
        list(profiles.prefetch_related("addresses")), has_more=len(ids) > LIMIT
    )


def digests_of(text: str, *, channels: Iterable[Channel] = Channel) -> set[UUID]:
    """Give every digest that this text may have, on the channels given.

    A telephone number without a country code is tried in every country.
    """
    found = set()
    for channel in channels:
        found.add(parse(channel, text).digest)
        if channel in TELEPHONE_CHANNELS and _NATIONAL_NUMBER.fullmatch(text):
            found.update(
                parse(channel, text, country=region).digest
                for region in phonenumbers.SUPPORTED_REGIONS
            )
    return found


def row_ids(texts: Iterable[str]) -> list[int]:
    """Read numbers of rows that a page sent; passes over what no row can have."""
    return [int(text) for text in texts if text.isdecimal() and len(text) < 19]


def _by_key(text: str) -> QuerySet[Profile, int]:
    # A range, so that the index of any collation serves; the prefix has the last word.
    is_key = Q(
        external_id__gte=text,
        external_id__lt=f"{text}\U0010ffff",
        external_id__startswith=text,
    )
    is_key |= Q(pk__in=row_ids([text.lstrip("#")]))
    # Who was merged is found as who they live on as.
    living = Coalesce("merged_into_id", "pk")
    return Profile.objects.filter(is_key).values_list(living, flat=True)


def _by_address(text: str) -> QuerySet[Address, int]:
    found = Address.objects.filter(digest__in=digests_of(text))
    return found.values_list("profile_id", flat=True)


def _by_name(text: str) -> QuerySet[Profile, int]:
    # Case-insensitive beginnings: migration 0002 has an index for each engine.
    is_named = Q(last_name__istartswith=text) | Q(first_name__istartswith=text)
    first, _, last = text.partition(" ")
    if last.strip():
        is_named |= Q(
            first_name__istartswith=first, last_name__istartswith=last.strip()
        )
    return Profile.objects.filter(is_named).values_list("pk", flat=True)
