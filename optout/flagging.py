"""Setting many opt-outs at once, as imports do, each with its row in the ledger.

Written with the bulk statements of profiles.bulk, in the transaction of the caller.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from optout.models.ledger import ConsentSource, Direction
from profiles import bulk

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
    inserted: set[tuple[int, int]] = set()
    for start in range(0, len(flags), _BATCH):
        inserted.update(_insert_missing(flags[start : start + _BATCH], now))
    _record(
        [flag for flag in flags if (flag.profile_id, flag.channel) in inserted],
        by=by,
        now=now,
    )
    return len(inserted)


def _insert_missing(flags: Sequence[Flag], now: str) -> Iterable[tuple[Any, ...]]:
    places = ", ".join(["(%s, %s, %s)"] * len(flags))
    return bulk.select(
        "INSERT INTO optout_optout (profile_id, channel, opted_out_at)"
        f" VALUES {places} ON CONFLICT (profile_id, channel) DO NOTHING"
        " RETURNING profile_id, channel",
        list(chain.from_iterable((f.profile_id, f.channel, now) for f in flags)),
    )


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
