"""The table of pairs: which addresses are the same, and which are none.

tests/data/addresses.csv is plain ASCII: other letters are written as in Python
(`\\u00e5`, `\\t`), so that no editor can normalise what the table is about. `a:b` in
the column channel gives the first address one channel and the second another.
Numbers are from the ranges that regulators keep for fiction, or assigned to nobody.
"""

import csv
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from email_validator import EmailNotValidError, validate_email
from pytest_django.fixtures import Settings

from profiles import addresses
from profiles.addresses import ParsedAddress, digest, mask, parse, parse_postal
from profiles.channels import TELEPHONE_CHANNELS, Channel, channel_of

TABLE = Path(__file__).parent.parent / "data" / "addresses.csv"
Parse = Callable[[Channel, str, str], ParsedAddress]

# Relation: is the first deliverable, is the second, have they one digest.
RELATIONS = {
    "same": (True, True, True),
    "different": (True, True, False),
    "first_invalid": (False, True, False),
    "both_invalid_same": (False, False, True),
    "both_invalid_different": (False, False, False),
}


@dataclass(frozen=True)
class Pair:
    channels: tuple[Channel, Channel]
    country: str
    first: str
    second: str
    relation: str
    domain: str
    note: str


def read_pairs() -> list[Pair]:
    with TABLE.open(encoding="ascii", newline="") as lines:
        return [_pair(row) for row in csv.DictReader(lines)]


def _pair(row: dict[str, str]) -> Pair:
    first, _, second = row["channel"].partition(":")
    return Pair(
        channels=(channel_of(first), channel_of(second or first)),
        country=row["country"],
        first=_unescaped(row["first"]),
        second=_unescaped(row["second"]),
        relation=row["relation"],
        domain=row["domain"],
        note=row["note"],
    )


def _unescaped(text: str) -> str:
    return text.encode("ascii").decode("unicode_escape")


PAIRS = read_pairs()


def the_parse(channel: Channel, text: str, country: str) -> ParsedAddress:
    return parse(channel, text, country=country)


def failures(pair: Pair, parse_one: Parse) -> list[str]:
    """List what a way of parsing gets wrong about one pair of the table."""
    first = parse_one(pair.channels[0], pair.first, pair.country)
    second = parse_one(pair.channels[1], pair.second, pair.country)
    found = (
        first.is_deliverable,
        second.is_deliverable,
        first.digest == second.digest,
    )
    wrong = []
    if found != RELATIONS[pair.relation]:
        wrong.append(
            f"{pair.note}: {found} for {first.canonical!a}, {second.canonical!a}"
        )
    if first.domain != pair.domain:
        wrong.append(f"{pair.note}: domain {first.domain!a}")
    return wrong


def all_failures(pairs: Iterable[Pair], parse_one: Parse) -> list[str]:
    return [failure for pair in pairs for failure in failures(pair, parse_one)]


def test_table_covers_every_channel_and_relation() -> None:
    assert len(PAIRS) >= 300
    assert {channel for pair in PAIRS for channel in pair.channels} == set(Channel)
    assert {pair.relation for pair in PAIRS} == set(RELATIONS)


def test_no_pair_of_the_table_is_written_twice() -> None:
    counts = Counter(
        (pair.channels, pair.country, pair.first, pair.second) for pair in PAIRS
    )

    assert [pair for pair, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(pair, id=f"{line}-{pair.relation}-{pair.note}")
        for line, pair in enumerate(PAIRS, start=2)
    ],
)
def test_pair_of_the_table_has_its_relation(pair: Pair) -> None:
    assert failures(pair, the_parse) == []


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(pair, id=f"{line}-{pair.relation}-{pair.note}")
        for line, pair in enumerate(PAIRS, start=2)
        if pair.channels[0] != pair.channels[1] or pair.relation.startswith("both")
    ],
)
def test_pair_has_the_same_relation_the_other_way_round(pair: Pair) -> None:
    turned = replace(
        pair, channels=pair.channels[::-1], first=pair.second, second=pair.first
    )

    assert failures(replace(turned, domain=""), _without_domain) == []


def _without_domain(channel: Channel, text: str, country: str) -> ParsedAddress:
    return replace(the_parse(channel, text, country), domain="")


# Broken ways of parsing: each one must be caught by the table.


def _changed(parsed: ParsedAddress, canonical: str) -> ParsedAddress:
    return replace(
        parsed, canonical=canonical, digest=digest(parsed.channel, canonical)
    )


def _email_parts(parsed: ParsedAddress) -> tuple[str, str] | None:
    if parsed.channel != Channel.EMAIL or not parsed.is_deliverable:
        return None
    local, _, domain = parsed.canonical.rpartition("@")
    return local, domain


