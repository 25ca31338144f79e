"""Landing pages in a real browser: the console's, and what visitors see."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from optout import pages
from optout.models import LandingPage
from optout.models.pages import PageType
from optout.page_content import Access, FieldName, OfferedField, Texts
from tests import factories
from tests.browser.conftest import findings, speak
from tests.browser.test_pages import CUT_OFF, LANGUAGES, LONG, WIDTHS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen"


@pytest.fixture
def rich_page(db, operator) -> LandingPage:
    """A page with everything on it, one version online and another as a draft."""
    services = [
        factories.make_service(public_name=name, is_open=True, label=name)
        for name in ("Letters", LONG_WORD)
    ]
    texts = Texts(
        f"What you get {LONG_WORD}",
        "Tick it.\n\nOr not.",
        "Save",
        "Saved.",
        "Failed.",
        "Closed.",
        ("I agree",),
    )
    page = factories.make_landing_page(
        page_type=PageType.PREFERENCES,
        name=LONG,
        languages={"en": texts, "sv": texts},
        services=tuple(each.pk for each in services),
        fields=tuple(OfferedField(each, True) for each in FieldName),
        agreement_count=1,
        access=Access.ANYBODY,
        is_published=True,
    )
    content = pages.editable_content(page)
    changed = replace(content, languages={**content.languages, "de": Texts("Titel")})
    pages.edit_draft(page, changed, by="ola", now=factories.CREATED_AT)
    return page


@pytest.fixture
def console_paths(rich_page) -> list[str]:
    factories.make_profile(external_id="P-1", first_name="Åsa", email=LONG)
    out = factories.make_landing_page(name="Way out", brand=rich_page.brand)
    one, other = (f"/console/pages/{each.pk}/" for each in (rich_page, out))
    return [
        "/console/pages/",
        "/console/pages/new/",
        one,
        other,
        f"{one}settings/",
        f"{one}offer/",
        f"{one}texts/en/",
        f"{one}texts/de/",
        f"{one}preview/sv/",
        f"{one}versions/1/",
        f"{one}dry-run/",
        f"{one}dry-run/?external_id=P-1&page_language=en&sent=1&city=Lund",
        "/console/pages/brands/",
        "/console/pages/brands/new/",
        f"/console/pages/brands/{rich_page.brand_id}/",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_console_pages(
    signed_in, console_paths, live_server, language
):
    speak(signed_in, language, live_server)

    found = []
    for path in console_paths:
        response = signed_in.goto(path)
        assert response.status == 200, path
        found += findings(signed_in)

    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_cut_off_on_console_pages(
    signed_in, console_paths, live_server, language
):
    speak(signed_in, language, live_server)

    wide = []
    for path in console_paths:
        signed_in.goto(path)
        for width in WIDTHS:
            signed_in.set_viewport_size({"width": width, "height": 740})
            cut = signed_in.evaluate(CUT_OFF)
            wide += [f"{path} at {width}: {cut}"] if cut else []

    assert wide == []


@pytest.mark.parametrize("part", ["", "?part=confirmation", "?part=error"])
def test_axe_finds_nothing_on_the_page_itself(signed_in, rich_page, part):
    signed_in.goto(f"/console/pages/{rich_page.pk}/preview/en/frame/{part}")

    assert findings(signed_in) == []


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_visitor_finds_a_page_that_fits_and_loads_nothing_else(
    page: Page, rich_page, live_server, width
):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 740})

    page.goto(f"/page/{rich_page.public_id}")

    assert findings(page) == []
    assert page.evaluate(CUT_OFF) == []
    assert all(each.startswith((live_server.url, "data:")) for each in asked)
    assert page.context.cookies() == []


def test_page_wears_the_colours_of_its_brand(page: Page, rich_page):
    rich_page.brand.light_button = "#7a1f5c"
    rich_page.brand.save()
    page.emulate_media(color_scheme="light")

    page.goto(f"/page/{rich_page.public_id}")

    button = page.get_by_role("button", name="Save")
    expect(button).to_have_css("background-color", "rgb(122, 31, 92)")


def test_preview_button_shows_unsaved_texts(signed_in: Page, rich_page):
    signed_in.route("**/*.js", lambda route: route.fulfill(body=""))
    signed_in.goto(f"/console/pages/{rich_page.pk}/texts/en/")

    signed_in.get_by_label("Title").fill("Something new")
    signed_in.get_by_role("button", name="Preview").click()

    frame = signed_in.frame_locator("iframe[title=Preview]")
    expect(frame.get_by_role("heading", level=1)).to_have_text("Something new")
    assert pages.editable_content(rich_page).texts_in("en").title != "Something new"


def test_preview_follows_what_is_typed(signed_in: Page, rich_page):
    signed_in.goto(f"/console/pages/{rich_page.pk}/texts/en/")

    signed_in.get_by_label("Title").fill("Something <b>new</b>")

    frame = signed_in.frame_locator("iframe[title=Preview]")
    heading = frame.get_by_role("heading", level=1)
    expect(heading).to_have_text("Something <b>new</b>")
    expect(heading).to_have_css("font-size", "26px")


def test_operator_makes_and_publishes_a_page_by_keyboard(signed_in: Page, keyboard, db):
    factories.make_brand(name="Shop")
    signed_in.goto("/console/pages/new/")

    keyboard.write("Name", "Way out")
    keyboard.tick("Opt-out from everything")
    keyboard.choose(re.compile("Brand"), "Shop")
    keyboard.press("Make the draft")
    keyboard.is_told("as a draft")
    keyboard.unfold("Publish")
    signed_in.get_by_role("button", name="Publish").press("Enter")

    keyboard.is_told("is online")
    assert LandingPage.objects.get().state == "published"
