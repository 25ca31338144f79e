"""The contrast of colours, as WCAG 2.2 counts it (1.4.3 and 1.4.11)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

TEXT: Final = 4.5
SHAPE: Final = 3.0
COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}\Z")


@dataclass(frozen=True)
class Pair:
    """Two colours that meet on the page, and the contrast that they need."""

    front: str
    back: str
    least: float
    name: Promise


# The outline of what has the focus and the border of a field have the text's colour.
PAIRS: Final = (
    Pair("text", "background", TEXT, gettext_lazy("text and background")),
    Pair("button_text", "button", TEXT, gettext_lazy("label and button")),
    Pair("button", "background", SHAPE, gettext_lazy("button and background")),
)


def is_colour(text: str) -> bool:
    """Say whether a text is a colour such as #0a5c68."""
    return COLOUR.match(text) is not None


def ratio(first: str, second: str) -> float:
    """Give the contrast of two colours: from 1 (none) to 21 (black and white)."""
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Give the relative luminance of a colour: 0 for black, 1 for white."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: int) -> float:
    share = part / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def faults(colours: Mapping[str, str], scheme: str) -> dict[str, str]:
    """Give a sentence for each pair that is too faint, by the name of its front."""
    return {
        pair.front: _(
            "%(scheme)s: %(pair)s have a contrast of %(ratio)s to 1; at least"
            " %(least)s to 1 is needed."
        )
        % {
            "scheme": scheme,
            "pair": str(pair.name).capitalize(),
            # Rounded down: 4.499 must not read 4.5.
            "ratio": f"{int(found * 100) / 100:.2f}",
            "least": f"{pair.least:g}",
        }
        for pair in PAIRS
        if (found := ratio(colours[pair.front], colours[pair.back])) < pair.least
    }
