"""Who a public link is about: what its page needs to know of them, in one query."""

from dataclasses import dataclass
from typing import Final

from django.db import connection

from optout import stopping
from optout.models import Service
from optout.tokens import Link
from profiles import bulk
from profiles.models import Address

# The address that the message went to while the profile has it, else the preferred one.
_FIND: Final = """
SELECT profile.language, address.value
FROM profiles_profile profile
LEFT JOIN profiles_address address ON address.profile_id = profile.id
    AND address.channel = %s AND (address.is_preferred OR address.digest = %s)
WHERE profile.id = %s
ORDER BY CASE WHEN address.digest = %s THEN 0 ELSE 1 END
LIMIT 1
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
    """Find the person of a link; somebody unknown has no language and no address."""
    digest = Address._meta.get_field("digest").get_db_prep_value(
        link.digest, connection
    )
    for language, address in bulk.select(
        _FIND, [link.channel, digest, link.profile_id, digest]
    ):
        return Recipient(link, language, address or "", stopping.service_of(link))
    return Recipient(link, service=stopping.service_of(link))
