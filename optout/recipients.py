"""Who a public link is about: what its page needs to know of them, in one query."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from optout import stopping
from optout.models import Service
from optout.tokens import Link
from profiles import bulk

_FIND: Final = """
SELECT profile.id, profile.language,
    address.value, address.digest, address.is_preferred
FROM profiles_profile named
JOIN profiles_profile profile ON profile.id = COALESCE(named.merged_into_id, named.id)
LEFT JOIN profiles_address address
    ON address.profile_id = profile.id AND address.channel = %s
WHERE named.id = %s
"""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a link is about, and what: the service is None without one, or when gone.

    The language of the person and the address to show them may be empty. When the
    profile of the link was merged, `link` is about the one that lives on, and can only
    stop (`is_merged`).
    """

    link: Link
    language: str = ""
    address: str = ""
    service: Service | None = None
    is_merged: bool = False


def find(link: Link) -> Recipient:
    """Find the person of a link; somebody unknown has no language and no address.

    The address that the message went to while the profile has it, else the preferred
    one.
    """
    rows = bulk.select(_FIND, [link.channel, link.profile_id])
    profile_id, language = rows[0][:2] if rows else (link.profile_id, "")
    return Recipient(
        replace(link, profile_id=profile_id),
        language,
        _shown(link, [row[2:] for row in rows]),
        stopping.service_of(link),
        is_merged=profile_id != link.profile_id,
    )


def _shown(link: Link, rows: list[tuple[str | None, object, bool | None]]) -> str:
    shown = ""
    for address, digest, is_preferred in rows:
        if address and UUID(str(digest)) == link.digest:
            return address
        if address and is_preferred:
            shown = address
    return shown
