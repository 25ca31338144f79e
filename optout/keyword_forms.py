"""The forms in which a text message is compared with the words we know.

Cheap for any length: what stands after the first thousand characters is not read.
"""

import re
import unicodedata
from typing import Final

LONGEST: Final = 1000  # characters that are looked at

# Letters of other scripts after case folding, with the Latin ones they look or sound
# like.
_LOOK_ALIKE: Final = str.maketrans(
    "авеёіїјкмнопрстухѕһԁαβεηικνοπρσςτυχ",
    "abeeiijkmhoppctyxshdabenikvoppsstyx",
)
# Cyrillic es is a c to the eye and an s to the ear: СТОП.
_BY_EAR: Final = {"ctop": "stop", "ctopp": "stopp"}
_ALONE: Final = str.maketrans({"ø": "o", "œ": "oe", "æ": "ae", "ł": "l", "đ": "d"})
_APOSTROPHES: Final = re.compile("['’‘ʼ`´]")
_THRICE: Final = re.compile(r"(.)\1{2,}")


def exact_form(text: str) -> str:
    """Give a text without case, form of letters and what stands around its words.

    Keeps each word as it was written: nothing is folded that could make a word of
    another one.
    """
    if len(text) > LONGEST:
        return ""
    return " ".join(_tokens(unicodedata.normalize("NFKC", text).casefold()))


def loose_form(text: str) -> list[str]:
    """Give the words of a text as they are compared for stopping.

    Without case, accents, look-alikes from other scripts, invisible characters,
    punctuation, pictures, and letters drawn out (stoooop).
    """
    normal = unicodedata.normalize("NFKC", text[:LONGEST]).casefold()
    normal = _APOSTROPHES.sub("", normal)
    return [_folded(each) for each in _tokens(normal)]


def _folded(word: str) -> str:
    apart = unicodedata.normalize("NFD", word)
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    latin = _THRICE.sub(r"\1", bare.translate(_ALONE).translate(_LOOK_ALIKE))
    return _BY_EAR.get(latin, latin)


def _tokens(normal: str) -> list[str]:
    """Cut at everything that is neither letter nor digit; invisible signs vanish."""
    return "".join(_visible(each) for each in normal).split()


def _visible(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cf" or kind.startswith("M"):
        # An accent belongs to its letter; a zero-width sign stands between letters.
        return "" if kind != "Mn" or "\ufe00" <= character <= "\ufe0f" else character
    return character if kind[0] in "LN" else " "
