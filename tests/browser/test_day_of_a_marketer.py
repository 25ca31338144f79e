"""A marketer's day: a delivery from its label to its log, and somebody else's yes."""

import csv
import re
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from delivery.models import ConsoleAction, Delivery, Message
from delivery.roles import Role
from delivery.states import DeliveryStatus, MessageStatus
from tests import factories
from tests.browser.conftest import heading_is, make_account, run_worker, sign_in
from tests.delivery.sending_stage import send_once_by_settings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("mail_folder"),
]

WRITTEN = (
    "<p>Hello {{ profile.first_name }}, spring is here.</p>"
    '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'
)


@pytest.fixture
def people(db) -> None:
    """Three who are reached, and one for each of three reasons who is not."""
    for number, name in enumerate(("Anna", "Bo", "Åsa"), start=1):
        factories.make_profile(
            external_id=f"P-{number}",
            first_name=name,
            email=f"p{number}@example.com",
            language="en",
        )
    factories.make_opt_out(profile=factories.make_profile(external_id="P-7"))
    factories.make_profile(external_id="P-8", email="gone@example.com")
    factories.make_quarantined_address(value="gone@example.com")
    factories.make_profile(external_id="P-9", email=None, sms="+46701740605")


def test_marketer_prepares_and_a_sender_says_yes(page: Page, people: None) -> None:
    make_account("maria", Role.MARKETER)
    make_account("sven", Role.SENDER)

    sign_in(page, "maria")
    writes(page)
    analyses(page)
    sees_why_one_is_excluded(page)
    sees_it_as_a_person_does(page)
    cannot_confirm(page)
    page.get_by_role("button", name="Sign out").click()

    sign_in(page, "sven")
    confirms(page)
    page.get_by_role("button", name="Sign out").click()
    send_once_by_settings()

    sign_in(page, "maria")
    sees_that_it_went(page)
    downloads_a_report(page)

    [confirmed] = ConsoleAction.objects.filter(action="delivery_confirm")
    assert confirmed.actor == "sven"


def writes(page: Page) -> None:
    page.get_by_role("link", name="Deliveries", exact=True).first.click()
    page.get_by_role("link", name="New delivery").first.click()
    page.get_by_label("Label").fill("Spring")
    page.get_by_role("button", name="Create delivery").click()
    heading_is(page, "Spring")
    page.get_by_role("link", name="Write the content").click()
    heading_is(page, "Content")
    page.get_by_label("Subject").fill("Spring, {{ profile.firstname }}")
    page.get_by_label("HTML").fill(WRITTEN)
    page.get_by_role("button", name="Save").click()
    # A slip in a merge field is told at once, and what was written is kept.
    expect(page.locator("main")).to_contain_text("profile.firstname")
    page.goto(f"/console/deliveries/{Delivery.objects.get().pk}/content/")
    page.get_by_label("Subject").fill("Spring, {{ profile.first_name }}")
    page.get_by_label("address is in the content").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Analyse it next")
    page.get_by_role("link", name="Spring", exact=True).click()


def analyses(page: Page) -> None:
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_text("Waits for the worker. If")).to_be_visible()
    run_worker()
    # The page finds out by itself.
    expect(page.get_by_text("6 targeted = 3 to send + 3 excluded")).to_be_visible()


def sees_why_one_is_excluded(page: Page) -> None:
    page.get_by_role("link", name="Exclusion log").first.click()
    page.get_by_label("Outcome").select_option(label="Excluded")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.get_by_role("row", name="P-8")).to_contain_text("Quarantine")
    page.get_by_role("link", name="Spring", exact=True).click()


def sees_it_as_a_person_does(page: Page) -> None:
    page.get_by_role("link", name="Preview and proofs").first.click()
    page.get_by_label("External id").fill("P-3")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Spring, Åsa")).to_be_visible()
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("Hello Åsa")
    page.get_by_label("Test addresses").fill("maria@example.com")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("1 proof was handed over")
    expect(page.get_by_role("heading", name="Spring, Åsa")).to_be_visible()
    expect(page.get_by_role("row", name="m•••@example.com")).to_contain_text("maria")
    assert len(mails()) == 1
    page.get_by_role("link", name="Spring", exact=True).click()


def mails() -> list[Path]:
    return [each for each in settings.MAIL_DIR.rglob("*") if each.is_file()]


def cannot_confirm(page: Page) -> None:
    heading_is(page, "Spring")
    expect(page.get_by_role("link", name="Check and confirm")).to_have_count(0)
    expect(page.get_by_role("region", name="Next: Confirm")).to_contain_text("sender")
    answer = page.request.get(f"{page.url}confirm/")
    assert answer.status == 403


def confirms(page: Page) -> None:
    # The home page says what waits for a yes.
    page.locator(".tasks").get_by_role("link", name="Spring").click()
    heading_is(page, "Confirm")
    expect(page.locator("main")).to_contain_text("3 messages are sent")
    for each in page.locator("main [name=accepted]").all():
        each.check()
    page.get_by_role("button", name="Confirm and send").click()
    expect(page.get_by_role("status").first).to_contain_text("is confirmed")
    assert Delivery.objects.get().status == DeliveryStatus.CONFIRMED


def sees_that_it_went(page: Page) -> None:
    assert len(mails()) == 1 + 3
    sent = Message.objects.filter(status=MessageStatus.SENT)
    assert sent.count() == 3
    page.get_by_role("link", name="Deliveries", exact=True).first.click()
    page.get_by_role("link", name="Spring").click()
    expect(page.locator("main")).to_contain_text("Finished")
    page.get_by_role("link", name="Sending log").first.click()
    heading_is(page, "Sending log")
    page.get_by_label("Status").select_option(label="Sent")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(3)


def downloads_a_report(page: Page) -> None:
    page.get_by_role("link", name="Reports", exact=True).first.click()
    page.get_by_role("link", name=re.compile("^Exclusions")).first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("CSV")).first.click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)
    told = {name: row[name] for name in ("Delivery", "Targeted", "To send", "Excluded")}
    assert list(told.values()) == ["Spring", "6", "3", "3"]
