"""What holds for every text, and that the short ways agree with the libraries."""

import string
import unicodedata

import phonenumbers
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from profiles import addresses
from profiles.addresses import digest, mask, parse
from profiles.channels import Channel

channels = st.sampled_from(list(Channel))
# Any text at all: halves of surrogate pairs and NUL are among it.
texts = st.text(st.characters(), max_size=80)
regions = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS))
countries = st.one_of(st.just(""), regions, st.text(max_size=4))

ATOM = string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-"
LABEL = string.ascii_letters + string.digits + "-"
plain_emails = st.builds(
    "{}@{}".format,
    st.text(ATOM + ".", min_size=1, max_size=66),
    st.lists(
        st.text(LABEL + "-_", min_size=1, max_size=65), min_size=1, max_size=5
    ).map(".".join),
)
UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
LETTERS = st.characters(categories=["L", "Mn", "Nd", "So"])
international_emails = st.builds(
    "{}@{}".format,
    st.text(st.one_of(LETTERS, st.sampled_from(ATOM + ".")), min_size=1, max_size=40),
    st.lists(
        st.text(st.one_of(LETTERS, st.sampled_from(LABEL)), min_size=1, max_size=30),
        min_size=1,
        max_size=6,
    ).map(".".join),
)
marked_emails = st.text(
    st.sampled_from('aAßİ\u0301\u0345éжא1.-_@"<> \\\u200b\ud800。．＠x'), max_size=30
)
emails = st.one_of(plain_emails, international_emails, marked_emails)

digits = st.text(string.digits, min_size=3, max_size=14)
calling_codes = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
e164_numbers = st.builds("+{}{}".format, calling_codes, digits)
national_numbers = st.builds(
    "0{}".format, st.text(string.digits + " ()./-", min_size=4, max_size=24)
)
written_numbers = st.text(
    st.sampled_from("0123456789+-(). /x,;#*٣３eE\t\u200b"), max_size=24
)
addresses_of_any_kind = st.one_of(
    st.tuples(st.just(Channel.EMAIL), emails),
    st.tuples(
        st.sampled_from([Channel.SMS, Channel.PHONE, Channel.FAX]),
        st.one_of(e164_numbers, national_numbers, digits, written_numbers),
    ),
    st.tuples(channels, texts),
)

# The same texts in each run: a failure belongs to the change that caused it.
quick = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
thorough = settings(quick, max_examples=600)


# The short ways against the libraries. Private names on purpose: nowhere else.


@thorough
@given(plain_emails)
@example("a@" + "b" * 63 + ".example")
@example("a" * 64 + "@example.com")
@example("a@xn--a.example")
@example("a@example.local")
def test_plain_email_is_read_as_the_library_reads_it(text: str) -> None:
    assert addresses._canonical_email(text) == addresses._canonical_rare_email(text)


@thorough
@given(st.one_of(international_emails, marked_emails.filter(lambda text: text)))
@example("a" * 64 + "@" + ".".join(["åäö" * 10] * 6) + ".example")
@example("å" * 32 + "@" + "b" * 60 + "." + "c" * 60 + "." + "d" * 60 + ".example")
@example("\ufa6c" * 21 + "@" + "日本" * 12 + ".example")
def test_international_email_is_read_as_the_library_reads_it(text: str) -> None:
    assume(not any("\ud800" <= letter <= "\udfff" for letter in text))

    assert addresses._canonical_email(text) == addresses._canonical_rare_email(text)


@thorough
@given(e164_numbers, countries)
def test_e164_is_read_as_the_library_reads_it(text: str, country: str) -> None:
    expected = addresses._canonical_rare_phone(text, "")

    assert addresses._canonical_phone(text, country) == expected


@thorough
@given(national_numbers, regions)
@example("0701740605", "SE")
@example("0725856565", "IM")
def test_national_number_is_read_as_the_library_reads_it(
    text: str, region: str
) -> None:
    expected = addresses._canonical_rare_phone(text, region)

    assert addresses._canonical_phone(text, region) == expected


