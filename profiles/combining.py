"""Rows about one person, put together: with one another, and with who is stored.

A row often says a part only: a telephone number without its country, a new street
without the city. What it leaves out is what an earlier row, or the profile, says.
Pure functions: no database.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType
from typing import Final, TypeAlias

from profiles.addresses import parse
from profiles.channels import TELEPHONE_CHANNELS, Channel
from profiles.parsing import (
    POSTAL,
    GivenAddress,
    ParsedRow,
    as_given,
    given_postal,
)

AddressKey: TypeAlias = tuple[int, str]
NOTHING_KNOWN: Final[Mapping[str, str]] = MappingProxyType({})
_PARTS: Final = (*POSTAL, "country")


def together(
    rows: Sequence[ParsedRow],
    known: Mapping[str, str] = NOTHING_KNOWN,
    owned: Collection[AddressKey] = (),
) -> ParsedRow:
    """Put the rows of one profile together, as if one came after the other.

    Takes what is known of the person, and the keys of their addresses.
    """
    whole = completed(rows[0], known, owned=owned)
    for row in rows[1:]:
        so_far = {(given.channel, given.digest) for given in whole.addresses}
        later = completed(row, {**known, **whole.values}, owned=so_far.union(owned))
        whole = combined(whole, later)
    return whole


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


def completed(
    row: ParsedRow, known: Mapping[str, str], *, owned: Collection[AddressKey]
) -> ParsedRow:
    """Read the addresses of a row with the country and postal parts that are known.

    Takes what is known of the person, and the keys of their addresses: one that they
    have as it was first read is not read another way.
    """
    addresses = list(row.addresses)
    if "country" in known and "country" not in row.values:
        addresses = [_with_country(one, known["country"], owned) for one in addresses]
    # The first one is what the row says.
    mail = [one for one in addresses if one.channel == Channel.DIRECT_MAIL]
    is_owned = bool(mail) and (Channel.DIRECT_MAIL.value, mail[0].digest) in owned
    if not is_owned and (postal := _whole_postal(row, known)):
        rest = [one for one in addresses if one.channel != Channel.DIRECT_MAIL]
        others = [one for one in mail[1:] if one.digest != postal.digest]
        addresses = [*rest, postal, *others]
    return row if addresses == row.addresses else replace(row, addresses=addresses)


def _with_country(
    given: GivenAddress, country: str, owned: Collection[AddressKey]
) -> GivenAddress:
    if given.is_deliverable or given.channel not in TELEPHONE_CHANNELS:
        return given
    if (given.channel, given.digest) in owned:
        return given
    return as_given(parse(Channel(given.channel), given.value, country=country))


def _whole_postal(row: ParsedRow, known: Mapping[str, str]) -> GivenAddress | None:
    """Give the postal address of which the row says a part, or None."""
    said = [name for name in _PARTS if name in row.values]
    is_part = len(said) < len(_PARTS) and any(name in said for name in POSTAL)
    if not is_part or not any(name in known for name in _PARTS if name not in said):
        return None
    return given_postal({**known, **row.values})
