"""A real browser in front of a live server, watched for errors, used by keyboard."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from delivery.roles import Role

LONGEST_WAY = 250  # presses of Tab


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": os.environ.get("CHROMIUM", "/usr/bin/chromium"),
        "args": ["--no-sandbox"],
    }


@pytest.fixture
def context(browser: Browser, live_server) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": 1280, "height": 800},
        accept_downloads=True,
        locale="en-GB",
    )
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails its test when the browser or the server complains."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda message: (
            complaints.append(f"{page.url}: {message.text}")
            if message.type in {"error", "warning"}
            else None
        ),
    )
    page.on(
        "response",
        lambda response: (
            complaints.append(f"{response.url}: {response.status}")
            if response.status >= 500
            else None
        ),
    )
    yield page
    assert complaints == []


@pytest.fixture
def signed_in(page: Page, context: BrowserContext, operator, live_server) -> Page:
    """The page of an operator who signed in before."""
    client = Client()
    client.force_login(operator, "django.contrib.auth.backends.ModelBackend")
    cookie = client.cookies["sessionid"].value
    context.add_cookies(
        [{"name": "sessionid", "value": cookie, "url": live_server.url}]
    )
    return page


class Keyboard:
    """What a person can do who has no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, target: Locator) -> None:
        """Press Tab until the target has the focus, which must be visible."""
        for _ in range(LONGEST_WAY):
            if target.evaluate("element => element === document.activeElement"):
                expect(target).to_be_in_viewport()
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} cannot be reached by Tab")

    def press(self, name: str, *, role: str = "button") -> None:
        target = self.page.get_by_role(role, name=name, exact=True)
        self.reach(target.first)
        self.page.keyboard.press("Enter")

    def open(self, heading: str, *, link: str) -> None:
        """Follow a link and wait for the page with this heading."""
        self.press(link, role="link")
        self.sees(heading)

    def unfold(self, summary: str) -> None:
        self.reach(self.page.locator("summary", has_text=summary))
        self.page.keyboard.press("Enter")

    def write(self, label: str | re.Pattern[str], text: str) -> None:
        self.reach(self.page.get_by_label(label, exact=isinstance(label, str)).first)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, label: str | re.Pattern[str], option: str) -> None:
        """Choose in a list by typing the beginning of the option."""
        labelled = self.page.get_by_label(label, exact=isinstance(label, str))
        target = labelled.and_(self.page.locator("select")).first
        self.reach(target)
        self.page.keyboard.type(option)
        chosen = target.evaluate("list => list.selectedOptions[0].text")
        assert chosen.startswith(option), f"{option} was typed, {chosen} is chosen"

    def tick(self, label: str | re.Pattern[str]) -> None:
        self.reach(self.page.get_by_label(label, exact=isinstance(label, str)).first)
        self.page.keyboard.press("Space")

    def sees(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)

    def is_told(self, message: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("status").first).to_contain_text(message)


@pytest.fixture
def keyboard(page: Page) -> Keyboard:
    return Keyboard(page)


def run_worker() -> None:
    """Let the worker do what is due, as `manage.py work --once` does."""
    call_command("work", once=True)


@pytest.fixture
def mail_folder(settings, tmp_path: Path) -> None:
    """Let mail go to a folder of the test, as it does where no server is named."""
    settings.MAIL_DIR = tmp_path / "mail"


PASSWORD = "a-long-passphrase"


def make_account(name: str, role: Role) -> User:
    """Make an account with one of the shipped roles."""
    user = User.objects.create_user(name, password=PASSWORD)
    user.groups.add(Group.objects.get(name=role.value))
    return user


def sign_in(page: Page, name: str) -> None:
    page.goto("/console/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    heading_is(page, "Home")


def heading_is(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def speak(page, language, live_server):
    page.context.add_cookies(
        [{"name": "django_language", "value": language, "url": live_server.url}]
    )


def findings(page) -> list[str]:
    """List what axe finds on the page, light and then dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{page.url}, {scheme}: {each}" for each in axe_findings(page)]
    return found


def axe_findings(page) -> list[str]:
    """List what axe finds on the page as it is; it need not load stylesheets anew."""
    return [
        f"{each['id']} {node['target']}"
        for each in Axe().run(page, options={"preload": False}).response["violations"]
        for node in each["nodes"]
    ]
