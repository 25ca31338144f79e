"""The pages for people without a link, in a browser."""

import pytest

from optout import tokens
from optout.tokens import Link, Purpose
from profiles.channels import Channel
from tests import factories
from tests.browser.conftest import findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CUT_OFF = "() => document.documentElement.scrollWidth > window.innerWidth"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("path", ["/stop", "/link"])
def test_asking_without_a_link_is_accessible_and_fits(page, path, width, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    assert findings(page) == []
    assert not page.evaluate(CUT_OFF)
    page.get_by_role("textbox").fill("nonsense")
    page.wait_for_timeout(1100)
    page.get_by_role("button").click()
    assert page.get_by_role("alert").count() == 1
    assert findings(page) == []
    page.get_by_role("textbox").fill("jane@example.org")
    page.wait_for_timeout(1100)
    page.get_by_role("button").click()
    assert page.get_by_role("status").count() == 1
    assert findings(page) == []


@pytest.mark.parametrize("width", [320, 1280])
def test_reason_is_offered_after_the_stop(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    profile = factories.make_profile(email="jane@example.org")
    link = Link(profile.pk, Channel.EMAIL, factories.CREATED_AT)
    page.goto(f"/stop/{tokens.make(link, Purpose.STOP)}")
    page.wait_for_timeout(1100)
    page.get_by_role("button").click()
    assert findings(page) == []
    assert not page.evaluate(CUT_OFF)
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Tell why").click()
    assert page.get_by_text("Thank you for telling us.").is_visible()
    assert page.get_by_role("button", name="Take it back").is_visible()
    assert findings(page) == []
