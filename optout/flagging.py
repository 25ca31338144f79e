"""Setting many opt-outs at once, as imports do, each with its row in the ledger.

Written with the bulk statements of profiles.bulk, in the transaction of the caller.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

from optout.models.ledger import ConsentSource, Direction
from profiles import bulk, in_flight, merged

_BATCH: Final = 1000
_EVENT_COLUMNS: Final = (
    "at",
    "profile_id",
    "address_digest",
    "direction",
    "channel",
    "source",
    "wording_hash",
    "language",
    "actor",
    "reason",
    "evidence_hash",
)
_RAISE_ONE: Final = """
INSERT INTO optout_optout (profile_id, channel, opted_out_at)
SELECT COALESCE(merged_into_id, id), %s, %s FROM profiles_profile WHERE id = %s {lock}
ON CONFLICT (profile_id, channel) DO NOTHING
RETURNING profile_id, (
    SELECT address.digest FROM profiles_address address
    WHERE address.profile_id = optout_optout.profile_id
        AND address.channel = optout_optout.channel AND address.is_preferred
)
"""

Key: TypeAlias = tuple[int, int]


class Flag(NamedTuple):
    """An opt-out to set; the digest is of the preferred address, or empty."""

    profile_id: int
    channel: int
    digest: str


def opted_out_channels(profile_ids: Sequence[int]) -> dict[int, set[int]]:
    """Give the channels (ANY_CHANNEL included) that profiles are opted out of."""
    channels: dict[int, set[int]] = {}
    if not profile_ids:
        return channels
    condition, parameter = bulk.is_any_of("profile_id", profile_ids)
    rows = bulk.select(
        f"SELECT profile_id, channel FROM optout_optout WHERE {condition}", [parameter]
    )
    for profile_id, channel in rows:
        channels.setdefault(profile_id, set()).add(channel)
    return channels


def set_new(flags: Sequence[Flag], *, by: str, now: str) -> int:
    """Set opt-outs of profiles that were created in this transaction."""
    if flags:
        bulk.insert(
            "optout_optout",
            ["profile_id", "channel", "opted_out_at"],
            [(flag.profile_id, flag.channel, now) for flag in flags],
        )
        _record(flags, by=by, now=now)
    return len(flags)


def set_missing(flags: Sequence[Flag], *, by: str, now: str) -> int:
    """Set opt-outs that are not set yet; returns how many were set.

    The database decides which these are: two at once leave one ledger row.
    """
    raised = raise_missing([(flag.profile_id, flag.channel) for flag in flags], now=now)
    news = [flag for flag in flags if (flag.profile_id, flag.channel) in raised]
    _record(news, by=by, now=now)
    in_flight.wait_until_none(profile_id for profile_id, _channel in raised)
    return len(raised)


def raising(key: Key, *, now: object) -> tuple[str, list[object]]:
    """Give the statement that raises one flag, and its parameters.

    Of a profile that was merged, it raises that of the one it lives on as. It gives
    the id of the profile and the digest of its preferred address when that is news; no
    row when the flag is up already, and when there is no such profile.
    """
    profile_id, channel = key
    return _RAISE_ONE.format(lock=merged.lock()), [channel, now, profile_id]


def raise_missing(keys: Iterable[Key], *, now: object) -> set[Key]:
    """Raise the flags of (profile id, channel) that are not up; returns those.

    Leaves the ledger to the caller. Always in one order, so that two who raise some
    of the same flags at once do not wait for each other.
    """
    raised: set[Key] = set()
    ordered = sorted(set(keys))
    for start in range(0, len(ordered), _BATCH):
        raised.update(_insert_missing(ordered[start : start + _BATCH], now))
    return raised


def _insert_missing(keys: Sequence[Key], now: object) -> list[Key]:
    places = ", ".join(["(%s, %s, %s)"] * len(keys))
    rows = bulk.select(
        "INSERT INTO optout_optout (profile_id, channel, opted_out_at)"
        f" VALUES {places} ON CONFLICT (profile_id, channel) DO NOTHING"
        " RETURNING profile_id, channel",
        list(chain.from_iterable((*key, now) for key in keys)),
    )
    return [(profile_id, channel) for profile_id, channel in rows]


def _record(flags: Sequence[Flag], *, by: str, now: str) -> None:
    if not flags:
        return
    out, source = Direction.OUT.value, ConsentSource.IMPORT.value
    bulk.insert(
        "optout_consentevent",
        _EVENT_COLUMNS,
        [
            (now, f.profile_id, f.digest, out, f.channel, source, "", "", by, "", "")
            for f in flags
        ],
        nullable=["address_digest"],
    )
