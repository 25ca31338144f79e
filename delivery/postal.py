"""The address block of a letter, line by line, in the order of its country.

What stands where: the postal addressing systems of the Universal Postal Union (S42).
Pure functions: no database.
"""

from collections.abc import Mapping
from typing import Final

from profiles.addresses import ParsedAddress, parse_postal

LINES: Final = 6
_STREET_LINES: Final = 3
# The postcode stands before the city, but for these: behind it, or below it.
_BEHIND: Final = frozenset({"AU", "CA", "IN", "KR", "NZ", "SG", "TW", "US", "ZA"})
_BELOW: Final = frozenset({"GB", "GG", "IE", "IM", "JE"})
# In the language of the country that it goes through, so in English.
_NAMES: Final = {
    "AT": "Austria",
    "AU": "Australia",
    "BE": "Belgium",
    "BG": "Bulgaria",
    "BR": "Brazil",
    "CA": "Canada",
    "CH": "Switzerland",
    "CN": "China",
    "CY": "Cyprus",
    "CZ": "Czechia",
    "DE": "Germany",
    "DK": "Denmark",
    "EE": "Estonia",
    "ES": "Spain",
    "FI": "Finland",
    "FO": "Faroe Islands",
    "FR": "France",
    "GB": "United Kingdom",
    "GL": "Greenland",
    "GR": "Greece",
    "HR": "Croatia",
    "HU": "Hungary",
    "IE": "Ireland",
    "IN": "India",
    "IS": "Iceland",
    "IT": "Italy",
    "JP": "Japan",
    "LI": "Liechtenstein",
    "LT": "Lithuania",
    "LU": "Luxembourg",
    "LV": "Latvia",
    "MT": "Malta",
    "MX": "Mexico",
    "NL": "Netherlands",
    "NO": "Norway",
    "NZ": "New Zealand",
    "PL": "Poland",
    "PT": "Portugal",
    "RO": "Romania",
    "RS": "Serbia",
    "SE": "Sweden",
    "SI": "Slovenia",
    "SK": "Slovakia",
    "TR": "Türkiye",
    "UA": "Ukraine",
    "US": "United States of America",
    "ZA": "South Africa",
}


def parsed(fields: Mapping[str, object]) -> ParsedAddress:
    """Read the postal address that the fields of a profile make."""
    place = f"{_text(fields, 'postcode')} {_text(fields, 'city')}"
    return parse_postal(
        [_text(fields, "street"), place], country=_text(fields, "country")
    )


def block(fields: Mapping[str, object]) -> list[str]:
    """Give the lines of an address: street, place in the country's order, country.

    `fields` are street, postcode, city and country of a profile; at most LINES lines.
    """
    street = [line.strip() for line in _text(fields, "street").splitlines()]
    street = [line for line in street if line]
    if len(street) > _STREET_LINES:
        rest = ", ".join(street[_STREET_LINES - 1 :])
        street = [*street[: _STREET_LINES - 1], rest]
    country = _text(fields, "country")
    return [*street, *_place(fields, country), *_last_line(country)]


def block_of(address: str) -> list[str]:
    """Give the lines of an address of which nothing but its text is known."""
    lines = [part.strip() for part in address.split(",")]
    lines = [line for line in lines if line]
    return [*lines[: LINES - 1], *filter(None, [", ".join(lines[LINES - 1 :])])]


def _place(fields: Mapping[str, object], country: str) -> list[str]:
    postcode, city = _text(fields, "postcode"), _text(fields, "city")
    code = country.upper()
    if code in _BELOW:
        return [line for line in (city, postcode) if line]
    pair = (city, postcode) if code in _BEHIND else (postcode, city)
    line = " ".join(part for part in pair if part)
    return [line] if line else []


def _last_line(country: str) -> list[str]:
    name = _NAMES.get(country.upper(), country)
    return [name.upper()] if name else []


def _text(fields: Mapping[str, object], name: str) -> str:
    return str(fields.get(name) or "").strip()
