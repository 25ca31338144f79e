"""What operators do, each by keyboard alone."""

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from delivery.models import Delivery
from optout.models import ConsentEvent, OptOut
from profiles.channels import ANY_CHANNEL, Channel
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Source, Status
from tests import factories
from tests.browser.conftest import run_worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_operator_signs_in_and_out(page, keyboard, operator):
    page.goto("/console/")
    keyboard.sees("Sign in")
    keyboard.write("Username", "operator")
    keyboard.write("Password", "a-long-passphrase")
    page.keyboard.press("Enter")

    keyboard.sees("Home")
    keyboard.press("Sign out")
    keyboard.sees("Sign in")


def test_wrong_password_is_answered_with_a_sentence(page, keyboard, operator):
    page.goto("/console/sign-in/")
    keyboard.write("Username", "operator")
    keyboard.write("Password", "wrong")
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("username and password")


def test_skip_link_leads_past_the_navigation(signed_in, keyboard):
    signed_in.goto("/console/")
    keyboard.press("Skip to the content", role="link")

    expect(signed_in.locator("#main")).to_be_focused()


def test_operator_opts_a_person_out_and_in_again(signed_in, keyboard):
    profile = factories.make_profile(external_id="P-1", first_name="Anna")
    signed_in.goto(f"/console/profiles/{profile.pk}/")
    keyboard.tick("Email")
    keyboard.press("Save")
    keyboard.is_told("Saved")
    assert OptOut.objects.get().channel == Channel.EMAIL

    keyboard.tick("Email")
    keyboard.unfold("Reason and evidence")
    keyboard.choose(re.compile("^Reason"), "The person asked by email")
    keyboard.write(re.compile("^Evidence"), "Mail of 3 March, case 42")
    keyboard.press("Save")
    keyboard.is_told("Saved")

    assert not OptOut.objects.exists()
    assert ConsentEvent.objects.count() == 2


def test_lifting_without_evidence_is_refused(signed_in, keyboard, opted_out_profile):
    signed_in.goto(f"/console/profiles/{opted_out_profile.pk}/")
    keyboard.tick("Every channel")
    keyboard.press("Save")

    expect(signed_in.locator(".field-error").first).to_be_visible()
    assert OptOut.objects.get().channel == ANY_CHANNEL


def test_operator_adds_an_address_and_releases_it(signed_in, keyboard):
    signed_in.goto("/console/")
    keyboard.open("Quarantine", link="Quarantine")
    keyboard.open("Add an address", link="Add an address")
    keyboard.write("Address", "Gone@Example.com")
    keyboard.choose("Status", "Quarantine")
    keyboard.press("Save")
    keyboard.is_told("Saved: Gone@Example.com is now")
    assert QuarantinedAddress.objects.get().status == Status.QUARANTINE

    signed_in.goto("/console/quarantine/")
    keyboard.tick("Release Gone@Example.com")
    keyboard.write("Reason for the release", "The mailbox is back")
    keyboard.press("Release the ticked addresses")
    keyboard.is_told("eleased")

    assert QuarantinedAddress.objects.get().status == Status.VALID


def test_operator_releases_an_incident_and_undoes_it(signed_in, keyboard, settings):
    settings.QUARANTINE_OUTAGE_ERRORS = 3
    now = timezone.now().replace(second=0) - timedelta(days=1)
    for number in range(3):
        factories.make_quarantined_address(
            value=f"p{number}@example.net", last_error_at=now
        )
    QuarantinedAddress.objects.update(source=Source.BOUNCE)
    signed_in.goto("/console/quarantine/")
    keyboard.open("Incidents", link="Incidents")
    keyboard.open("Release an incident", link="Preview example.net")
    keyboard.write("Reason for the release", "Their server was moved")
    keyboard.press("Release these addresses")
    keyboard.is_told("3 addresses were released.")
    assert not QuarantinedAddress.objects.excluding().exists()

    keyboard.press("Undo the release")
    keyboard.is_told("3 addresses are in quarantine again.")

    assert QuarantinedAddress.objects.excluding().count() == 3


