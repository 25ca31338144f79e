"""The filters of merge fields: small ones of our own, whose work has a bound.

Who writes them is not trusted with the server, and neither are the values: a filter
that multiplies lengths or digits is refused before it does so.
"""

import html
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any, Final
from urllib.parse import quote_plus

from django.utils.dates import MONTHS, MONTHS_3, WEEKDAYS, WEEKDAYS_ABBR
from liquid.builtin.filters.misc import default
from liquid.exceptions import FilterValueError
from liquid.filter import liquid_filter
from liquid.stringify import to_liquid_string
from liquid.undefined import is_undefined

LONGEST_VALUE: Final = 20_000
LARGEST_NUMBER: Final = 10**15
MOST_DECIMALS: Final = 10

Filter = Callable[..., Any]

# Without widths: a C library gladly makes a gigabyte of %999999999d.
_DIRECTIVE: Final = re.compile(r"%(-?)([A-Za-z%])")
_DATE_PARTS: Final[Mapping[str, Callable[[datetime], object]]] = {
    "Y": lambda at: f"{at.year:04}",
    "y": lambda at: f"{at.year % 100:02}",
    "m": lambda at: f"{at.month:02}",
    "d": lambda at: f"{at.day:02}",
    "e": lambda at: f"{at.day}",
    "H": lambda at: f"{at.hour:02}",
    "M": lambda at: f"{at.minute:02}",
    "S": lambda at: f"{at.second:02}",
    "j": lambda at: f"{at.timetuple().tm_yday:03}",
    "B": lambda at: MONTHS[at.month],
    "b": lambda at: MONTHS_3[at.month],
    "A": lambda at: WEEKDAYS[at.weekday()],
    "a": lambda at: WEEKDAYS_ABBR[at.weekday()],
    "F": lambda at: f"{at:%Y-%m-%d}",
    "%": lambda at: "%",
}


def _text(value: object) -> str:
    text = str(to_liquid_string(value, False))
    if len(text) > LONGEST_VALUE:
        raise FilterValueError(f"a value is longer than {LONGEST_VALUE}", token=None)
    return text


def _bounded(length: int) -> None:
    if length > LONGEST_VALUE:
        raise FilterValueError(f"a value gets longer than {LONGEST_VALUE}", token=None)


def of_text(change: Callable[[str], str]) -> Filter:
    """Make a filter of a function from text to text."""

    @liquid_filter
    @wraps(change)
    def applied(value: object) -> str:
        return change(_text(value))

    return applied


@liquid_filter
def append(value: object, end: object) -> str:
    """Put a text behind the value."""
    return _text(value) + _text(end)


@liquid_filter
def prepend(value: object, start: object) -> str:
    """Put a text before the value."""
    return _text(start) + _text(value)


@liquid_filter
def replace(value: object, old: object, new: object = "") -> str:
    """Replace every occurrence; the length is reckoned first."""
    text, before, after = _text(value), _text(old), _text(new)
    _bounded(len(text) + text.count(before) * (len(after) - len(before)))
    return text.replace(before, after)


@liquid_filter
def truncate(value: object, length: object = 50, end: object = "...") -> str:
    """Shorten to a number of characters, the end included."""
    text, ending, most = _text(value), _text(end), int(_number(length))
    if len(text) <= most:
        return text
    return text[: max(most - len(ending), 0)] + ending


@liquid_filter
def split(value: object, separator: object = " ") -> list[str]:
    """Cut a text into a list."""
    text, between = _text(value), _text(separator)
    if not text:
        return []
    return text.split(between) if between else list(text)


@liquid_filter
def join(value: object, separator: object = " ") -> str:
    """Put the items of a list into one text; the length is reckoned first."""
    items, between = [_text(item) for item in _items(value)], _text(separator)
    _bounded(sum(len(item) + len(between) for item in items))
    return between.join(items)


@liquid_filter
def size(value: object) -> int:
    """Count the items of a list or the characters of a text."""
    return len(value) if isinstance(value, str | list | tuple | range | dict) else 0


@liquid_filter
def first(value: object) -> object:
    """Give the first item of a list."""
    return next(iter(_items(value)), None)


@liquid_filter
def last(value: object) -> object:
    """Give the last item of a list."""
    items = _items(value)
    return items[-1] if items else None


def _items(value: object) -> list[object] | tuple[object, ...] | range:
    if isinstance(value, list | tuple | range):
        _bounded(len(value))
        return value
    return [] if value is None or is_undefined(value) else [value]


def _number(value: object) -> Decimal:
    """Read a number; what is none counts as 0, as Liquid has it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return Decimal(0)
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return Decimal(0)
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        raise FilterValueError("a number is too large", token=None)
    try:
        return _in_range(Decimal(str(value).strip()))
    except InvalidOperation:
        return Decimal(0)


def _in_range(number: Decimal) -> Decimal:
    if not number.is_finite() or abs(number) > LARGEST_NUMBER:
        raise FilterValueError("a number is too large", token=None)
    return number


def _shown(number: Decimal) -> int | float:
    value = _in_range(number)
    is_whole = value == value.to_integral_value()
    return int(value) if is_whole and value.as_tuple().exponent == 0 else float(value)


@liquid_filter
def plus(value: object, other: object) -> int | float:
    """Add."""
    return _shown(_number(value) + _number(other))


@liquid_filter
def minus(value: object, other: object) -> int | float:
    """Take away."""
    return _shown(_number(value) - _number(other))


@liquid_filter
def times(value: object, other: object) -> int | float:
    """Multiply."""
    return _shown(_number(value) * _number(other))


@liquid_filter
def divided_by(value: object, other: object) -> int | float:
    """Divide; whole numbers give a whole number, rounded down, as Liquid has it."""
    number, divisor = _number(value), _number(other)
    if not divisor:
        raise FilterValueError("a number is divided by 0", token=None)
    if isinstance(_shown(number), int) and isinstance(_shown(divisor), int):
        return int(number) // int(divisor)
    return float(_in_range(number / divisor))


@liquid_filter
def rounded(value: object, decimals: object = 0) -> int | float:
    """Round to a number of decimals, 0 to 10."""
    places = min(max(int(_number(decimals)), 0), MOST_DECIMALS)
    number = round(_number(value), places)
    return float(number) if places else int(number)


@liquid_filter
def dated(value: object, form: object) -> str:
    """Write a date (ISO 8601) in a form such as %d %B %Y, in the language in use.

    What is no date is given back as it is.
    """
    at = _moment(value)
    if at is None:
        return _text(value)
    return _DIRECTIVE.sub(lambda match: _dated_part(match, at), _text(form))


def _dated_part(match: re.Match[str], at: datetime) -> str:
    make = _DATE_PARTS.get(match[2])
    if make is None:
        raise FilterValueError(f"a date has no part {match[0]}", token=None)
    part = str(make(at))
    return part.lstrip("0") or "0" if match[1] else part


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return None


FILTERS: Final[Mapping[str, Filter]] = {
    "append": append,
    "capitalize": of_text(str.capitalize),
    "date": dated,
    "default": default,
    "divided_by": divided_by,
    "downcase": of_text(str.lower),
    "escape": of_text(html.escape),
    "first": first,
    "join": join,
    "last": last,
    "minus": minus,
    "plus": plus,
    "prepend": prepend,
    "replace": replace,
    "round": rounded,
    "size": size,
    "split": split,
    "strip": of_text(str.strip),
    "times": times,
    "truncate": truncate,
    "upcase": of_text(str.upper),
    "url_encode": of_text(lambda text: quote_plus(text, errors="replace")),
}