def test_example_number_of_every_region_is_read_as_the_library_reads_it() -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        number = phonenumbers.example_number(region)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for form in (
            phonenumbers.PhoneNumberFormat.NATIONAL,
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.E164,
            phonenumbers.PhoneNumberFormat.RFC3966,
        ):
            text = phonenumbers.format_number(number, form)

            assert parse(Channel.SMS, text, country=region).canonical == e164, (
                f"{text} in {region}, trunk prefix {metadata.national_prefix}"
            )


# What holds for every text.


@thorough
@given(addresses_of_any_kind, countries)
def test_parse_never_raises(address: tuple[Channel, str], country: str) -> None:
    channel, text = address

    parsed = parse(channel, text, country=country)

    assert parsed.value == text.strip()
    assert parsed.digest == digest(channel, parsed.canonical)
    assert parsed.is_deliverable or parsed.canonical.startswith("invalid:")
    assert bool(parsed.domain) == (channel == Channel.EMAIL and parsed.is_deliverable)


@thorough
@given(addresses_of_any_kind, countries)
@example((Channel.DIRECT_MAIL, "\u0390"), "")
@example((Channel.SMS, "0725856565"), "IM")
def test_canonical_form_is_read_as_itself(
    address: tuple[Channel, str], country: str
) -> None:
    parsed = parse(*address, country=country)
    # Folding may take a local part (ß to ss) past the 64 letters it can have.
    assume(parsed.is_deliverable and len(parsed.canonical.rpartition("@")[0]) <= 64)

    again = parse(parsed.channel, parsed.canonical)

    assert again == addresses.ParsedAddress(
        parsed.channel,
        parsed.canonical,
        parsed.canonical,
        parsed.digest,
        parsed.domain,
        True,
    )


@quick
@given(
    addresses_of_any_kind,
    countries,
    st.text(" \t\r\n\u00a0\u2003\u3000\u2028"),
    st.text(" \t\r\n\u00a0\u2003\u3000\u2028"),
)
def test_white_space_around_is_no_part_of_an_address(
    address: tuple[Channel, str], country: str, before: str, after: str
) -> None:
    channel, text = address

    assert parse(channel, before + text + after, country=country) == parse(
        channel, text, country=country
    )


@quick
@given(emails)
def test_case_and_composition_of_an_email_do_not_matter(text: str) -> None:
    parsed = parse(Channel.EMAIL, text)
    assume(parsed.is_deliverable)
    local, _, domain = text.strip().rpartition("@")
    decomposed = unicodedata.normalize("NFD", local)
    assume(len(decomposed) <= 64 and len(decomposed.encode()) < 120)
    assume(len(domain) < 60)

    twin = parse(Channel.EMAIL, f"{decomposed}@{domain.translate(UPPER)}")

    assert not twin.is_deliverable or twin.digest == parsed.digest


@quick
@given(texts)
def test_digest_depends_on_the_channel(text: str) -> None:
    digests = {digest(channel, text) for channel in Channel}

    assert len(digests) == len(Channel)


@settings(
    quick,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=texts, keys=st.sets(st.text(max_size=200), min_size=2, max_size=2))
def test_digest_depends_on_the_key(
    settings: Settings, text: str, keys: set[str]
) -> None:
    digests = set()
    for key in keys:
        settings.ADDRESS_DIGEST_KEY = key
        digests.add(digest(Channel.EMAIL, text))

    assert len(digests) == len(keys)


@quick
@given(st.one_of(emails, texts))
def test_mask_never_shows_the_whole_local_part(text: str) -> None:
    local, at, domain = text.rpartition("@")
    assume(at and local)

    shown = mask(Channel.EMAIL, text).removesuffix(f"@{domain}")

    assert shown in {"•••", f"{local[0]}•••"}
    assert shown.removesuffix("•••") != local


@quick
@given(channels, texts)
def test_mask_never_shows_the_whole_of_an_address(channel: Channel, text: str) -> None:
    assume(text and "•" not in text)

    assert text not in mask(channel, text)
