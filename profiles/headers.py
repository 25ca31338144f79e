"""The header of a CSV file: its delimiter, and what each of its columns means."""

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from profiles.lines import FileError

DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Expected:
    """The columns a kind of file may have.

    `known` are its fields; all of `required` and at least one of `any_of` must be
    there. `mapping` gives columns of this file the meaning of a field.
    """

    known: Collection[str]
    required: Collection[str] = ()
    any_of: Collection[str] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """Columns by their meaning and as they were given, and the delimiter."""

    columns: list[str]
    names: list[str]
    delimiter: str


def read_header(text: str, expected: Expected, *, name: str) -> Header:
    """Understand the first line of the file called `name`.

    The delimiter is the one that gives the most known columns, then the most columns.
    Known columns match in any case. Raises FileError.
    """
    if len(text) > csv.field_size_limit() or _is_unreadable(text):
        raise FileError(
            _(
                "The header of %(file)s cannot be read. Save the file as CSV in UTF-8"
                " with a line of column names first."
            )
            % {"file": name}
        )
    choices = [_header(text, delimiter, expected) for delimiter in DELIMITERS]
    header = max(choices, key=lambda choice: _score(choice, expected.known))
    _check_mapping(header, expected, name=name)
    _check_columns(header, expected, name=name)
    return header


def _is_unreadable(text: str) -> bool:
    return "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text)


def _header(text: str, delimiter: str, expected: Expected) -> Header:
    fields = {_folded(column): field for column, field in expected.mapping.items()}
    cells = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), [])
    names = [cell.strip("\ufeff").strip() for cell in cells]
    columns = [_meaning(name, fields, expected.known) for name in names]
    return Header(columns, names, delimiter)


def _meaning(name: str, fields: dict[str, str], known: Collection[str]) -> str:
    folded = _folded(name)
    if folded in fields:
        return _folded(fields[folded])
    return folded if folded in known else name


def _folded(name: str) -> str:
    return name.strip().casefold()


def _score(header: Header, known: Collection[str]) -> tuple[int, int]:
    return sum(name in known for name in header.columns), len(header.columns)


def _check_mapping(header: Header, expected: Expected, *, name: str) -> None:
    names = [_folded(given) for given in header.names]
    for column, wanted in expected.mapping.items():
        values = {"column": column, "field": wanted, "file": name}
        if _folded(wanted) not in expected.known:
            values["fields"] = ", ".join(sorted(expected.known))
            raise FileError(
                _("There is no field “%(field)s”. Map to one of: %(fields)s.") % values
            )
        if _folded(column) not in names:
            raise FileError(
                _(
                    "%(file)s has no column “%(column)s” to map to %(field)s."
                    " Give the name as it stands in the first line."
                )
                % values
            )


def _check_columns(header: Header, expected: Expected, *, name: str) -> None:
    named = [column for column in header.columns if column]
    missing = [column for column in expected.required if column not in named]
    if missing or (expected.any_of and not set(expected.any_of) & set(named)):
        raise FileError(
            _(
                "%(file)s has the wrong header: %(columns)s is missing."
                " The first line names the columns."
            )
            % {"file": name, "columns": _wanted(missing, expected)}
        )
    for column in named:
        if named.count(column) > 1:
            raise FileError(
                _(
                    "%(file)s has the column “%(column)s” twice."
                    " Rename or delete one of them."
                )
                % {"file": name, "column": column}
            )


def _wanted(missing: list[str], expected: Expected) -> str:
    if missing:
        return ", ".join(missing)
    return _("any of %(columns)s") % {"columns": ", ".join(expected.any_of)}
