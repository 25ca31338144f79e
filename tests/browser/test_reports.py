"""The reports in a browser: rules of accessibility, both schemes, small screens."""

import pytest

from tests.browser.conftest import findings, speak
from tests.delivery.report_world import make_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATHS = [
    "/console/reports/",
    "/console/reports/exclusions/",
    "/console/reports/bounces/",
    "/console/reports/opt-outs/?days=90",
    "/console/reports/services/",
    "/console/reports/throughput/",
]
CUT_OFF = """() => [document.documentElement, ...document.querySelectorAll(".card")]
    .filter(each => each.scrollWidth > each.clientWidth)
    .map(each => each.className || each.tagName)"""
# A pattern that is not found leaves its bars unpainted.
UNPAINTED = """() => [...document.querySelectorAll("main [fill]")]
    .map(each => each.getAttribute("fill").slice(5, -1))
    .filter(id => document.getElementById(id)?.tagName !== "pattern")"""


@pytest.fixture
def world(db, operator):
    return make_world(label="A-delivery-whose-label-goes-on-and-on-without-a-space")


@pytest.mark.parametrize("language", ["en", "sv"])
def test_axe_finds_nothing_in_any_report(signed_in, world, live_server, language):
    speak(signed_in, language, live_server)

    found = []
    for path in [*PATHS, "/console/reports/bounces/?channel=fax"]:
        assert signed_in.goto(path).status == 200, path
        found += findings(signed_in)
        assert signed_in.evaluate(UNPAINTED) == []

    assert found == []


@pytest.mark.parametrize("width", [320, 360, 768, 1024, 1280])
def test_no_report_is_cut_off(signed_in, world, width):
    signed_in.set_viewport_size({"width": width, "height": 740})

    wide = []
    for path in PATHS:
        signed_in.goto(path)
        cut = signed_in.evaluate(CUT_OFF)
        wide += [f"{path}: {cut}"] if cut else []

    assert wide == []


def test_report_is_narrowed_and_its_file_taken_by_keyboard(
    signed_in, world, keyboard, live_server
):
    signed_in.goto("/console/reports/")
    keyboard.open("Bounces", link="Bounces")
    keyboard.choose("Period", "Last 7 days")
    keyboard.press("Show")
    signed_in.wait_for_url("**/bounces/?days=7*")

    with signed_in.expect_download() as download:
        keyboard.press("Download as CSV: By domain", role="link")

    text = download.value.path().read_text("utf-8")
    assert text.splitlines()[1] == "example.com,1,0,0,1,1"
