"""The identity of an address: canonical form, digest, domain, deliverability.

The only module that knows when two addresses are the same. Everything that compares
addresses (quarantine, duplicates, matching on import) compares digests: 16 bytes of
keyed BLAKE2b over (channel, canonical form). Case and formatting can therefore never
let a quarantined address through, and quarantine survives erasure without keeping
the address. Pure functions: no database.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from uuid import UUID

import phonenumbers
from django.conf import settings
from email_validator import EmailNotValidError, validate_email
from phonenumbers.phonemetadata import PhoneMetadata

from profiles.channels import TELEPHONE_CHANNELS, Channel

# What nearly every address looks like: no quoting, no international domain, limits
# of RFC 5321 section 4.5.3.1. Anything else takes the slow and thorough way.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN_EMAIL = re.compile(
    rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+[A-Za-z]{{2,63}})", re.ASCII
)
_PLAIN_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.ASCII)
_SPECIAL_DOMAINS = (".arpa", ".invalid", ".local", ".localhost", ".onion", ".test")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_NATIONAL = re.compile(r"0[0-9 ()./-]{4,24}", re.ASCII)
_LABEL_TEXT = re.compile(r"[^0-9+]*", re.ASCII)
_LETTER = re.compile(r"[A-Za-z]")
_PUNCTUATION = str.maketrans("", "", " ()./-")
_SPACES = re.compile(r"\s+")
# NUL cannot be stored, and half of a surrogate pair is no character at all.
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_EMAIL_WITHIN = re.compile(r"[^\s@<>()\",;:]{1,64}@[^\s@<>()\",;:]{1,255}")
_NUMBER_WITHIN = re.compile(r"\+[0-9][0-9 ()./-]{4,24}[0-9]", re.ASCII)
# Below this no form of the address can pass 254 octets: 64 of the local part, the @,
# and each letter of the A-label at most four octets of UTF-8.
_SHORT_DOMAIN = 47


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    """An address as it was given, and what we know of it.

    `digest` is its identity, `domain` the lower-case A-label of an email address (or
    empty), `is_deliverable` whether its syntax lets anything be sent to it.
    """

    channel: Channel
    value: str
    canonical: str
    digest: UUID
    domain: str
    is_deliverable: bool


def parse(channel: Channel, value: str, *, country: str = "") -> ParsedAddress:
    """Read one address as a person typed it.

    Takes the channel, the text, and for telephone numbers the two-letter country of
    the profile. Never raises for bad syntax: such an address is kept, marked as not
    deliverable, under the digest of `invalid:` and its trimmed NFC text.
    """
    trimmed = value.strip()
    canonical, domain = canonical_form(channel, trimmed, country=country)
    if canonical is None:
        invalid = "invalid:" + unicodedata.normalize("NFC", trimmed)
        return ParsedAddress(
            channel, trimmed, invalid, digest(channel, invalid), "", False
        )
    return ParsedAddress(
        channel, trimmed, canonical, digest(channel, canonical), domain, True
    )


def parse_postal(lines: Sequence[str], *, country: str) -> ParsedAddress:
    """Read a postal address from its lines (street, postcode and city) and country."""
    text = ", ".join(line.strip() for line in (*lines, country) if line.strip())
    return parse(Channel.DIRECT_MAIL, text)


def canonical_form(
    channel: Channel, text: str, *, country: str = ""
) -> tuple[str | None, str]:
    """Give (canonical form, domain) of trimmed text; the form is None when invalid.

    Email: NFC, the domain as lower-case A-label (RFC 5890), the local part
    case-folded; dots and plus-tags stay, they are other mailboxes to most hosts.
    Telephone: E.164. Postal: NFC, case-folded, spaces collapsed. Push token: exact.
    """
    if not text or _NOT_TEXT.search(text):
        return None, ""
    if channel == Channel.EMAIL:
        return _canonical_email(text)
    if channel in TELEPHONE_CHANNELS:
        return _canonical_phone(text, country), ""
    if channel == Channel.DIRECT_MAIL:
        return _SPACES.sub(" ", _folded(text)).strip(), ""
    return text, ""


def digest(channel: int, canonical: str) -> UUID:
    """Give the identity of a canonical form: keyed BLAKE2b of 16 bytes, as a UUID."""
    return UUID(digester(channel)(canonical))


def digester(channel: int) -> Callable[[str], str]:
    """Give the function that digests canonical forms of a channel, as 32 digits.

    For imports, which digest millions: it has read the key already.
    """
    start = _keyed_hash().copy()
    start.update(f"{int(channel)}:".encode())

    def digest_of(canonical: str) -> str:
        keyed = start.copy()
        keyed.update(canonical.encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()

    return digest_of


def suffixes(domain: str) -> list[str]:
    """List a domain and its parents: `a.b.c` gives `a.b.c`, `b.c` and `c`."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def mask(channel: int, value: str) -> str:
    """Hide most of an address, for screens of people who need not read it.

    Of an email address the first letter is shown, unless it is all there is.
    """
    if channel == Channel.EMAIL and "@" in value:
        local, _, domain = value.rpartition("@")
        shown = local[:1] if len(local) > 1 else ""
        return f"{shown}•••@{domain}"
    return f"{value[:3]}•••{value[-2:]}" if len(value) > 6 else "•••"


