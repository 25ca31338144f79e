"""The rows of an extraction: which columns a channel has, and what stands in them.

A row is one line of the file, ready as it is: CSV (RFC 4180), safe to open in a
spreadsheet. Pure functions: no database.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from delivery import merge_language, postal
from delivery.content import Content
from profiles.addresses import canonical_form, digest
from profiles.channels import TELEPHONE_CHANNELS, Channel
from profiles.spreadsheets import spreadsheet_safe

MOST_COLUMNS: Final = 20
_PERSON: Final = ("return_code", "external_id", "first_name", "last_name")
_ADDRESS_LINES: Final = tuple(
    f"address_line_{number}" for number in range(1, postal.LINES + 1)
)
_REACHED_BY: Final[Mapping[int, tuple[str, ...]]] = {
    Channel.DIRECT_MAIL: (*_ADDRESS_LINES, "postcode", "city", "country"),
    Channel.PHONE: ("number",),
    Channel.FAX: ("number",),
    Channel.PUSH: ("token",),
}
_PROFILE: Final = "profile."
_ATTRIBUTES: Final = "attributes."
# Digits run no formula, and whoever dials needs them as they are.
_NUMBER: Final = re.compile(r"\+[0-9]{7,15}", re.ASCII)


class RowError(ValueError):
    """A row that cannot be made for one recipient; the text is a sentence."""


def chosen_fields(content: Content) -> list[str]:
    """List the merge fields that the operator gave a column, each once."""
    return list(dict.fromkeys(content.columns.split()))


def is_column(field: str) -> bool:
    """Say whether a merge field can be a column: something of the profile."""
    is_of_profile = field.startswith(_PROFILE) and field != "profile.email"
    return is_of_profile and merge_language.is_known(field)


def header(content: Content) -> list[str]:
    """Name the columns of the file of a content, in their order."""
    own = [*_PERSON, *_REACHED_BY[content.channel], "language"]
    chosen = [field.removeprefix(_PROFILE) for field in chosen_fields(content)]
    text = ["text"] if content.text.strip() else []
    return list(dict.fromkeys([*own, *chosen, *text]))


def line(cells: Iterable[str]) -> str:
    """Write one line of the file; no cell is a formula to a spreadsheet."""
    file = io.StringIO()
    csv.writer(file).writerow(
        cell if _NUMBER.fullmatch(cell) else spreadsheet_safe(cell) for cell in cells
    )
    return file.getvalue()


def cells(
    columns: Iterable[str],
    fields: Mapping[str, object],
    *,
    reached_by: Mapping[str, str],
    text: str,
) -> list[str]:
    """Fill the columns of one person: fields of the profile, address and text."""
    known = {**reached_by, "text": text}
    return [
        known[column] if column in known else _value(column, fields)
        for column in columns
    ]


def reached_by(
    channel: Channel, address: str, identity: UUID, *, fields: Mapping[str, object]
) -> dict[str, str]:
    """Give the cells of the address that a message was made for.

    `identity` is its digest: another address that the profile has got since is not
    used. Raises RowError.
    """
    if channel == Channel.DIRECT_MAIL:
        return _postal_cells(address, identity, fields)
    # Without one, after an erasure, the gate says so: it comes next.
    if channel in TELEPHONE_CHANNELS and address:
        country = str(fields.get("country") or "")
        number, _domain = canonical_form(channel, address, country=country)
        if number is None or digest(channel, number) != identity:
            raise RowError(
                _(
                    "The number cannot be read as it was when it was stored. Correct"
                    " the country of the profile."
                )
            )
        return {"number": number}
    return dict.fromkeys(_REACHED_BY[channel], address)


def _postal_cells(
    address: str, identity: UUID, fields: Mapping[str, object]
) -> dict[str, str]:
    is_current = postal.parsed(fields).digest == identity
    lines = postal.block(fields) if is_current else postal.block_of(address)
    found = dict.fromkeys(_REACHED_BY[Channel.DIRECT_MAIL], "")
    found.update(zip(_ADDRESS_LINES, lines, strict=False))
    if is_current:
        names = ("postcode", "city", "country")
        found.update({name: str(fields.get(name) or "") for name in names})
    return found


def _value(column: str, fields: Mapping[str, object]) -> str:
    value = fields.get(column)
    if column.startswith(_ATTRIBUTES):
        attributes = fields.get("attributes")
        name = column.removeprefix(_ATTRIBUTES)
        value = attributes.get(name) if isinstance(attributes, Mapping) else None
    return "" if value is None else str(value)
