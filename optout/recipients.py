"""Who a public link is about: what its page needs to know of them, in one query."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from optout import stopping
from optout.models import Service
from optout.tokens import Link
from profiles import bulk

_FIND: Final = """
SELECT profile.language, address.value, address.digest, address.is_preferred
FROM profiles_profile profile
LEFT JOIN profiles_address address
    ON address.profile_id = profile.id AND address.channel = %s
WHERE profile.id = %s
"""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a link is about, and what: the service is None without one, or when gone.

    The language of the person and the address to show them may be empty.
    """

    link: Link
    language: str = ""
    address: str = ""
    service: Service | None = None


def find(link: Link) -> Recipient:
    """Find the person of a link; somebody unknown has no language and no address.

    The address that the message went to while the profile has it, else the preferred
    one.
    """
    rows = bulk.select(_FIND, [link.channel, link.profile_id])
    language = rows[0][0] if rows else ""
    return Recipient(link, language, _shown(link, rows), stopping.service_of(link))


def _shown(link: Link, rows: list[tuple[str, str | None, object, bool | None]]) -> str:
    shown = ""
    for _language, address, digest, is_preferred in rows:
        if address and UUID(str(digest)) == link.digest:
            return address
        if address and is_preferred:
            shown = address
    return shown
