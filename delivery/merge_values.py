"""Which values stay when two profiles are merged: those of the one that lives on.

What it does not say is filled from the other. The parts of a postal address belong
together: half of one and half of another is where nobody lives. Pure functions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from profiles.models import Profile

_ALONE: Final = ("first_name", "last_name", "language", "time_zone", "birth_date")
_PLACE: Final = ("street", "postcode", "city")


@dataclass(frozen=True)
class FieldLine:
    """One field or attribute of both profiles, and its value afterwards."""

    name: str
    label: str
    kept: Any
    lost: Any
    result: Any
    is_attribute: bool = False

    @property
    def is_filled(self) -> bool:
        """Say whether the profile that lives on gets this value from the other."""
        return bool(self.result != self.kept)

    @property
    def is_dropped(self) -> bool:
        """Say whether a value of the profile that goes is kept nowhere."""
        return bool(_is_said(self.lost) and self.result != self.lost)


def field_lines(keep: Profile, lose: Profile) -> list[FieldLine]:
    """List the fields of which either profile says something."""
    places = _places(keep, lose)
    lines = [
        _line(name, keep, lose, result=places.get(name, _first(keep, lose, name)))
        for name in (*_ALONE, *_PLACE, "country")
    ]
    names = sorted({*keep.attributes, *lose.attributes})
    lines += [_attribute_line(name, keep, lose) for name in names]
    return [line for line in lines if _is_said(line.kept) or _is_said(line.lost)]


def _line(name: str, keep: Profile, lose: Profile, *, result: Any) -> FieldLine:
    label = str(Profile._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return FieldLine(name, label, getattr(keep, name), getattr(lose, name), result)


def _attribute_line(name: str, keep: Profile, lose: Profile) -> FieldLine:
    kept, lost = keep.attributes.get(name), lose.attributes.get(name)
    result = kept if _is_said(kept) or not _is_said(lost) else lost
    return FieldLine(name, name, kept, lost, result, is_attribute=True)


def fill(keep: Profile, lines: Iterable[FieldLine]) -> None:
    """Give the profile that lives on what it gets from the other; does not save."""
    for line in lines:
        if not line.is_filled:
            continue
        if line.is_attribute:
            keep.attributes[line.name] = line.result
        else:
            setattr(keep, line.name, line.result)


def _places(keep: Profile, lose: Profile) -> dict[str, Any]:
    """Give the postal address of one of the two, whole, with its country."""
    has_place = any(getattr(keep, name) for name in _PLACE)
    is_abroad = keep.country and lose.country and keep.country != lose.country
    chosen = keep if has_place or is_abroad else lose
    country = keep.country or ("" if has_place else lose.country)
    return {name: getattr(chosen, name) for name in _PLACE} | {"country": country}


def _first(keep: Profile, lose: Profile, name: str) -> Any:
    own = getattr(keep, name)
    return own if _is_said(own) else getattr(lose, name)


def _is_said(value: Any) -> bool:
    return value not in (None, "", {})
