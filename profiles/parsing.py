"""One row of a profile file, understood.

Pure functions and tables: no database. Blank cells mean "nothing said", so they are
left out of everything; rows of one profile are put together by profiles.combining.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Final, NamedTuple, TypeAlias
from zoneinfo import available_timezones

from django.utils.translation import gettext as _

from profiles.addresses import (
    ParsedAddress,
    canonical_form,
    digester,
    parse,
    parse_postal,
)
from profiles.channels import ANY_CHANNEL, Channel
from profiles.reading import Expected, FailedRow

# What an address may have at most; the longest real ones have about 500.
MAX_ADDRESS: Final = 1000

# Columns kept as they are, with the size of the model's field.
TEXTS: Final = {
    "first_name": 200,
    "last_name": 200,
    "language": 35,
    "street": 500,
    "postcode": 40,
    "city": 200,
    "country": 100,
}
MAX_EXTERNAL_ID: Final = 200
ADDRESSES: Final = {
    "email": Channel.EMAIL,
    "mobile": Channel.SMS,
    "phone": Channel.PHONE,
    "fax": Channel.FAX,
    "push_token": Channel.PUSH,
}
OPT_OUTS: Final[dict[str, int]] = {
    "no_contact": ANY_CHANNEL,
    "no_email": Channel.EMAIL.value,
    "no_sms": Channel.SMS.value,
    "no_phone": Channel.PHONE.value,
    "no_direct_mail": Channel.DIRECT_MAIL.value,
    "no_fax": Channel.FAX.value,
    "no_push": Channel.PUSH.value,
}
POSTAL: Final = ("street", "postcode", "city")
# The order of CONTRACTS.md, which the export writes.
FIELDS: Final = (
    "external_id",
    "first_name",
    "last_name",
    *ADDRESSES,
    *POSTAL,
    "country",
    "language",
    "time_zone",
    "birth_date",
    "created_at",
    *OPT_OUTS,
)
IDENTITY: Final = ("external_id", *ADDRESSES, *POSTAL)
_UTC: Final = "+00:00"
_BOOLEANS: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "": False,
    "0": False,
    "false": False,
    "no": False,
}


class GivenAddress(NamedTuple):
    """An address of a row; the first one of its channel is to become preferred."""

    digest: str  # 32 hexadecimal digits
    channel: int
    value: str
    domain: str
    is_deliverable: bool


Values: TypeAlias = dict[str, str]


@dataclass(slots=True)
class ParsedRow:
    """What one row, or several rows of one profile, say.

    `opt_outs` are the channels to opt out of, `not_opted_out` those whose column says
    no. `created_at` is UTC without offset, as both databases read it, or empty.
    """

    line: int
    external_id: str
    values: Values
    attributes: Values
    addresses: Sequence[GivenAddress]
    opt_outs: Sequence[int]
    not_opted_out: Sequence[int]
    created_at: str

    @property
    def key(self) -> GivenAddress | None:
        """Give the address that a row without external id is matched by."""
        emails = (given for given in self.addresses if given.channel == Channel.EMAIL)
        return next(emails, self.addresses[0] if self.addresses else None)


class _RowError(Exception):
    def __init__(self, column: str, reason: str, cure: str) -> None:
        self.column, self.reason, self.cure = column, reason, cure


def expected_columns(mapping: Mapping[str, str] | None = None) -> Expected:
    """Describe the header of a profile file."""
    return Expected(known=FIELDS, any_of=IDENTITY, mapping=mapping or {})


class RowParser:
    """Reads the rows of one file; `columns` is its header as profiles.reading has it.

    Made once per file, so that a row costs no look-up of what its columns mean.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        place = {name: index for index, name in enumerate(columns) if name}
        self._texts = [
            (place[name], name, size) for name, size in TEXTS.items() if name in place
        ]
        self._addresses = [
            (place[name], _Reader(name, channel))
            for name, channel in ADDRESSES.items()
            if name in place
        ]
        self._opt_outs = [
            (place[name], name, channel)
            for name, channel in OPT_OUTS.items()
            if name in place
        ]
        self._attributes = [
            (index, name) for name, index in place.items() if name not in FIELDS
        ]
        self._external_id = place.get("external_id")
        self._time_zone = place.get("time_zone")
        self._birth_date = place.get("birth_date")
        self._created_at = place.get("created_at")
        self._is_postal = any(name in place for name in POSTAL)

    def parse(self, line: int, cells: list[str]) -> ParsedRow | FailedRow:
        """Understand one row, or say why it fails."""
        try:
            return self._parse(line, cells)
        except _RowError as error:
            return FailedRow(line, error.column, error.reason, error.cure)

    def _parse(self, line: int, cells: list[str]) -> ParsedRow:
        external_id = ""
        if self._external_id is not None:
            external_id = cells[self._external_id].strip()
            if len(external_id) > MAX_EXTERNAL_ID:
                raise _too_long("external_id", MAX_EXTERNAL_ID)
        values = self._values(cells)
        addresses = self._given_addresses(cells, values)
        if not external_id and not addresses:
            raise _RowError(
                "",
                _("The row has neither an external id nor an address."),
                _("Give one of them."),
            )
        attributes = {
            name: cell
            for index, name in self._attributes
            if (cell := cells[index].strip())
        }
        opt_outs, refused = self._flags(cells)
        created_at = ""
        if self._created_at is not None and (text := cells[self._created_at].strip()):
            created_at = _moment(text)
        return ParsedRow(
            line,
            external_id,
            values,
            attributes,
            addresses,
            opt_outs,
            refused,
            created_at,
        )

    def _values(self, cells: list[str]) -> Values:
        values: Values = {}
        for index, name, size in self._texts:
            if cell := cells[index].strip():
                if len(cell) > size:
                    raise _too_long(name, size)
                values[name] = cell
        country = values.get("country", "")
        if len(country) == 2:
            values["country"] = country.upper()
        if self._time_zone is not None and (cell := cells[self._time_zone].strip()):
            values["time_zone"] = _time_zone(cell)
        if self._birth_date is not None and (cell := cells[self._birth_date].strip()):
            values["birth_date"] = _day(cell)
        return values

    def _given_addresses(self, cells: list[str], values: Values) -> list[GivenAddress]:
        country = values.get("country", "")
        given: list[GivenAddress] = []
        for index, reader in self._addresses:
            cell = cells[index]
            if not cell or cell.isspace():
                continue
            if ";" not in cell:
                given.append(reader.read(cell, country))
                continue
            unique: dict[str, GivenAddress] = {}
            for part in filter(str.strip, cell.split(";")):
                one = reader.read(part, country)
                unique.setdefault(one.digest, one)
            given += unique.values()
        if self._is_postal and not values.keys().isdisjoint(POSTAL):
            given.append(given_postal(values))
        return given

    def _flags(self, cells: list[str]) -> tuple[Sequence[int], Sequence[int]]:
        opt_outs: list[int] = []
        refused: list[int] = []
        for index, name, channel in self._opt_outs:
            cell = cells[index]
            flag = _BOOLEANS.get(cell)
            if flag is None:
                flag = _boolean(cell, name)
            (opt_outs if flag else refused).append(channel)
        return opt_outs, refused


