"""Broken ways of parsing addresses: each one must be caught by the table of pairs."""

import unicodedata
from dataclasses import replace

import pytest
from email_validator import EmailNotValidError, validate_email

from profiles.addresses import ParsedAddress, digest
from profiles.channels import Channel
from tests.profiles.address_pairs import PAIRS, Parse, all_failures, the_parse


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
