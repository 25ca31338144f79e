"""The content of a landing page in its own types, and as JSON."""

import json
from dataclasses import replace

import pytest

from optout.page_content import (
    Access,
    ContentError,
    FieldName,
    OfferedField,
    OnSeveral,
    PageContent,
    StopScope,
    Texts,
)
from profiles.channels import Channel

FULL = PageContent(
    default_language="sv",
    languages={
        "sv": Texts("Hej", "Välj", "Spara", "Klart", "Fel", "Stängt", ("Jag vill",)),
        "en": Texts("Hello", agreements=("I agree",)),
    },
    channels=(Channel.EMAIL, Channel.PUSH),
    services=(3, 1),
    fields=(OfferedField(FieldName.CITY), OfferedField(FieldName.COUNTRY, True)),
    access=Access.ANYBODY,
    on_several=OnSeveral.ALL,
    scope=StopScope.SHARED_ADDRESS,
    agreement_count=1,
    has_double_opt_in=False,
)


@pytest.mark.parametrize("content", [FULL, PageContent()], ids=["full", "empty"])
def test_content_comes_back_from_json_as_it_was(content):
    stored = json.loads(json.dumps(content.serialise()))

    assert PageContent.parse(stored) == content


@pytest.mark.parametrize(
    "change",
    [
        {"access": "everyone"},
        {"channels": [99]},
        {"services": ["x"]},
        {"fields": [{"name": "password", "is_mandatory": True}]},
        {"fields": [{"name": "city"}]},
        {"languages": {"sv": {"title": 1}}},
        {"languages": {"xx": {"title": "a"}}},
        {"languages": {"sv": {"script": "a"}}},
        {"languages": []},
        {"default_language": "tlh"},
        {"agreement_count": 4},
        {"agreement_count": -1},
        {"has_double_opt_in": "yes"},
        {"something": "else"},
    ],
    ids=str,
)
def test_content_that_is_not_understood_is_refused(change):
    with pytest.raises(ContentError):
        PageContent.parse(FULL.serialise() | change)


@pytest.mark.parametrize("source", [None, [], "text", 3])
def test_what_is_no_content_is_refused(source):
    with pytest.raises(ContentError, match="not readable"):
        PageContent.parse(source)


@pytest.mark.parametrize(
    "texts",
    [
        Texts(title="x" * 201),
        Texts(intro="x" * 3001),
        Texts(agreements=("x" * 3001,)),
        Texts(title="nul\0"),
    ],
    ids=["title", "intro", "agreement", "nul"],
)
def test_text_that_cannot_be_kept_is_refused(texts):
    with pytest.raises(ContentError):
        replace(FULL, languages={"sv": texts}).check()


def test_same_thing_twice_is_offered_once():
    content = PageContent.parse({"services": [2, 1, 2], "channels": [0, 0]})

    assert content.services == (2, 1)
    assert content.channels == (Channel.EMAIL,)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["en"], "en"),
        (["en-GB"], "en"),
        (["de", "en"], "en"),
        (["de"], "sv"),
        ([], "sv"),
        (["", "EN"], "en"),
    ],
    ids=str,
)
def test_language_is_the_first_wanted_that_the_page_has(wanted, expected):
    assert FULL.language_for(wanted) == expected


def test_norwegian_of_any_name_is_found():
    content = replace(FULL, languages={**FULL.languages, "nb": Texts("Hei")})

    assert content.language_for(["no"]) == content.language_for(["nn-NO"]) == "nb"


def test_default_language_cannot_be_taken_away():
    with pytest.raises(ContentError, match="Svenska cannot be taken away"):
        FULL.without_language("sv")
    assert list(FULL.without_language("en").languages) == ["sv"]