def mask_within(text: str) -> str:
    """Hide the addresses within a text, such as the answer of a mail server."""
    hidden = _EMAIL_WITHIN.sub(lambda found: mask(Channel.EMAIL, found[0]), text)
    return _NUMBER_WITHIN.sub(lambda found: mask(Channel.SMS, found[0]), hidden)


def _folded(text: str) -> str:
    # Folding can take a composed letter apart, so it is composed once more.
    folded = unicodedata.normalize("NFC", text).casefold()
    return unicodedata.normalize("NFC", folded)


def _keyed_hash() -> "hashlib.blake2b":
    return _hash_for(settings.ADDRESS_DIGEST_KEY)


@lru_cache(maxsize=4)
def _hash_for(key: str) -> "hashlib.blake2b":
    # A key of any length: BLAKE2b itself takes 64 bytes at the most.
    short = hashlib.blake2b(key.encode(), digest_size=64).digest()
    return hashlib.blake2b(digest_size=16, key=short)


def _canonical_email(text: str) -> tuple[str | None, str]:
    plain = _PLAIN_EMAIL.fullmatch(text) if text.isascii() else None
    if plain is not None:
        local, domain = plain.group(1), plain.group(2).lower()
        if len(local) <= 64 and len(text) <= 254 and _is_plain_domain(domain):
            return f"{local.lower()}@{domain}", domain

    known = _canonical_international_email(text)
    return known if known[0] is not None else _canonical_rare_email(text)


def _canonical_international_email(text: str) -> tuple[str | None, str]:
    """Read letters of any script before the @ and any domain, each domain once.

    Gives (None, "") for what it is not sure of, as for what is invalid.
    """
    local, _, typed_domain = text.rpartition("@")
    if not local or len(local.encode()) > 64 or len(text.encode()) > 254:
        return None, ""
    normal = unicodedata.normalize("NFC", local)
    letters = "".join("a" if character.isalpha() else character for character in normal)
    if not letters.isascii() or not _PLAIN_LOCAL.fullmatch(letters):
        return None, ""

    domain = _ascii_domain(typed_domain)
    if not domain or len(domain) > _SHORT_DOMAIN:
        return None, ""
    return f"{_folded(normal)}@{domain}", domain


@lru_cache(maxsize=20_000)
def _ascii_domain(domain: str) -> str:
    """Give the A-label form of a domain, or empty when no address can be there."""
    return _canonical_rare_email(f"a@{domain}")[1]


def _is_plain_domain(domain: str) -> bool:
    # A hyphen in the third and fourth place of a label marks an A-label.
    return "--" not in domain and not domain.endswith(_SPECIAL_DOMAINS)


def _canonical_rare_email(text: str) -> tuple[str | None, str]:
    try:
        email = validate_email(
            text, strict=True, allow_smtputf8=True, check_deliverability=False
        )
    except (EmailNotValidError, UnicodeError):
        return None, ""
    domain = email.ascii_domain.lower()
    return f"{_folded(email.local_part)}@{domain}", domain


