"""An operator's day: what waits, a call, an address, a file, and a wrong door."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from delivery.inbound import triage
from delivery.models import ConsoleAction, Inbound, InboundKind
from delivery.roles import Role
from optout.models import OptOut
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Status
from tests import factories
from tests.browser.conftest import heading_is, make_account, run_worker, sign_in
from tests.delivery.sending_stage import make_confirmed, send_once_by_settings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("mail_folder"),
]

REPLY = (
    b"From: Anna <anna@example.com>\nSubject: Re: Spring\n"
    b"Content-Type: text/plain; charset=utf-8\n\nNever again, please.\n"
)


@pytest.fixture
def anna(db) -> Profile:
    return factories.make_profile(
        external_id="P-1", first_name="Anna", email="anna@example.com"
    )


@pytest.fixture
def bo(db) -> Profile:
    return factories.make_profile(
        external_id="P-2", first_name="Bo", email="bo@example.com", sms="+46701740605"
    )


def test_operator_keeps_what_people_said(
    page: Page, anna: Profile, bo: Profile, tmp_path: Path
) -> None:
    make_account("olga", Role.OPERATOR)
    make_confirmed(label="Spring")
    send_once_by_settings()
    answered(anna)
    factories.make_quarantined_address(value="bo@example.com")

    sign_in(page, "olga")
    decides_about_a_reply(page, anna)
    answers_who_calls(page, bo)
    takes_the_address_out_of_quarantine(page)
    tries_a_list_of_dead_addresses(page, tmp_path)
    finds_closed_what_is_not_theirs(page)

    done = ConsoleAction.objects.filter(actor="olga", outcome="done")
    assert {"triage_decide", "opt_outs", "quarantine_release", "upload_new"} <= set(
        done.values_list("action", flat=True)
    )


def answered(anna: Profile) -> None:
    """Let a reply of Anna to her message wait for a person."""
    now = timezone.now()
    inbound = Inbound.objects.create(
        kind=InboundKind.MAIL,
        source="imap",
        key="m",
        raw=REPLY,
        received_at=now - timedelta(hours=1),
        profile_id=anna.pk,
    )
    triage.add(inbound, is_suspected_stop=True, now=now)


def decides_about_a_reply(page: Page, anna: Profile) -> None:
    page.locator(".tasks").get_by_role("link", name="to decide about").click()
    expect(page.locator("main")).to_contain_text("Never again, please.")
    page.get_by_role("button", name="Stop everything").click()
    expect(page.get_by_role("status").first).to_be_visible()
    assert OptOut.objects.get(profile=anna).channel == ANY_CHANNEL
    expect(page.locator("article")).to_have_count(0)


def answers_who_calls(page: Page, bo: Profile) -> None:
    page.goto("/console/")
    page.get_by_label("Find a person").fill("bo@example.com")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Bo", exact=True).first.click()
    heading_is(page, "Bo")
    expect(page.locator("main")).to_contain_text("Spring")
    page.get_by_label("SMS", exact=True).check()
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("status").first).to_contain_text("Saved")
    assert OptOut.objects.get(profile=bo).channel == Channel.SMS
    # Which the page then tells, with who did it.
    expect(page.locator("main")).to_contain_text("olga")


def takes_the_address_out_of_quarantine(page: Page) -> None:
    page.get_by_role("link", name="Quarantine", exact=True).first.click()
    page.get_by_label("Release bo@example.com").check()
    page.get_by_label("Reason for the release").fill("Called: the mailbox is back")
    page.get_by_role("button", name="Release the ticked addresses").click()
    expect(page.get_by_role("status").first).to_contain_text("eleased")
    assert QuarantinedAddress.objects.get().status == Status.VALID


def tries_a_list_of_dead_addresses(page: Page, folder: Path) -> None:
    path = folder / "dead.csv"
    path.write_text(
        "channel,address,status,reason\nemail,dead@example.com,quarantine,\nemail,@,,\n",
        encoding="utf-8",
    )
    page.get_by_role("link", name="Uploads", exact=True).first.click()
    page.get_by_role("link", name="Upload a file").first.click()
    page.get_by_label("Quarantined addresses").check()
    page.get_by_label("File", exact=True).set_input_files(path)
    # An operator tries files; compliance has them written.
    expect(page.get_by_label("Dry run")).to_be_checked()
    page.get_by_role("button", name="Upload").click()
    heading_is(page, "dead.csv")
    run_worker()
    # The page finds out by itself, and the bad row cost only itself.
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report of failed rows").click()
    assert len(Path(download.value.path()).read_text("utf-8-sig").splitlines()) == 2
    assert QuarantinedAddress.objects.excluding().count() == 0


def finds_closed_what_is_not_theirs(page: Page) -> None:
    for path in ("/console/account/actions/", "/console/deliveries/new/"):
        assert page.request.get(path).status == 403
