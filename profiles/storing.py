"""Rows of a file against the profiles that are stored: compare and update.

An empty value never overwrites anything; the first address that a row gives on a
channel becomes the preferred one, and the others stay. All writing is by the thousand
(profiles.bulk); the caller holds the transaction.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from uuid import UUID

from django.db import connection

from profiles import bulk
from profiles.creating import ADDRESS_COLUMNS, VALUES
from profiles.parsing import GivenAddress, ParsedRow, Values

AddressKey: TypeAlias = tuple[int, str]
_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(slots=True)
class StoredAddress:
    id: int
    value: str
    is_preferred: bool


@dataclass(slots=True)
class StoredProfile:
    """What a file can change of a profile; its opt-outs belong to another app."""

    id: int
    external_id: str
    values: Values
    attributes: dict[str, Any]
    addresses: dict[AddressKey, StoredAddress] = field(default_factory=dict)

    def preferred_digest(self, channel: int) -> str:
        """Give the digest of the preferred address of a channel, or empty."""
        for (stored_channel, digest), address in self.addresses.items():
            if stored_channel == channel and address.is_preferred:
                return digest
        return ""


@dataclass(slots=True)
class Change:
    """What a row changes of a stored profile; false when that is nothing."""

    profile: StoredProfile
    values: Values
    attributes: Values
    added: list[tuple[GivenAddress, bool]]  # with whether it is to be preferred
    edited: list[StoredAddress]  # as they are to be
    demoted: list[int]  # channels whose preferred address is to be another one

    def __bool__(self) -> bool:
        return bool(self.values or self.attributes or self.added or self.edited)


def load(column: str, given: Iterable[Any], *, is_locked: bool) -> list[StoredProfile]:
    """Load profiles with their addresses, by `id` or `external_id`; no erased ones.

    By the external id of one that was merged, the one it lives on as is given, under
    the id that was asked for.

    `is_locked` locks their rows until the end of the transaction, where rows have
    locks, so that nobody changes what we compare with.
    """
    wanted = [value for value in given if value]
    if not wanted:
        return []
    condition, parameter = bulk.is_any_of(column, wanted)
    has_locks = is_locked and connection.vendor == "postgresql"
    rows = bulk.select(
        f"SELECT merged_into_id, id, external_id, attributes, {', '.join(VALUES)}"
        f" FROM profiles_profile WHERE {condition}"
        " AND (erased_at IS NULL OR merged_into_id IS NOT NULL)"
        + (" ORDER BY id FOR NO KEY UPDATE" if has_locks else ""),
        [parameter],
    )
    profiles = {row[1]: _stored(row[1:]) for row in rows if row[0] is None}
    _load_addresses(profiles)
    gone = {row[2]: row[0] for row in rows if row[0] is not None and row[2]}
    return [*profiles.values(), *_living(gone, is_locked=is_locked)]


def _living(gone: Mapping[str, int], *, is_locked: bool) -> Iterator[StoredProfile]:
    """Load whom merged profiles live on as, by {external id: profile id}."""
    living = load("id", sorted(set(gone.values())), is_locked=is_locked)
    by_id = {profile.id: profile for profile in living}
    for external_id, profile_id in gone.items():
        if profile_id in by_id:
            yield replace(by_id[profile_id], external_id=external_id)


def _stored(row: tuple[Any, ...]) -> StoredProfile:
    number, external_id, attributes, *cells = row
    values = {name: str(cell) for name, cell in zip(VALUES, cells, strict=True) if cell}
    return StoredProfile(number, external_id or "", values, json.loads(attributes))


def _load_addresses(profiles: Mapping[int, StoredProfile]) -> None:
    if not profiles:
        return
    condition, parameter = bulk.is_any_of("profile_id", list(profiles))
    rows = bulk.select(
        "SELECT profile_id, channel, digest, id, value, is_preferred"
        f" FROM profiles_address WHERE {condition}",
        [parameter],
    )
    for profile_id, channel, digest, number, value, is_preferred in rows:
        known = digest.hex if isinstance(digest, UUID) else digest
        profiles[profile_id].addresses[channel, known] = StoredAddress(
            number, value, bool(is_preferred)
        )


def change(profile: StoredProfile, row: ParsedRow) -> Change:
    """Compare a row with the profile that it is about."""
    stored, attributes = profile.values, profile.attributes
    made = Change(
        profile,
        {
            name: value
            for name, value in row.values.items()
            if stored.get(name) != value
        },
        {
            name: value
            for name, value in row.attributes.items()
            if attributes.get(name) != value
        },
        [],
        [],
        [],
    )
    channels: set[int] = set()
    for given in row.addresses:
        _compare_address(made, given, is_first=given.channel not in channels)
        channels.add(given.channel)
    return made


def _compare_address(made: Change, given: GivenAddress, *, is_first: bool) -> None:
    known = made.profile.addresses.get((given.channel, given.digest))
    if is_first and not (known and known.is_preferred):
        made.demoted.append(given.channel)
    if known is None:
        made.added.append((given, is_first))
        return
    is_preferred = is_first or (
        known.is_preferred and given.channel not in made.demoted
    )
    wanted = StoredAddress(known.id, given.value, is_preferred)
    if wanted.value != known.value or (is_first and not known.is_preferred):
        made.edited.append(wanted)


def update(changes: Sequence[Change], *, now: str) -> None:
    """Write what has changed; profiles without a change are left alone."""
    changed = [made for made in changes if made]
    assignments = ", ".join(f"{name} = %s" for name in (*VALUES, "attributes"))
    bulk.execute_many(
        f"UPDATE profiles_profile SET {assignments}, updated_at = %s WHERE id = %s",
        [_changed_profile(made, now) for made in changed],
    )
    bulk.execute_many(
        "UPDATE profiles_address SET is_preferred = %s"
        " WHERE profile_id = %s AND channel = %s AND is_preferred",
        [
            (False, made.profile.id, channel)
            for made in changed
            for channel in made.demoted
        ],
    )
    bulk.execute_many(
        "UPDATE profiles_address SET value = %s, is_preferred = %s WHERE id = %s",
        [(a.value, a.is_preferred, a.id) for made in changed for a in made.edited],
    )
    bulk.insert(
        "profiles_address",
        ADDRESS_COLUMNS,
        [
            (*given, made.profile.id, is_preferred, now)
            for made in changed
            for given, is_preferred in made.added
        ],
    )


def _changed_profile(made: Change, now: str) -> tuple[Any, ...]:
    values = made.profile.values | made.values
    attributes = made.profile.attributes | made.attributes
    return (
        *(
            (values.get(name, "") if name != "birth_date" else values.get(name))
            for name in VALUES
        ),
        _encode(attributes),
        now,
        made.profile.id,
    )