def _keeps_case(channel: Channel, text: str, country: str) -> ParsedAddress:
    parsed = the_parse(channel, text, country)
    if _email_parts(parsed) is None:
        return parsed
    local = unicodedata.normalize("NFC", parsed.value.rpartition("@")[0])
    return _changed(parsed, f"{local}@{parsed.domain}")


def _strips_dots(channel: Channel, text: str, country: str) -> ParsedAddress:
    parsed = the_parse(channel, text, country)
    parts = _email_parts(parsed)
    if parts is None:
        return parsed
    return _changed(parsed, f"{parts[0].replace('.', '')}@{parts[1]}")


def _strips_tags(channel: Channel, text: str, country: str) -> ParsedAddress:
    parsed = the_parse(channel, text, country)
    parts = _email_parts(parsed)
    if parts is None:
        return parsed
    return _changed(parsed, f"{parts[0].partition('+')[0]}@{parts[1]}")


def _makes_no_a_labels(channel: Channel, text: str, country: str) -> ParsedAddress:
    parsed = the_parse(channel, text, country)
    parts = _email_parts(parsed)
    if parts is None:
        return parsed
    domain = unicodedata.normalize("NFC", parsed.value.rpartition("@")[2]).lower()
    return replace(_changed(parsed, f"{parts[0]}@{domain}"), domain=domain)


def _composes_nothing(channel: Channel, text: str, country: str) -> ParsedAddress:
    parsed = the_parse(channel, text, country)
    parts = _email_parts(parsed)
    if parts is None:
        return parsed
    local = parsed.value.rpartition("@")[0].casefold()
    return _changed(parsed, f"{local}@{parts[1]}")


def _lowers_only(channel: Channel, text: str, country: str) -> ParsedAddress:
    parsed = the_parse(channel, text, country)
    if _email_parts(parsed) is None:
        return parsed
    local = unicodedata.normalize("NFC", parsed.value.rpartition("@")[0])
    return _changed(parsed, f"{local.lower()}@{parsed.domain}")


def _forgets_the_channel(channel: Channel, text: str, country: str) -> ParsedAddress:
    parsed = the_parse(channel, text, country)
    return replace(parsed, digest=digest(Channel.EMAIL, parsed.canonical))


def _forgets_the_country(channel: Channel, text: str, country: str) -> ParsedAddress:
    return the_parse(channel, text, "")


def _drops_italian_zero(channel: Channel, text: str, country: str) -> ParsedAddress:
    parsed = the_parse(channel, text, country)
    return _changed(parsed, parsed.canonical.replace("+390", "+39"))


def _folds_push_tokens(channel: Channel, text: str, country: str) -> ParsedAddress:
    parsed = the_parse(channel, text, country)
    if channel != Channel.PUSH:
        return parsed
    return _changed(parsed, parsed.canonical.casefold())


def _does_not_trim(channel: Channel, text: str, country: str) -> ParsedAddress:
    parsed = the_parse(channel, text, country)
    return parsed if text == text.strip() else _changed(parsed, text)


def _believes_everything(channel: Channel, text: str, country: str) -> ParsedAddress:
    return replace(the_parse(channel, text, country), is_deliverable=True)


def _with_other_rules(**rules: bool) -> Parse:
    def parse_one(channel: Channel, text: str, country: str) -> ParsedAddress:
        parsed = the_parse(channel, text, country)
        if channel != Channel.EMAIL:
            return parsed
        standard = {
            "strict": True,
            "allow_smtputf8": True,
            "check_deliverability": False,
        }
        try:
            validate_email(parsed.value, **{**standard, **rules})
        except (EmailNotValidError, UnicodeError):
            return replace(parsed, is_deliverable=False, domain="")
        return replace(parsed, is_deliverable=True)

    return parse_one


SABOTAGES: dict[str, Parse] = {
    "keeps case": _keeps_case,
    "strips dots": _strips_dots,
    "strips plus-tags": _strips_tags,
    "makes no A-labels": _makes_no_a_labels,
    "composes nothing": _composes_nothing,
    "lowers instead of folding": _lowers_only,
    "forgets the channel": _forgets_the_channel,
    "forgets the country": _forgets_the_country,
    "drops the Italian zero": _drops_italian_zero,
    "folds push tokens": _folds_push_tokens,
    "does not trim": _does_not_trim,
    "believes everything": _believes_everything,
    "not strict": _with_other_rules(strict=False),
    "no international mailboxes": _with_other_rules(allow_smtputf8=False),
    "quoted mailboxes": _with_other_rules(allow_quoted_local=True),
    "bracketed addresses": _with_other_rules(allow_domain_literal=True),
    "display names": _with_other_rules(allow_display_name=True),
    "empty mailboxes": _with_other_rules(allow_empty_local=True),
    "test domains": _with_other_rules(test_environment=True),
    "single labels": _with_other_rules(globally_deliverable=False),
}


