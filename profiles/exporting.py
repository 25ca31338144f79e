"""Profiles as rows of a file, in the columns that the import reads.

Read by the page, in the order of their ids, so memory stays flat. Erased profiles are
left out, and so are attributes that carry the name of a column.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from profiles import bulk
from profiles.channels import Channel
from profiles.models import Address, Profile
from profiles.parsing import ADDRESSES, FIELDS

_PAGE: Final = 2_000
_COLUMN_OF: Final[dict[int, str]] = {
    channel.value: column for column, channel in ADDRESSES.items()
}
_VALUES: Final = tuple(
    name
    for name in FIELDS
    if name not in ADDRESSES and not name.startswith("no_") and name != "created_at"
)


@dataclass(frozen=True, slots=True)
class ExportedProfile:
    """A profile by its columns; attributes have a place of their own."""

    id: int
    cells: dict[str, str]
    attributes: dict[str, Any]


def attribute_names() -> list[str]:
    """List the names of all attributes that any profile has."""
    if connection.vendor == "postgresql":
        keys = "SELECT DISTINCT jsonb_object_keys(attributes) FROM profiles_profile"
    else:
        keys = "SELECT DISTINCT key FROM profiles_profile, json_each(attributes)"
    names = sorted(name for (name,) in bulk.select(f"{keys} WHERE erased_at IS NULL"))
    return [name for name in names if name.strip().casefold() not in FIELDS]


def pages() -> Iterator[list[ExportedProfile]]:
    """Give all profiles, some thousand at a time.

    Those without an external id come last, as an import makes them.
    """
    for has_external_id in (True, False):
        last = 0
        while page := _page(after=last, has_external_id=has_external_id):
            last = page[-1].id
            yield page


def attribute_cell(value: Any) -> str:
    """Write the value of an attribute: text as it is, anything else as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _page(*, after: int, has_external_id: bool) -> list[ExportedProfile]:
    wanted = Profile.objects.not_erased().filter(
        pk__gt=after, external_id__isnull=not has_external_id
    )
    page = [_exported(profile) for profile in wanted.order_by("pk")[:_PAGE]]
    cells = {profile.id: profile.cells for profile in page}
    for profile_id, channel, value in _addresses(list(cells)):
        column = _COLUMN_OF[channel]
        former = cells[profile_id].get(column)
        cells[profile_id][column] = f"{former};{value}" if former else value
    return page


def _exported(profile: Profile) -> ExportedProfile:
    cells = {name: str(getattr(profile, name) or "") for name in _VALUES}
    cells["created_at"] = profile.created_at.isoformat()
    return ExportedProfile(profile.pk, cells, profile.attributes)


def _addresses(profile_ids: Sequence[int]) -> list[tuple[int, int, str]]:
    # A postal address is made of its columns, so it has none of its own.
    addresses = Address.objects.exclude(channel=Channel.DIRECT_MAIL)
    rows = addresses.filter(profile_id__in=profile_ids).values_list(
        "profile_id", "channel", "is_preferred", "value"
    )
    # By value and not by id: an import is free to give ids in another order.
    ordered = sorted(rows, key=lambda row: (*row[:2], not row[2], row[3]))
    return [(profile, channel, value) for profile, channel, _, value in ordered]