def test_operator_blocks_a_domain(signed_in, keyboard):
    signed_in.goto("/console/quarantine/")
    keyboard.open("Blocked domains", link="Blocked domains")
    keyboard.write("Domain", "closed.example.net")
    keyboard.press("Block")

    keyboard.is_told("closed.example.net")


def test_operator_analyses_a_delivery(signed_in, keyboard):
    factories.make_profile(external_id="P-1")
    excluded = factories.make_profile(external_id="P-2")
    factories.make_opt_out(profile=excluded)
    signed_in.goto("/console/deliveries/")
    keyboard.open("New delivery", link="New delivery")
    keyboard.write("Label", "Spring")
    keyboard.press("Create delivery")
    keyboard.sees("Spring")
    keyboard.press("Analyse")
    expect(signed_in.get_by_text("Waits for the worker")).to_be_visible()

    run_worker()
    signed_in.goto(f"/console/deliveries/{Delivery.objects.get().pk}/")

    expect(signed_in.get_by_text("2 targeted = 1 to send + 1 excluded")).to_be_visible()
    expect(signed_in.get_by_role("button", name="Analyse again")).to_be_visible()


@pytest.fixture
def analysed_delivery(db):
    for number in range(1, 4):
        factories.make_profile(external_id=f"P-{number}")
    excluded = factories.make_profile(external_id="P-9")
    factories.make_opt_out(profile=excluded)
    return factories.make_analysed_delivery(label="Spring")


def test_operator_filters_the_log_and_downloads_it(
    signed_in, keyboard, analysed_delivery
):
    signed_in.goto(f"/console/deliveries/{analysed_delivery.pk}/")
    keyboard.open("Exclusion log", link="Exclusion log")
    keyboard.choose("Outcome", "Excluded")
    keyboard.press("Show")
    expect(signed_in.get_by_role("link", name="Show everybody")).to_be_visible()
    expect(signed_in.locator("tbody tr")).to_have_count(1)

    with signed_in.expect_download() as download:
        keyboard.press("Download as CSV", role="link")

    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)
    assert row["external_id"] == "P-9"
    assert row["reason"] == "opted_out_any"


def test_operator_asks_why_a_person_is_not_reached(
    signed_in, keyboard, analysed_delivery
):
    signed_in.goto(f"/console/deliveries/{analysed_delivery.pk}/")
    keyboard.open("Why is or isn’t this person", link="Explain one person")
    keyboard.write("External id", "P-9")
    keyboard.press("Explain")

    expect(signed_in.get_by_text("would not reach this person")).to_contain_text(
        "Opted out of every channel"
    )
    row = signed_in.get_by_role("row", name="Opted out of every channel")
    expect(row).to_contain_text("Excludes")
    expect(row).to_contain_text("lifts the opt-out")


def test_operator_uploads_profiles(signed_in, keyboard, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("external_id,email\nP-1,anna@example.com\n,\n", encoding="utf-8")
    signed_in.goto("/console/uploads/")
    keyboard.open("Upload a file", link="Upload a file")
    keyboard.tick("Profiles")
    chooser = signed_in.get_by_label("File", exact=True)
    keyboard.reach(chooser)
    # The system's own dialogue is beyond the page.
    chooser.set_input_files(path)
    keyboard.press("Upload")
    keyboard.sees("people.csv")

    run_worker()
    signed_in.reload()

    expect(signed_in.get_by_role("heading", name="What happened")).to_be_visible()
    expect(
        signed_in.get_by_role("link", name="Download the report of failed rows")
    ).to_be_visible()


def test_language_is_changed_on_the_page(signed_in, keyboard):
    signed_in.goto("/console/quarantine/")
    keyboard.press("Svenska")

    expect(signed_in.locator("html")).to_have_attribute("lang", "sv")
    keyboard.press("English")
    expect(signed_in.locator("html")).to_have_attribute("lang", "en")
