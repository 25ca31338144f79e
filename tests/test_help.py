"""The help: a guide with its pictures, a glossary, and a help text at every field."""

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from campaign import acts
from delivery import glossary, guide
from delivery.roles import Role
from delivery.templatetags import glossary as tags
from tests.source import ROOT, templates
from tests.test_roles import member_of

STEPS = [
    *("import", "landing-page", "opt-out", "quarantine"),
    *("analyse", "confirm", "bounces"),
]
PICTURES = ROOT / "static/console/guide"
LINK = re.compile(r'<a class="button" href="([^"]+)">')
TAGS = re.compile(r'{% terms? ((?:"[^"]+" ?)+)%}')


def reader(role: Role) -> Client:
    client = Client()
    client.force_login(member_of(role))
    return client


def main_of(page: str) -> str:
    return page.split('<ol class="guide">')[1].split("</ol>")[0]


def size_of(picture: bytes) -> tuple[int, int]:
    """Read width and height of a WebP file with an extended header."""
    assert picture[12:16] == b"VP8X"
    sides = picture[24:27], picture[27:30]
    width, height = (int.from_bytes(side, "little") + 1 for side in sides)
    return width, height


@pytest.mark.parametrize("language", [code for code, _ in settings.CONSOLE_LANGUAGES])
def test_guide_shows_every_step_with_its_picture_in_the_language(
    client: Client, operator: User, language: str
) -> None:
    client.force_login(operator)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    page = client.get("/console/help/").text

    pictures = re.findall(r'<img src="/static/console/guide/([^"]+)" alt="[^"]', page)

    assert pictures == [f"{name}-{language}.webp" for name in STEPS]
    assert page.count('width="920" height="620" loading="lazy"') == len(STEPS)
    for picture in pictures:
        assert size_of(PICTURES.joinpath(picture).read_bytes()) == (
            guide.WIDTH,
            guide.HEIGHT,
        )


def test_language_without_pictures_of_its_own_gets_the_english_ones() -> None:
    with translation.override("de"):
        [first, *_rest] = guide.steps(lambda right: True)

    assert first.picture == "/static/console/guide/import-en.webp"


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_guide_leads_only_to_pages_that_open(role: Role) -> None:
    client = reader(role)

    links = LINK.findall(main_of(client.get("/console/help/").text))

    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(
        links, 200
    )


@pytest.mark.django_db
def test_guide_leads_each_role_as_far_as_it_may_go() -> None:
    def links(role: Role) -> list[str]:
        return LINK.findall(main_of(reader(role).get("/console/help/").text))

    assert links(Role.ADMINISTRATOR) == []
    assert links(Role.VIEWER) == [
        "/console/uploads/",
        "/console/pages/",
        "/console/profiles/",
        "/console/quarantine/",
        "/console/deliveries/",
    ]
    assert len(links(Role.SENDER)) == 6
    assert links(Role.COMPLIANCE)[-1] == "/console/inbound/"


@pytest.mark.django_db
def test_frame_leads_to_the_help_from_every_role_s_home() -> None:
    for letter in acts.ALL:
        page = reader(acts.LETTERS[letter]).get("/console/").text

        assert 'href="/console/help/">Help</a>' in page


def test_help_is_not_for_strangers(client: Client, db: None) -> None:
    for path in ("/console/help/", "/console/help/glossary/"):
        answer = client.get(path)

        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/console/sign-in/?next={path}"


def test_glossary_has_every_word_once_at_its_anchor(
    client: Client, operator: User
) -> None:
    client.force_login(operator)
    page = client.get("/console/help/glossary/").text

    anchors = re.findall(r'<div id="([a-z-]+)"><dt>', page)

    assert sorted(anchors) == sorted(term.name for term in glossary.TERMS)
    assert len(set(anchors)) == len(anchors)
    assert (
        '<div id="audience"><dt>audience</dt><dd>Whom a delivery is meant for:' in page
    )


def test_words_stand_in_the_order_of_the_alphabet() -> None:
    words = [str(term.word) for term in glossary.in_order()]

    assert words == sorted(words, key=str.casefold)


def test_term_is_a_link_to_its_place_in_the_glossary() -> None:
    assert tags.term("hard-bounce") == (
        '<a href="/console/help/glossary/#hard-bounce">hard bounce</a>'
    )


def test_term_that_the_glossary_lacks_is_refused() -> None:
    with pytest.raises(glossary.UnknownTerm, match="The glossary has no “blacklist”"):
        tags.term("blacklist")


def test_every_term_that_a_template_names_is_in_the_glossary() -> None:
    named = {
        (path.name, name)
        for path in templates()
        for found in TAGS.findall(path.read_text("utf-8"))
        for name in re.findall(r'"([^"]+)"', found)
    }
    known = {term.name for term in glossary.TERMS}

    assert sorted(each for each in named if each[1] not in known) == []
    assert len({path for path, _name in named}) >= 10


def test_no_template_names_a_term_in_a_way_that_is_not_looked_at() -> None:
    # One is: the line itself writes each of the names it was given.
    lines = [
        f"{path.name}: {tag}"
        for path in templates()
        for tag in re.findall(r"{% terms? [^%]*%}", path.read_text("utf-8"))
        if not TAGS.fullmatch(tag)
    ]

    assert lines == ["terms.html: {% term name %}"]


def test_quarantine_page_links_its_words(client: Client, operator: User) -> None:
    operator.is_superuser = True
    operator.save()
    client.force_login(operator)

    page = client.get("/console/quarantine/").text

    assert 'Words explained: <a href="/console/help/glossary/#quarantine">' in page
    assert page.count("/console/help/glossary/#") == 5
