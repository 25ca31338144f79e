"""Whom a profile lives on as, since it was merged into another (docs/decisions/0014).

Whoever strengthens the protection of a profile asks here, in the transaction that
writes it. The answer holds until its end: a merge that comes at the same moment waits,
and finds what was written; one that came before is seen. So no opt-out is ever written
to a profile that nothing is sent to any more, and lost.
"""

from collections.abc import Iterable

from django.db import connection

from profiles import bulk


def lock() -> str:
    """Give the words that make a query of profiles wait for merges, and merges for it.

    The weakest lock that does: imports and other stops of the person go on.
    """
    return "FOR KEY SHARE" if connection.vendor == "postgresql" else ""


def living_ids(profile_ids: Iterable[int]) -> dict[int, int]:
    """Give for each profile the id of the one it lives on as, nearly always its own.

    Locks them all until the end of the transaction. Nobody is left out, not even who
    is unknown.
    """
    wanted = sorted(set(profile_ids))
    found = {each: each for each in wanted}
    if wanted:
        condition, parameter = bulk.is_any_of("id", wanted)
        rows = bulk.select(
            "SELECT id, COALESCE(merged_into_id, id) FROM profiles_profile"
            f" WHERE {condition} ORDER BY id {lock()}",
            [parameter],
        )
        found.update(rows)
    return found


def living_id(profile_id: int) -> int:
    """Give the id of the profile that this one lives on as; locks as living_ids."""
    return living_ids([profile_id])[profile_id]
