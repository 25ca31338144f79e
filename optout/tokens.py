"""Tokens of public links: who may stop what, said and sealed in the link itself.

A token is `key id . payload` in the unpadded URL-safe alphabet of RFC 4648 section 5.
The payload ends in a MAC of 128 bits: HMAC-SHA256 under a key of PUBLIC_LINK_KEYS, cut
(RFC 2104 section 5), over the key id and everything before it. Each purpose has a key
of its own, derived from that of the ring, so a token made for one purpose is noise to
every other. No row is needed to honour a token: deliveries and pages may be gone.

An opt-out never expires (15 USC 7704(a)(3) asks for 30 days, people expect for ever).
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.conf import settings

MAX_TOKEN: Final = 160  # characters; the longest that is made has 98
_MAC_BYTES: Final = 16
_MOST: Final = 1 << 63


class Purpose(Enum):
    """What a link may be used for; the value goes into its key."""

    ONE_CLICK = b"one-click"
    STOP = b"stop"
    PREFERENCES = b"preferences"
    CONFIRMATION = b"confirmation"


LIFETIMES: Final = {
    Purpose.PREFERENCES: timedelta(days=90),
    Purpose.CONFIRMATION: timedelta(hours=72),
}


class InvalidToken(Exception):
    """A token that was not made here for this purpose, or was altered."""


class ExpiredToken(InvalidToken):
    """An authentic token whose time is over; `link` is what it said."""

    def __init__(self, link: "Link") -> None:
        super().__init__("The token is too old.")
        self.link = link


@dataclass(frozen=True, slots=True)
class Link:
    """What a public link is about.

    `digest` is of the address that the message went to: a stop of somebody who was
    erased is recorded for it. `channel` may be ANY_CHANNEL. Zero stands for no
    service, and for no delivery.
    """

    profile_id: int
    channel: int
    made_at: datetime
    service_id: int = 0
    delivery_id: int = 0
    digest: UUID | None = None


def make(link: Link, purpose: Purpose) -> str:
    """Make the token of a link for one purpose, under the first key of the ring.

    Times are kept to the second. Raises ValueError for what no link can hold, such
    as a negative id.
    """
    payload = _payload(link)
    key_id = next(iter(settings.PUBLIC_LINK_KEYS))
    sealed = payload + _mac(key_id, purpose, payload)
    return f"{key_id}.{urlsafe_b64encode(sealed).rstrip(b'=').decode()}"


def read(token: str, purpose: Purpose, *, now: datetime) -> Link:
    """Read a token that was made for this purpose.

    Raises InvalidToken for any other text, ExpiredToken when its time is over.
    """
    key_id, _point, text = token.partition(".")
    if len(token) > MAX_TOKEN or key_id not in settings.PUBLIC_LINK_KEYS:
        raise InvalidToken
    sealed = _decoded(text)
    payload, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key_id, purpose, payload)):
        raise InvalidToken
    link = _link(payload)
    lifetime = LIFETIMES.get(purpose)
    if lifetime is not None and now > link.made_at + lifetime:
        raise ExpiredToken(link)
    return link


@lru_cache(maxsize=8)
def _payload(link: Link) -> bytes:
    """Write a link down, once for the tokens of all purposes in a message."""
    numbers = (
        link.profile_id,
        link.channel + 1,  # ANY_CHANNEL is -1
        link.service_id,
        link.delivery_id,
        int(link.made_at.timestamp()),
    )
    digest = link.digest.bytes if link.digest is not None else b""
    return b"".join(map(_written, numbers)) + digest


def _mac(key_id: str, purpose: Purpose, payload: bytes) -> bytes:
    key = _key(settings.PUBLIC_LINK_KEYS[key_id], purpose)
    sealed = key_id.encode() + b"." + payload
    return hmac.digest(key, sealed, "sha256")[:_MAC_BYTES]


@lru_cache
def _key(ring: str, purpose: Purpose) -> bytes:
    """Derive the key of a purpose, once for the many tokens of a delivery."""
    name = b"campaign public link: " + purpose.value
    return hmac.digest(ring.encode(), name, "sha256")


def _decoded(text: str) -> bytes:
    try:
        sealed = urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}")
    except (NotBase64, ValueError):
        raise InvalidToken from None
    # Other texts decode to the same bytes: spare bits, foreign characters.
    if urlsafe_b64encode(sealed).rstrip(b"=") != text.encode():
        raise InvalidToken
    return sealed


def _link(payload: bytes) -> Link:
    """Read an authentic payload."""
    numbers: list[int] = []
    rest = payload
    while len(numbers) < 5:
        number, rest = _read_number(rest)
        numbers.append(number)
    profile_id, channel, service_id, delivery_id, seconds = numbers
    return Link(
        profile_id,
        channel - 1,
        datetime.fromtimestamp(seconds, UTC),
        service_id,
        delivery_id,
        UUID(bytes=rest) if rest else None,
    )


def _written(number: int) -> bytes:
    """Write a number as its length and its bytes: small ones take two."""
    if not 0 <= number < _MOST:
        raise ValueError(f"A link cannot hold the number {number}.")
    length = (number.bit_length() + 7) // 8
    return bytes([length]) + number.to_bytes(length)


def _read_number(payload: bytes) -> tuple[int, bytes]:
    end = 1 + payload[0]
    return int.from_bytes(payload[1:end]), payload[end:]