@pytest.mark.parametrize("sabotage", SABOTAGES)
def test_table_catches_a_broken_canonical_form(sabotage: str) -> None:
    assert all_failures(PAIRS, SABOTAGES[sabotage]) != []


def test_table_agrees_with_the_library_under_the_standard_rules() -> None:
    assert all_failures(PAIRS, _with_other_rules()) == []


def test_library_is_asked_without_looking_anything_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, bool]] = []

    def note_rules(text: str, **rules: bool) -> None:
        asked.append(rules)
        raise EmailNotValidError(text)

    monkeypatch.setattr(addresses, "validate_email", note_rules)

    assert not parse(Channel.EMAIL, '"kim"@example.com').is_deliverable
    assert asked == [
        {"strict": True, "allow_smtputf8": True, "check_deliverability": False}
    ]


# What the table cannot say: exact forms.


@pytest.mark.parametrize(
    ("channel", "text", "country", "canonical"),
    [
        (
            Channel.EMAIL,
            " \u00c5SA.Lee@R\u00c4K.Example ",
            "",
            "åsa.lee@xn--rk-via.example",
        ),
        (Channel.EMAIL, " Kim@ ", "", "invalid:Kim@"),
        (Channel.SMS, "070-174 06 05", "SE", "+46701740605"),
        (Channel.FAX, "06 0000 0001", "IT", "+390600000001"),
        (Channel.PHONE, "none", "SE", "invalid:none"),
        (
            Channel.DIRECT_MAIL,
            "Storgatan 1\n  12345 STAD",
            "",
            "storgatan 1 12345 stad",
        ),
        (Channel.PUSH, " To:Ken ", "", "To:Ken"),
    ],
)
def test_canonical_form_is_exact(
    channel: Channel, text: str, country: str, canonical: str
) -> None:
    parsed = parse(channel, text, country=country)

    assert parsed.canonical == canonical
    assert parsed.value == text.strip()
    assert parsed.digest == digest(channel, canonical)


def test_digest_is_keyed_blake2b(settings: Settings) -> None:
    """The digests in a database are for ever: this one must never change."""
    settings.ADDRESS_DIGEST_KEY = "a key of the tests"

    found = digest(Channel.EMAIL, "kim@example.com")

    assert str(found) == "a62becb1-dc96-7614-3644-8b0538a2119a"


def test_postal_lines_are_joined_with_the_country() -> None:
    parsed = parse_postal([" Storgatan 1 ", "", "123 45  Stad"], country="SE")

    assert parsed.value == "Storgatan 1, 123 45  Stad, SE"
    assert parsed.canonical == "storgatan 1, 123 45 stad, se"


def test_postal_address_is_another_one_in_another_country() -> None:
    lines = ["Storgatan 1", "123 45 Stad"]
    swedish = parse_postal(lines, country="SE")

    assert swedish.digest == parse_postal(lines, country="se").digest
    assert swedish.digest != parse_postal(lines, country="FI").digest
    assert swedish.digest != parse_postal(lines, country="").digest


def test_postal_address_without_lines_is_not_deliverable() -> None:
    assert not parse_postal(["", "  "], country="").is_deliverable


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("a.b.example", ["a.b.example", "b.example", "example"]),
        ("example.com", ["example.com", "com"]),
    ],
)
def test_suffixes_are_the_domain_and_its_parents(
    domain: str, expected: list[str]
) -> None:
    assert addresses.suffixes(domain) == expected


@pytest.mark.parametrize(
    ("channel", "value", "expected"),
    [
        (Channel.EMAIL, "kim@example.com", "k•••@example.com"),
        (Channel.EMAIL, "k@example.com", "•••@example.com"),
        (Channel.EMAIL, "kim@lee@example.com", "k•••@example.com"),
        (Channel.EMAIL, "kim", "•••"),
        (Channel.EMAIL, "kim.example.com", "kim•••om"),
        (Channel.SMS, "+46701740605", "+46•••05"),
        (Channel.SMS, "112", "•••"),
    ],
)
def test_mask_hides_most_of_an_address(
    channel: Channel, value: str, expected: str
) -> None:
    assert mask(channel, value) == expected


def test_telephone_channels_read_numbers_alike() -> None:
    forms = {
        parse(channel, "+46 70 174 06 05").canonical for channel in TELEPHONE_CHANNELS
    }

    assert forms == {"+46701740605"}
