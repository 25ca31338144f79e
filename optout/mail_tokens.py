"""Short tokens for mail addresses, such as that of an unsubscribe link (mailto:).

Mail hosts may change the case of a local part, which has room for 64 characters (RFC
5321 section 4.5.3.1.1). So a token is lower-case base32 (RFC 4648 section 6), always 48
characters, and read in any case. It is the channel in 2 bytes, three ids in 6 bytes
each, and a MAC of 80 bits: HMAC-SHA256 cut, under a key of PUBLIC_LINK_KEYS. As for
links (optout.tokens) each purpose has a key of its own. There is no room for the id of
the key: those of the ring are tried.
"""

import hmac
from base64 import b32decode, b32encode
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from django.conf import settings

from optout.tokens import InvalidToken

TOKEN_LENGTH: Final = 48  # characters; they hold the 30 bytes below, with none to spare
_CHANNEL_BYTES: Final = 2
_ID_BYTES: Final = 6
_MAC_BYTES: Final = 10
_MOST: Final = 1 << 8 * _ID_BYTES


class MailPurpose(Enum):
    """What an address may be used for; the value goes into its key."""

    MAILTO = b"mailto"
    VERP = b"verp"


@dataclass(frozen=True, slots=True)
class MailLink:
    """Which message an address belongs to.

    `channel` may be ANY_CHANNEL. Zero stands for no service, and for no delivery.
    """

    profile_id: int
    channel: int
    service_id: int = 0
    delivery_id: int = 0


def make(link: MailLink, purpose: MailPurpose) -> str:
    """Make the token of a message for one purpose, under the first key of the ring.

    Raises ValueError for an id that no token can hold: below 0, or from 2**48 on.
    """
    payload = _payload(link)
    ring = next(iter(settings.PUBLIC_LINK_KEYS.values()))
    return b32encode(payload + _mac(ring, purpose, payload)).decode().lower()


def read(token: str, purpose: MailPurpose) -> MailLink:
    """Read a token that was made for this purpose, in whatever case it arrived.

    Raises InvalidToken for any other text.
    """
    sealed = _decoded(token)
    payload, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
    # Every key is tried, found or not: the time taken says nothing.
    keys = settings.PUBLIC_LINK_KEYS.values()
    matches = [hmac.compare_digest(mac, _mac(key, purpose, payload)) for key in keys]
    if not any(matches):
        raise InvalidToken
    channel = int.from_bytes(payload[:_CHANNEL_BYTES], signed=True)
    profile_id, service_id, delivery_id = _ids(payload[_CHANNEL_BYTES:])
    return MailLink(profile_id, channel, service_id, delivery_id)


@lru_cache(maxsize=8)
def _payload(link: MailLink) -> bytes:
    ids = (link.profile_id, link.service_id, link.delivery_id)
    channel = link.channel.to_bytes(_CHANNEL_BYTES, signed=True)
    return channel + b"".join(map(_written, ids))


def _mac(ring: str, purpose: MailPurpose, payload: bytes) -> bytes:
    return hmac.digest(_key(ring, purpose), payload, "sha256")[:_MAC_BYTES]


@lru_cache
def _key(ring: str, purpose: MailPurpose) -> bytes:
    name = b"campaign mail address: " + purpose.value
    return hmac.digest(ring.encode(), name, "sha256")


def _decoded(token: str) -> bytes:
    # Padding would give fewer bytes, and is the only other way to write a token.
    if len(token) != TOKEN_LENGTH or "=" in token:
        raise InvalidToken
    try:
        return b32decode(token, casefold=True)
    except ValueError:
        raise InvalidToken from None


def _written(number: int) -> bytes:
    if not 0 <= number < _MOST:
        raise ValueError(f"A mail address cannot hold the number {number}.")
    return number.to_bytes(_ID_BYTES)


def _ids(payload: bytes) -> Iterator[int]:
    for start in range(0, len(payload), _ID_BYTES):
        yield int.from_bytes(payload[start : start + _ID_BYTES])
