"""Every page of the console: for everybody, on any screen, in both languages.

AXE_ALL=1 (`make axe-all`) looks at each page in both languages, light and dark, on a
telephone and on a desk; without it at each page once, taking turns.
"""

import os
from itertools import product

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from campaign import acts
from delivery.models import Delivery
from optout.models import LandingPage, Service
from profiles.models import Profile
from tests import test_roles
from tests.browser.conftest import axe_findings, speak
from tests.browser.test_pages import CUT_OFF, LONG
from tests.test_roles import path_of
from tests.test_weight import LOOKS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

world = test_roles.world
# Parts of pages, and what is shown inside a frame: their pages are looked at.
PARTS = {
    "admin:autocomplete",
    "admin:jsi18n",
    "delivery_progress",
    "landing_page_frame",
    "on_their_way",
    "preview_frame",
    "sending_progress",
    "upload_progress",
}
PAGES = [name for name in LOOKS if name not in PARTS and not name.endswith("_csv")]
LANGUAGES = ["en", "sv"]
SCHEMES = ["light", "dark"]
WIDTHS = [360, 1280]
ROOT = """() => [document.documentElement.lang, document.title,
    document.querySelectorAll('h1').length]"""


@pytest.fixture
def long_world(world: dict[str, int | str], operator: User) -> dict[str, int | str]:
    """Give the things that pages are about long names, and the operator every right."""
    operator.is_staff = operator.is_superuser = True
    operator.save()
    Delivery.objects.update(label=LONG)
    LandingPage.objects.update(name=LONG)
    Service.objects.update(label=LONG)
    Profile.objects.update(first_name=LONG, city=LONG)
    return world


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_accessible_and_fits(signed_in, long_world, live_server, language):
    speak(signed_in, language, live_server)

    found = []
    for number, name in enumerate(PAGES):
        looks = looks_at(number, language)
        if looks:
            signed_in.goto(path_of(name, long_world))
        for scheme, width in looks:
            found += troubles(signed_in, f"{name}, {scheme}, {width}", scheme, width)
        if looks:
            found += root_troubles(signed_in, name, language)

    assert found == [], "\n".join(found)


def looks_at(number: int, language: str) -> list[tuple[str, int]]:
    """List how a page is looked at in one language."""
    looks = list(product(SCHEMES, WIDTHS))
    if "AXE_ALL" in os.environ:
        return looks
    turn, is_swedish = divmod(number, 2)
    return [looks[turn % 4]] if is_swedish == (language == "sv") else []


def troubles(page: Page, what: str, scheme: str, width: int) -> list[str]:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 740})
    found = [f"{what}: {each}" for each in axe_findings(page)]
    return found + [f"{what}: {each} is cut off" for each in page.evaluate(CUT_OFF)]


def root_troubles(page: Page, name: str, language: str) -> list[str]:
    """List what is wrong with the language, the title and the heading of a page."""
    lang, title, headings = page.evaluate(ROOT)
    wrong = [] if lang == language else [f"{name} is in {lang}"]
    wrong += [] if len(title) > len(" – Campaign") else [f"{name} has no title"]
    return wrong + ([] if headings == 1 else [f"{name} has {headings} h1"])


def test_every_page_that_is_looked_at_is_a_door() -> None:
    assert set(acts.DOORS) >= {*PAGES, *PARTS}
    assert len(PAGES) > 60
