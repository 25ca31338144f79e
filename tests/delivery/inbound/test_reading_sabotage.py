"""Reading broken on purpose: the expected mails must notice each break."""

import pytest

from delivery.inbound import (
    auto_replies,
    complaints,
    mime,
    plain_reports,
    provider_notices,
    reading,
    reports,
    stages,
)
from delivery.inbound.reading import Kind
from tests.delivery.inbound.test_reading import EXPECTED, mail, written

BREAKS = {
    "a complaint is taken for a bounce": (complaints, "find", lambda mail: None),
    "a notice of a provider is passed over": (
        provider_notices,
        "find",
        lambda mail: None,
    ),
    "fields of machines are passed over": (reports, "blocks", lambda mail: []),
    "whatever comes is a bounce": (plain_reports, "is_bounce", lambda mail, text: True),
    "nothing is a bounce": (plain_reports, "is_bounce", lambda mail, text: False),
    "a delay is a failure": (plain_reports, "is_delay", lambda mail, text: False),
    "a machine is a person": (auto_replies, "is_auto_reply", lambda mail: False),
    "a refusal of the message is of the address": (
        stages,
        "_is_after_data",
        lambda text, about: False,
    ),
    "text is not decoded": (mime, "_decoded_blocks", lambda text, message: text),
    "HTML is text": (mime, "text_of_html", lambda html: html),
    "UTF-16 is bytes": (mime, "_as_ascii_superset", lambda raw: raw),
    "every complaint is one": (
        reading,
        "_complained",
        lambda feedback: [
            reading.Recipient(each, "", "", "", "", reading._COMPLAINED)
            for each in feedback.recipients
        ],
    ),
}


def wrong() -> list[str]:
    return [name for name in EXPECTED if written(mail(name)) != EXPECTED[name]]


def test_nothing_is_wrong_as_it_is():
    assert wrong() == []


@pytest.mark.parametrize("name", BREAKS)
def test_expected_mail_notices_the_break(name, monkeypatch):
    monkeypatch.setattr(*BREAKS[name])

    assert wrong() != []


def test_complaint_that_is_passed_over_would_not_be_one(monkeypatch):
    monkeypatch.setattr(complaints, "find", lambda mail: None)

    assert mail("arf-abuse").kind != Kind.COMPLAINT