class _Reader:
    """Reads the addresses of one column, as profiles.addresses.parse does.

    Without the objects that a million rows would pay for.
    """

    def __init__(self, column: str, channel: Channel) -> None:
        self._column = column
        self._channel = channel
        self._number = channel.value
        self._digest = digester(channel)

    def read(self, text: str, country: str) -> GivenAddress:
        if len(text) > MAX_ADDRESS:
            raise _too_long(self._column, MAX_ADDRESS)
        value = text.strip()
        canonical, domain = canonical_form(self._channel, value, country=country)
        if canonical is None:
            return as_given(parse(self._channel, value, country=country))
        digest = self._digest(canonical)
        return GivenAddress(digest, self._number, value, domain, True)


def as_given(parsed: ParsedAddress) -> GivenAddress:
    """Turn a parsed address into what rows are made of."""
    return GivenAddress(
        parsed.digest.hex,
        parsed.channel.value,
        parsed.value,
        parsed.domain,
        parsed.is_deliverable,
    )


def given_postal(values: Mapping[str, str]) -> GivenAddress:
    """Join the parts of a postal address."""
    place = f"{values.get('postcode', '')} {values.get('city', '')}"
    return as_given(
        parse_postal(
            [values.get("street", ""), place], country=values.get("country", "")
        )
    )


def _boolean(cell: str, column: str) -> bool:
    flag = _BOOLEANS.get(cell.strip().lower())
    if flag is None:
        raise _RowError(
            column,
            _("The cell is neither yes nor no."),
            _("Write 1, true or yes; or 0, false, no or nothing."),
        )
    return flag


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return str(moment)
        written = str(moment)
        if not written.endswith(_UTC):
            written = str(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        raise _RowError(
            "created_at",
            _("The cell is not a date and time."),
            _("Write it like 2024-05-31T14:30:00+02:00."),
        ) from None
    return written.removesuffix(_UTC)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise _RowError(
            "birth_date", _("The cell is not a date."), _("Write it like 1990-05-31.")
        ) from None


def _time_zone(text: str) -> str:
    if text not in _time_zones():
        raise _RowError(
            "time_zone",
            _("There is no such time zone."),
            _("Write a name like Europe/Stockholm, or nothing."),
        )
    return text


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _too_long(column: str, limit: int) -> _RowError:
    return _RowError(
        column,
        _("The cell holds more than %(limit)d characters.") % {"limit": limit},
        _("Shorten it."),
    )
