"""Addresses by flufl.bounce, where our own reading finds none. Never its verdict."""

from email import message_from_bytes
from typing import Final

from flufl.bounce import scan_message

from delivery.inbound.addresses import tidy

MOST_BYTES: Final = 64 * 1024
# What it raises on broken mails, which are not made for it.
_BROKEN: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
)


def find(raw: bytes) -> list[str]:
    """Find addresses in a bounce of a shape that nothing else knows."""
    try:
        temporary, permanent = scan_message(message_from_bytes(raw[:MOST_BYTES]))
    except _BROKEN:
        return []
    found = (each.decode("utf-8", "replace") for each in (*temporary, *permanent))
    return sorted({tidy(each) for each in found if "@" in each})
