"""How long a text message is: 3GPP TS 23.038 (alphabet) and 23.040 (parts)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Encoding = Literal["gsm7", "ucs2"]

# TS 23.038, 6.2.1: the default alphabet, in the order of its codes; 0x1B is escape.
BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# TS 23.038, 6.2.1.1: each is the escape and one more septet.
EXTENSION: Final = frozenset("\f^{}\\[~]|€")

# TS 23.040, 9.2.3.24.1: six octets of each part tell how the parts belong together.
ALONE: Final[dict[Encoding, int]] = {"gsm7": 160, "ucs2": 70}
JOINED: Final[dict[Encoding, int]] = {"gsm7": 153, "ucs2": 67}


@dataclass(frozen=True)
class SmsLength:
    """How a text is sent: units are septets (gsm7) or UTF-16 units (ucs2)."""

    encoding: Encoding
    units: int
    parts: int


def measure(text: str) -> SmsLength:
    """Give encoding, units and parts of a text message; an empty text has no part.

    One character outside the alphabet makes the whole message UCS-2. A character of
    two units (after an escape, or a surrogate pair) never begins in one part and ends
    in the next, so the parts can hold less than they have room for.
    """
    encoding: Encoding = "gsm7" if is_gsm(text) else "ucs2"
    widths = [_width(character, encoding) for character in text]
    units = sum(widths)
    if units <= ALONE[encoding]:
        return SmsLength(encoding, units, parts=1 if text else 0)
    return SmsLength(encoding, units, parts=_parts(widths, room=JOINED[encoding]))


def is_gsm(text: str) -> bool:
    """Say whether every character is in the GSM alphabet or its extension."""
    return BASIC.union(EXTENSION).issuperset(text)


def outside(text: str) -> str:
    """Give the characters that make a message UCS-2, each once, in their order."""
    return "".join(dict.fromkeys(each for each in text if not is_gsm(each)))


def _width(character: str, encoding: Encoding) -> int:
    if encoding == "gsm7":
        return 2 if character in EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1


def _parts(widths: Iterable[int], *, room: int) -> int:
    parts, left = 1, room
    for width in widths:
        if width > left:
            parts, left = parts + 1, room
        left -= width
    return parts
