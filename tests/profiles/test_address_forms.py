"""What the table of pairs cannot say of addresses: exact forms, digests and masks."""

import pytest
from email_validator import EmailNotValidError
from pytest_django.fixtures import Settings

from profiles import addresses
from profiles.addresses import digest, mask, parse, parse_postal
from profiles.channels import TELEPHONE_CHANNELS, Channel


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
