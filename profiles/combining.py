"""Rows about one person, put together: with one another, and with who is stored.

A row often says a part only: a telephone number without its country, a new street
without the city. What it leaves out is what an earlier row, or the profile, says.
Pure functions: no database.
"""

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final

from profiles.addresses import parse
from profiles.channels import TELEPHONE_CHANNELS, Channel
from profiles.parsing import (
    POSTAL,
    GivenAddress,
    ParsedRow,
    as_given,
    given_postal,
)
from profiles.storing import StoredProfile

_PARTS: Final = (*POSTAL, "country")
_NOBODY: Final = StoredProfile(0, "", {}, {})


def together(
    rows: Sequence[ParsedRow], profile: StoredProfile | None = None
) -> ParsedRow:
    """Put the rows of one profile together, in order, with what is stored of it.

    Numbers of rows without a country are read with the one the profile has in the
    end. A row that says a part of a postal address gives none itself: one is joined in
    the end, from all parts. So the same rows once more give the same addresses.
    """
    stored = profile or _NOBODY
    country = _country(rows, stored)
    preferred = stored.preferred_digest(Channel.DIRECT_MAIL)
    whole, is_partial = _without_part(
        _with_numbers(rows[0], country, stored), preferred
    )
    for row in rows[1:]:
        later, is_part = _without_part(_with_numbers(row, country, stored), preferred)
        if _says_postal(row):
            is_partial = is_part
        whole = combined(whole, later)
    return _with_postal(whole, stored) if is_partial else whole


def combined(earlier: ParsedRow, later: ParsedRow) -> ParsedRow:
    """Put two rows of one profile together.

    Later values win, opt-outs accumulate, the first address of the later row becomes
    preferred. A profile is created by its first row, so that one's `created_at` stays.
    """
    again = {(given.channel, given.digest) for given in later.addresses}
    addresses = [
        *later.addresses,
        *(one for one in earlier.addresses if (one.channel, one.digest) not in again),
    ]
    opt_outs = sorted({*earlier.opt_outs, *later.opt_outs})
    refused = {*earlier.not_opted_out, *later.not_opted_out}
    return ParsedRow(
        line=earlier.line,
        external_id=earlier.external_id or later.external_id,
        values=earlier.values | later.values,
        attributes=earlier.attributes | later.attributes,
        # Those of one channel stand together, the first one is to be preferred.
        addresses=sorted(addresses, key=attrgetter("channel")),
        opt_outs=opt_outs,
        not_opted_out=sorted(refused.difference(opt_outs)),
        created_at=earlier.created_at,
    )


def _country(rows: Sequence[ParsedRow], stored: StoredProfile) -> str:
    for row in reversed(rows):
        if country := row.values.get("country"):
            return country
    return stored.values.get("country", "")


def _with_numbers(row: ParsedRow, country: str, stored: StoredProfile) -> ParsedRow:
    """Read the numbers of a row that has no country.

    What the profile has as it was first read is not read another way.
    """
    if not country or "country" in row.values:
        return row
    addresses = [
        one
        if one.is_deliverable
        or one.channel not in TELEPHONE_CHANNELS
        or (one.channel, one.digest) in stored.addresses
        else as_given(parse(Channel(one.channel), one.value, country=country))
        for one in row.addresses
    ]
    return row if addresses == row.addresses else replace(row, addresses=addresses)


def _says_postal(row: ParsedRow) -> bool:
    return any(name in row.values for name in POSTAL)


def _without_part(row: ParsedRow, preferred: str) -> tuple[ParsedRow, bool]:
    """Leave out the postal address of a row that says a part, and tell whether so.

    A part stays that is the preferred address as it is.
    """
    if not _says_postal(row) or all(name in row.values for name in _PARTS):
        return row, False
    mail, others = _parted(row.addresses)
    if mail and mail[0].digest == preferred:
        return row, False
    return replace(row, addresses=[*others, *mail[1:]]), True


def _with_postal(row: ParsedRow, stored: StoredProfile) -> ParsedRow:
    postal = given_postal({**stored.values, **row.values})
    mail, others = _parted(row.addresses)
    rest = [one for one in mail if one.digest != postal.digest]
    return replace(row, addresses=[*others, postal, *rest])


def _parted(
    addresses: Sequence[GivenAddress],
) -> tuple[list[GivenAddress], list[GivenAddress]]:
    mail = [one for one in addresses if one.channel == Channel.DIRECT_MAIL]
    others = [one for one in addresses if one.channel != Channel.DIRECT_MAIL]
    return mail, others
