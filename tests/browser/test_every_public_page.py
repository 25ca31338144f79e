"""Every public page: in each language, for everybody, and left alone by programs.

AXE_ALL=1 (`make axe-all`) looks at all languages, widths and schemes; without it at
English on two widths, and at the others on one.
"""

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import timezone

from optout import confirmation, page_defaults, stopping, tokens
from optout.models import Brand, LandingPage, OptOut, Service, SignUp
from optout.models.pages import WAYS_OUT, PageType
from optout.page_content import FieldName, OfferedField
from optout.tokens import Link, Purpose
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories
from tests.browser.conftest import findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_BYTES = 14_000
LANGUAGES = [code for code, _name in settings.LANGUAGES]
WIDTHS = [320, 768, 1280]
CUT_OFF = "() => document.documentElement.scrollWidth > window.innerWidth"
LOOKS = [
    (language, width)
    for language in LANGUAGES
    for width in WIDTHS
    if "AXE_ALL" in os.environ
    or (width == 320 and language != "en")
    or (width != 768 and language == "en")
]


@pytest.fixture
def profile(db) -> Profile:
    return factories.make_profile(email="jane@example.org", sms="+46701740605")


@pytest.fixture
def service(profile) -> Service:
    service = factories.make_service(name="news", public_name="News", is_open=True)
    for language in LANGUAGES[1:]:
        service.texts.create(language=language, public_name=f"News {language}")
    factories.make_subscription(profile=profile, service=service)
    return service


@pytest.fixture
def places(profile, service) -> dict[str, str]:
    """Give the address of every public page by its name."""
    now = timezone.now()

    def link(purpose: Purpose, path: str, **fields: object) -> str:
        about = {"made_at": now, "channel": Channel.EMAIL} | fields
        token = tokens.make(Link(profile_id=profile.pk, **about), purpose)
        return f"/{path}/{token}"

    sign_up = SignUp.objects.create(
        address="new@example.org",
        digest=profile.addresses.first().digest,
        service_ids=[service.pk],
    )
    confirm = confirmation.url_of(sign_up).removeprefix(settings.PUBLIC_BASE_URL)
    return {
        "one click": link(Purpose.ONE_CLICK, "u"),
        "stop": link(Purpose.STOP, "stop"),
        "stop a service": link(Purpose.STOP, "stop", service_id=service.pk),
        "preferences": link(Purpose.PREFERENCES, "p"),
        "old preferences": link(
            Purpose.PREFERENCES, "p", made_at=now - timedelta(days=100)
        ),
        "confirm": confirm,
        "join": "/join/news",
        "stop by address": "/stop",
        "mail my link": "/link",
    }


@pytest.fixture
def landing_pages(profile, service) -> dict[str, str]:
    """Give the address of a landing page of each type, in every language."""
    found = {}
    for page_type in PageType:
        # Who leaves is asked for nothing.
        asks = page_type not in WAYS_OUT
        agreements = ("I agree.",) if asks else ()
        texts = {
            each: replace(page_defaults.texts(page_type, each), agreements=agreements)
            for each in LANGUAGES
        }
        page = factories.make_landing_page(
            page_type=page_type,
            name=page_type,
            brand=Brand.objects.first(),
            is_published=True,
            languages=texts,
            agreement_count=len(agreements),
            services=() if page_type == PageType.DENYLIST else (service.pk,),
            fields=tuple(OfferedField(each) for each in FieldName) if asks else (),
        )
        link = Link(profile.pk, Channel.EMAIL, timezone.now())
        token = tokens.make(link, Purpose.PREFERENCES)
        found[page_type.value] = f"/page/{page.public_id}/{token}"
        if page.published_version.read().is_for_anybody:
            found[f"{page_type}, anybody"] = f"/page/{page.public_id}"
    return found


@pytest.fixture
def own_page(profile) -> str:
    """Give the address of a landing page with the link of a person."""
    page = factories.make_landing_page(
        page_type=PageType.PREFERENCES,
        is_published=True,
        channels=(Channel.EMAIL, Channel.SMS),
    )
    link = Link(profile.pk, Channel.EMAIL, timezone.now())
    return f"/page/{page.public_id}/{tokens.make(link, Purpose.PREFERENCES)}"


