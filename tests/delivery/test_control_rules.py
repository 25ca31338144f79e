"""The control rules: for each a content that breaks it, and one that does not."""

from dataclasses import replace

import pytest

from delivery.content import Content
from delivery.control_rules import Level, check_content
from profiles.channels import Channel

GOOD = Content(
    channel=Channel.EMAIL,
    subject="Spring is here",
    html='<p>Hi</p><a href="{{ unsubscribe_url }}">Stop</a>',
    postal_address="Box 1, Umeå",
)
TEXT = Content(channel=Channel.SMS, text="Spring is here")
LINK = '<a href="{{ unsubscribe_url }}">Stop</a>'


def codes(content, *, base_url="https://c.example.com", is_signed=True):
    found = check_content(content, base_url=base_url, is_signed=is_signed)
    return {finding.code: finding.level for finding in found}


@pytest.mark.parametrize("content", [GOOD, TEXT], ids=["email", "SMS"])
def test_good_content_has_no_findings(content):
    assert codes(content) == {}


BAD = [
    ("empty_subject", {"subject": " "}, "error"),
    ("empty_content", {"html": " \n"}, "error"),
    ("unsubscribe_link_missing_html", {"html": "<p>Hi</p>"}, "error"),
    (
        "unsubscribe_link_missing_html",
        {"html": "<p>{{ unsubscribe_url }}</p>"},
        "error",
    ),
    (
        "unsubscribe_link_missing_html",
        {"html": f"{{% if profile.city %}}{LINK}{{% endif %}}"},
        "error",
    ),
    ("unsubscribe_link_missing_text", {"text": "Hi"}, "error"),
    ("postal_address_missing", {"postal_address": " "}, "error"),
    ("risky_subject", {"subject": "Hi\nBcc: x@example.com"}, "error"),
    ("risky_subject", {"subject": "Hi \u202egnp.exe"}, "error"),
    ("risky_subject", {"subject": "x" * 256}, "error"),
    ("loud_subject", {"subject": "BUY NOW {{ profile.first_name }}"}, "warning"),
    ("loud_subject", {"subject": "Now!!!!"}, "warning"),
    ("risky_sender", {"sender": "Shop"}, "error"),
    ("risky_sender", {"sender": "Shop\r\n <a@example.com>"}, "error"),
    ("risky_reply_to", {"reply_to": "a@b@example.com"}, "error"),
    ("unreadable_content", {"html": f"{{% if %}}{LINK}"}, "error"),
    ("unknown_merge_field", {"subject": "Hi {{ profile.firstname }}"}, "error"),
    (
        "links_not_https",
        {"html": f'{LINK}<a href="http://example.com">x</a>'},
        "warning",
    ),
]


@pytest.mark.parametrize(
    ("code", "change", "level"), BAD, ids=[f"{n}-{bad[0]}" for n, bad in enumerate(BAD)]
)
def test_rule_finds_what_it_is_for(code, change, level):
    assert codes(replace(GOOD, **change)).get(code) == Level(level)


GOOD_ONES = {
    "service mail needs no way out": {
        "html": "<p>Hi</p>",
        "is_marketing": False,
        "postal_address": "",
    },
    "address in the content": {"postal_address": "", "has_address_in_content": True},
    "text with its link": {"text": "Hi {{ unsubscribe_url }}"},
    "name in quotes": {"sender": '"Shop, Inc." <news@example.com>'},
    "known field": {"subject": "Hi {{ profile.first_name }}"},
}


@pytest.mark.parametrize("name", GOOD_ONES)
def test_rule_leaves_alone_what_is_right(name):
    assert codes(replace(GOOD, **GOOD_ONES[name])) == {}


@pytest.mark.parametrize(
    ("count", "level"), [(160, None), (161, "warning"), (919, "error")]
)
def test_length_of_a_text_message(count, level):
    found = codes(replace(TEXT, text="x" * count))

    assert found.get("sms_too_long") == (Level(level) if level else None)


@pytest.mark.parametrize(
    ("url", "is_found"),
    [
        ("http://campaign.example.com", True),
        ("http://localhost:8000", False),
        ("http://127.0.0.1", False),
        ("https://campaign.example.com", False),
    ],
)
def test_public_address_is_https_but_on_loopback(url, is_found):
    assert ("base_url_not_https" in codes(GOOD, base_url=url)) is is_found


def test_mail_that_nobody_signs_is_warned_of():
    assert codes(GOOD, is_signed=False) == {"not_signed": Level.WARNING}


def test_findings_come_in_the_order_of_their_phases():
    bad = replace(GOOD, subject="", html="{% if %}", postal_address="")
    found = check_content(bad, base_url="http://example.com", is_signed=False)

    phases = [finding.phase for finding in found]
    assert phases == sorted(phases)
    assert len(set(phases)) == 3
