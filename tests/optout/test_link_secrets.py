"""What a link gives away: nothing to strangers, to other people, or to the log."""

import logging
import re

import pytest
from django.conf import settings as project
from django.utils import timezone

from campaign.logs import WithoutTokens
from optout import mail_tokens, tokens, urls_public
from optout.mail_tokens import MailLink, MailPurpose
from optout.tokens import Link, Purpose
from profiles.channels import Channel
from tests import factories
from tests.optout.public_links import FORM, PAIR, address, heading

pytestmark = pytest.mark.django_db
FORM_MADE = re.compile(rb'name="form" value="[^"]+"')


def test_every_refused_token_is_answered_alike(visitor, profile) -> None:
    url = address(profile, Purpose.ONE_CLICK)
    link = Link(profile.pk, Channel.EMAIL, timezone.now())
    others = [tokens.make(link, each) for each in Purpose if each.value != b"one-click"]
    refused = ["x", f"{url[3:]}x", url[3:-1], url[3:].replace("1.", "2."), *others]
    answers = [
        visitor.generic(method, f"/u/{text}", PAIR, FORM)
        for text in refused
        for method in ("GET", "POST")
    ]
    assert {each.status_code for each in answers} == {404}
    # But for the second at which the form was made, which it carries.
    assert len({FORM_MADE.sub(b"", each.content) for each in answers}) == 1


BY_TOKEN = [
    each
    for each in urls_public.urlpatterns
    if "token" in str(each.pattern) and each.name != "own_page"
]


@pytest.mark.parametrize("pattern", BY_TOKEN, ids=lambda each: each.name)
def test_each_public_page_takes_one_purpose_of_all(visitor, profile, pattern) -> None:
    place = "/" + str(pattern.pattern).replace("<path:token>", "{}")
    link = Link(profile.pk, Channel.EMAIL, timezone.now(), 0, 12)
    about = MailLink(profile.pk, Channel.EMAIL, 0, 12)
    made = {each: tokens.make(link, each) for each in Purpose}
    mails = {each: mail_tokens.make(about, each) for each in MailPurpose}
    opened = {
        purpose
        for purpose, token in [*made.items(), *mails.items()]
        for text in (token, token.upper(), f"1.{token}")
        for method in ("GET", "POST")
        if visitor.generic(method, place.format(text), PAIR, FORM).status_code != 404
    }
    assert len(opened) == 1
    assert opened <= set(made)


@pytest.mark.parametrize(
    ("method", "headers", "is_altered"),
    [
        ("PUT", {}, False),
        ("POST", {"content-encoding": "gzip"}, False),
        ("GET", {"host": "evil.example.com"}, False),
        ("GET", {}, True),
    ],
    ids=["405", "415", "400", "404"],
)
def test_no_log_line_holds_a_token(
    visitor, profile, caplog, method, headers, is_altered
) -> None:
    url = address(profile, Purpose.ONE_CLICK)
    caplog.set_level(logging.INFO)
    visitor.generic(method, url + "x" * is_altered, headers=headers)
    token = url.removeprefix("/u/")
    hide = WithoutTokens()
    assert caplog.records
    assert all(hide.filter(record) for record in caplog.records)
    assert [each for each in caplog.records if token in each.getMessage()] == []


def test_every_line_of_the_log_passes_the_filter() -> None:
    made = {"without_tokens": {"()": "campaign.logs.WithoutTokens"}}
    assert project.LOGGING["filters"] == made
    for handler in project.LOGGING["handlers"].values():
        assert "without_tokens" in handler["filters"]


def test_lines_without_a_link_are_logged_as_they_are() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 1, "%d %% of %s", (5, "x"), None)
    assert WithoutTokens().filter(record)
    assert record.getMessage() == "5 % of x"


def test_page_of_one_person_is_not_shown_to_another(visitor) -> None:
    masks = {"jane@example.org": "j•••@e•••.org", "ola@b.example.net": "o•••@b•••.net"}
    for language, said in (("en", "You are out"), ("sv", "Du är avanmäld")):
        for value, masked in masks.items():
            known = factories.make_profile(email=value, language=language)
            url = address(known, Purpose.ONE_CLICK)
            answer = visitor.generic("POST", url, PAIR, FORM)
            others = set(masks.values()) - {masked}
            assert masked in answer.content.decode()
            assert not any(other in answer.content.decode() for other in others)
            assert (answer["Content-Language"], heading(answer)) == (language, said)
