"""The frame around every page: the drawer of the navigation, the records."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect

from tests.browser.conftest import findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def session_of(user: User, url: str) -> dict[str, str]:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}


def test_navigation_opens_by_keyboard_without_scripts(browser, live_server, operator):
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": 360, "height": 740},
        java_script_enabled=False,
    )
    context.add_cookies([session_of(operator, live_server.url)])
    page = context.new_page()
    page.goto("/console/")
    link = page.get_by_role("link", name="Landing pages")
    expect(link).to_be_hidden()

    page.get_by_role("button", name="Menu").press("Enter")
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    context.close()


def test_axe_finds_nothing_in_the_open_drawer(signed_in):
    signed_in.set_viewport_size({"width": 360, "height": 740})
    signed_in.goto("/console/")
    signed_in.get_by_role("button", name="Menu").click()

    assert findings(signed_in) == []


# Of forms that choose among many, Django's own script labels icons as axe forbids.
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(
    "path", ["", "auth/user/", "auth/user/add/", "optout/consentevent/"]
)
def test_axe_finds_nothing_in_the_records(context, live_server, db, path, width):
    chief = User.objects.create_superuser("chief", password="x")
    context.add_cookies([session_of(chief, live_server.url)])
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(f"/console/admin/{path}")

    assert findings(page) == []