def _canonical_phone(text: str, country: str) -> str | None:
    region = country.strip().upper()
    if _E164.fullmatch(text):
        known = _known_e164(text)
        if known is not None:
            return known
    elif region and _NATIONAL.fullmatch(text):
        known = _known_national(text, region)
        if known is not None:
            return known

    return _canonical_rare_phone(text, region)


def _canonical_rare_phone(text: str, region: str) -> str | None:
    """Read a number, and read the result again until it stays the same.

    E.164 of a number with one zero too many can itself be read as another number.
    """
    number = _read_phone(text, region)
    while number is not None:
        e164 = _e164(number)
        if _known_e164(e164) is not None:
            return e164
        again = _read_phone(e164, "")
        if again is not None and _e164(again) == e164:
            return None if _begins_with_trunk_zero(again) else e164
        number = again
    return None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    form = phonenumbers.PhoneNumberFormat.E164
    return str(phonenumbers.format_number(number, form))


def _read_phone(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region if len(region) == 2 else None)
    except phonenumbers.NumberParseException:
        return None
    # Possible, not valid: number plans change faster than anybody's tables do.
    reason = phonenumbers.is_possible_number_with_reason(number)
    if number.extension or reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return number if _is_sure_of_letters(text, number) else None


def _begins_with_trunk_zero(number: phonenumbers.PhoneNumber) -> bool:
    # Half a national number. Where there is no trunk zero (Italy), zeros are digits.
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    trunk_prefix = phonenumbers.ndd_prefix_for_region(region, False)
    if trunk_prefix != "0" or not number.italian_leading_zero:
        return False
    return not phonenumbers.is_valid_number(number)


def _is_sure_of_letters(text: str, number: phonenumbers.PhoneNumber) -> bool:
    """Tell a vanity number from a slip of the pen, which would be another's number.

    The library drops one or two letters and dials the digits of three or more.
    """
    letters = len(_LETTER.findall(_LABEL_TEXT.sub("", text, count=1)))
    if not letters:
        return True
    return letters >= 3 and bool(phonenumbers.is_valid_number(number))


@dataclass(frozen=True, slots=True)
class _NumberPlan:
    """What is needed of a country's number plan to read its ordinary numbers."""

    calling_code: str
    national_prefix: str
    strips: re.Pattern[str] | None
    dials_abroad: re.Pattern[str] | None
    pattern: re.Pattern[str]
    lengths: frozenset[int]


def _known_e164(text: str) -> str | None:
    """Give the number itself when it is certain that reading would not change it."""
    for length in (1, 2, 3):
        plan = _plan_of_code(text[1 : 1 + length])
        if plan is None:
            continue
        rest = text[1 + length :]
        if len(rest) not in plan.lengths:
            return None
        if plan.strips is not None and plan.strips.match(rest):
            return None
        return text
    return None


def _known_national(text: str, country: str) -> str | None:
    """Give E.164 of a number that is its national prefix and a known pattern."""
    plan = _plan_of_region(country)
    if plan is None or plan.national_prefix != "0":
        return None
    digits = text.translate(_PUNCTUATION)
    if plan.dials_abroad is not None and plan.dials_abroad.match(digits):
        return None
    rest = digits[1:]
    if rest.startswith("0") or len(rest) not in plan.lengths:
        return None
    if plan.pattern.fullmatch(digits) or not plan.pattern.fullmatch(rest):
        return None
    return f"+{plan.calling_code}{rest}"


@cache
def _plan_of_code(code: str) -> _NumberPlan | None:
    if not code or int(code) not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        return None
    return _plan_of_region(phonenumbers.region_code_for_country_code(int(code)))


@lru_cache(maxsize=512)
def _plan_of_region(region: str) -> _NumberPlan | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    general = metadata.general_desc if metadata is not None else None
    if metadata is None or general is None or general.national_number_pattern is None:
        return None
    strips = metadata.national_prefix_for_parsing
    abroad = metadata.international_prefix
    plain = metadata.national_prefix_transform_rule is None and strips == "0"
    return _NumberPlan(
        calling_code=str(metadata.country_code),
        national_prefix="0" if plain else "",
        strips=re.compile(strips) if strips else None,
        dials_abroad=re.compile(abroad) if abroad else None,
        pattern=re.compile(general.national_number_pattern),
        lengths=frozenset(general.possible_length),
    )