def everything() -> dict[str, list[object]]:
    """Give every row of our own tables."""
    return {
        model._meta.label: list(model.objects.order_by("pk").values())
        for name in ("profiles", "optout", "quarantine", "delivery")
        for model in apps.get_app_config(name).get_models()
    }


def test_from_link_to_out_is_one_press_without_scripts(
    browser, live_server, profile, places, signed_in
):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(places["stop"])
    page.wait_for_timeout(1100)
    assert not OptOut.objects.exists()
    page.get_by_role("button").click()

    assert page.get_by_role("heading", level=1).inner_text() == "You are out"
    signed_in.goto(f"/console/profiles/{profile.pk}/")
    assert signed_in.get_by_label("Email", exact=True).is_checked()
    delivery = factories.make_analysed_delivery(now=timezone.now())
    assert delivery.current_analysis.excluded_counts["opted_out_channel"] == 1
    context.close()


def test_looking_with_scripts_on_changes_and_tells_nothing(
    page, context, live_server, places, own_page
):
    before = everything()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in [*places.values(), own_page]:
        assert page.goto(path).status == 200
        page.wait_for_timeout(1500)

    assert everything() == before
    assert context.cookies() == []
    assert [url for url in asked if not url.startswith(live_server.url)] == []


def test_stop_is_reached_by_keyboard_in_three_presses(page, places):
    page.goto(places["stop"])
    page.wait_for_timeout(1100)
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    page.keyboard.press("Enter")
    assert page.get_by_role("heading", level=1).inner_text() == "You are out"


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_page_is_accessible_and_fits(browser, live_server, places, language, width):
    context = browser.new_context(base_url=live_server.url, locale=language)
    # As somebody whose profile says nothing else.
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    found = []
    for name, path in places.items():
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        found += findings(page)
        found += [f"{name} is cut off"] if page.evaluate(CUT_OFF) else []
    page.goto("/stop/cut-off")
    found += findings(page)
    context.close()

    assert found == []


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_landing_page_is_accessible_before_and_after(
    browser, live_server, landing_pages, monkeypatch, language, width
):
    # Pressed at once, as no person would.
    monkeypatch.setattr(stopping, "_READING_TIME", timedelta())
    context = browser.new_context(base_url=live_server.url, locale=language)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    found = []

    def look(what: str) -> None:
        assert page.locator("html").get_attribute("lang") == language
        found.extend(findings(page))
        found.extend([f"{what} is cut off"] if page.evaluate(CUT_OFF) else [])

    for name, path in landing_pages.items():
        page.goto(path)
        look(name)
        if page.get_by_label("I agree.").count():
            page.evaluate("document.querySelector('form').noValidate = true")
            page.get_by_role("button").first.click()
            page.get_by_role("alert").wait_for()
            look(f"{name}, refused")
            page.get_by_label("I agree.").check()
        if page.locator("input[type=email]").count():
            page.locator("input[type=email]").fill("new@example.org")
        page.get_by_role("button").first.click()
        page.get_by_label("I agree.").wait_for(state="detached")
        page.locator("input[type=email]").wait_for(state="detached")
        look(f"{name}, done")
    context.close()

    assert found == []


def test_closed_landing_page_is_accessible(browser, live_server, landing_pages):
    LandingPage.objects.update(ends_at=timezone.now() - timedelta(days=1))
    path = landing_pages[f"{PageType.SUBSCRIBE}, anybody"]

    context = browser.new_context(base_url=live_server.url, locale="en")
    page = context.new_page()
    page.goto(path)

    assert page.get_by_text("This page is not open.").is_visible()
    assert findings(page) == []
    context.close()


def test_landing_page_with_its_stylesheet_is_small(browser, live_server, landing_pages):
    sizes = {}
    for name, path in landing_pages.items():
        context = browser.new_context(base_url=live_server.url, locale="fr")
        page = context.new_page()
        answers = []
        page.on("response", lambda answer, found=answers: found.append(answer))
        page.goto(path, wait_until="networkidle")
        sizes[name] = sum(len(each.body()) for each in answers)
        assert len(answers) >= 2
        context.close()

    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}


def test_page_with_its_stylesheet_is_small(page, places):
    sizes = {}
    for name, path in places.items():
        with page.expect_response("**/public.css") as styles:
            document = page.goto(path)
        sizes[name] = len(document.body()) + len(styles.value.body())

    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}
    assert len(sizes) == len(places)
