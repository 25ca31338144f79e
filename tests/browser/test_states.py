"""The states of pages: refused, running, empty, forbidden; checked as the pages are."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from delivery.models import Analysis
from delivery.states import AnalysisStatus
from optout.models import Upload
from optout.models.uploads import UploadKind, UploadStatus
from quarantine.models import QuarantinedAddress
from tests import factories
from tests.browser.conftest import findings, speak

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ERROR = {"en": re.compile("^Error: "), "sv": re.compile("^Fel: ")}
EMPTY = [
    "/console/",
    "/console/profiles/",
    "/console/quarantine/",
    "/console/quarantine/domains/",
    "/console/quarantine/incidents/",
    "/console/quarantine/figures/",
    "/console/quarantine/growth/",
    "/console/deliveries/",
    "/console/uploads/",
]


@pytest.fixture(params=["en", "sv"])
def language(request, page, live_server) -> str:
    speak(page, request.param, live_server)
    return str(request.param)


def test_axe_finds_nothing_where_there_is_nothing(signed_in, language):
    found = []
    for path in EMPTY:
        signed_in.goto(path)
        found += findings(signed_in)

    assert found == []


@pytest.fixture
def running(operator) -> list[str]:
    now = timezone.now()
    ordered = factories.make_delivery(label="Running")
    Analysis.objects.create(
        delivery=ordered,
        status=AnalysisStatus.RUNNING,
        heartbeat_at=now,
        profiles_done=1200,
        profiles_total=5000,
    )
    failed = factories.make_delivery(label="Failed")
    Analysis.objects.create(
        delivery=failed, status=AnalysisStatus.FAILED, error="It has nobody."
    )
    uploads = [
        Upload.objects.create(
            kind=UploadKind.PROFILES,
            file_name="people.csv",
            created_by=operator,
            status=status,
            error="people.csv is empty." if status == UploadStatus.FAILED else "",
        )
        # Running without a worker: interrupted.
        for status in UploadStatus
    ]
    return [
        "/console/",
        f"/console/deliveries/{ordered.pk}/",
        f"/console/deliveries/{failed.pk}/",
        f"/console/deliveries/{failed.pk}/log/",
        f"/console/deliveries/{failed.pk}/explanation/?external_id=nobody",
        "/console/uploads/",
        *[f"/console/uploads/{upload.pk}/" for upload in uploads],
    ]


def test_axe_finds_nothing_while_work_goes_on_or_has_failed(
    signed_in, running, language
):
    found = []
    for path in running:
        signed_in.goto(path)
        found += findings(signed_in)

    assert found == []


@pytest.fixture
def refusals() -> dict[str, Callable[[Page], None]]:
    """Give for each form what is filled in that has to be refused."""
    profile = factories.make_profile(external_id="P-1", email="anna@example.com")
    factories.make_opt_out(profile=profile)
    factories.make_quarantined_address(value="gone@example.com")
    address = QuarantinedAddress.objects.get()
    person = f"/console/profiles/{profile.pk}/"

    def lift(page: Page) -> None:
        page.locator("[name=boxes-channels]").first.uncheck()
        page.locator("form[action*=opt-outs] button").click()

    def quarantine_all(page: Page) -> None:
        page.locator("form[action*=quarantine] button").click()

    def erase(page: Page) -> None:
        page.locator("summary.button-danger").click()
        page.locator("[name=erase-reason]").fill("case 42")
        page.locator("[name=erase-confirmation]").fill("P-2")
        page.locator("form[action*=erase] button").click()

    def add_condition(page: Page) -> None:
        page.locator("[name=label]").fill("Spring")
        page.locator("[value=conditions]").check()
        page.locator("[name=conditions-0-field]").select_option("birth_date")
        page.locator("[name=conditions-0-operator]").select_option("before")
        page.locator("[name=conditions-0-value]").fill("yesterday")
        send(page)

    def add_address(page: Page) -> None:
        page.locator("[name=address]").fill("no address")
        send(page)

    def send(page: Page) -> None:
        page.locator("form[method=post] .button-main").last.click()

    return {
        person: lift,
        f"{person}#quarantine-all": quarantine_all,
        f"{person}#erase": erase,
        "/console/quarantine/add/": add_address,
        f"/console/quarantine/{address.pk}/": send,
        "/console/quarantine/domains/": send,
        "/console/deliveries/new/": add_condition,
        "/console/uploads/new/": send,
    }


def test_refused_form_leads_to_its_error(signed_in, refusals, language):
    found = []
    for path, fill in refusals.items():
        signed_in.goto("about:blank")
        signed_in.goto(path)
        # The server's own answer, not that of the browser.
        signed_in.evaluate("for (const each of document.forms) each.noValidate = true")
        fill(signed_in)
        alert = signed_in.locator(".note-bad[role=alert]")
        expect(alert).to_be_focused()
        expect(alert).to_be_in_viewport()
        expect(signed_in.locator(".field-error").first).to_be_visible()
        expect(signed_in).to_have_title(ERROR[language])
        found += findings(signed_in)

    assert found == []


def test_axe_finds_nothing_where_somebody_may_not_go(
    signed_in, onlooker, operator, language
):
    operator.user_permissions.clear()
    # A page of its own: that these answers are refusals is no complaint.
    page = signed_in.context.new_page()

    found = []
    for path, status in [("/console/quarantine/", 403), ("/console/nowhere/", 404)]:
        assert page.goto(path).status == status
        found += findings(page)

    assert found == []


def test_only_the_chosen_part_of_the_audience_is_shown(signed_in):
    signed_in.goto("/console/deliveries/new/")
    ids = signed_in.get_by_label("External ids", exact=True)
    value = signed_in.get_by_label("Value").first
    expect(ids).to_be_hidden()
    expect(value).to_be_hidden()

    signed_in.get_by_label("A list of external ids").check()
    expect(ids).to_be_visible()

    signed_in.get_by_label("Profiles that meet conditions").check()
    expect(ids).to_be_hidden()
    expect(value).to_be_visible()


def test_analysis_is_stopped_while_it_waits(signed_in, keyboard):
    factories.make_profile(external_id="P-1")
    delivery = factories.make_delivery(label="Spring")
    signed_in.goto(f"/console/deliveries/{delivery.pk}/")
    keyboard.press("Analyse")
    expect(signed_in.get_by_role("progressbar")).to_be_visible()

    keyboard.press("Stop")

    keyboard.is_told("The analysis stops.")
    expect(signed_in.get_by_role("button", name="Analyse")).to_be_visible()
