"""The file of a delivery in a browser: fetched by keyboard, whole on any screen."""

import hashlib
from pathlib import Path

import pytest
from django.utils import timezone

from delivery import extraction
from delivery.models import Delivery, Extraction
from profiles.channels import Channel
from tests import factories
from tests.browser.conftest import findings, speak
from tests.browser.test_pages import CUT_OFF, LANGUAGES, WIDTHS
from tests.delivery.extraction_stage import handed_over, make_file, make_person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def delivery(db) -> Delivery:
    for number in range(3):
        make_person(f"P-{number}", first_name="Åsa")
    return make_file(label="Catalogue", text="Dear {{ profile.first_name }}")


def test_file_is_fetched_by_keyboard(signed_in, keyboard, delivery):
    signed_in.goto(f"/console/deliveries/{delivery.pk}/")
    keyboard.sees("Catalogue")

    with signed_in.expect_download() as download:
        keyboard.press("Download")

    content = Path(download.value.path()).read_bytes()
    assert hashlib.sha256(content).hexdigest() == Extraction.objects.get().sha256
    assert download.value.suggested_filename == (
        f"delivery-{delivery.pk}-direct_mail.csv"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_whole_and_accessible_in_every_state(
    signed_in, delivery, live_server, language, settings
):
    speak(signed_in, language, live_server)
    page = f"/console/deliveries/{delivery.pk}/"
    found = look(signed_in, page)
    handed_over(delivery, by="a-name-that-goes-on-and-on@example.com")
    found += look(signed_in, page)
    extraction.purge(now=timezone.now() + 2 * settings.EXTRACTION_RETENTION)
    found += look(signed_in, page)
    draft = factories.make_delivery(channel=Channel.DIRECT_MAIL)
    found += look(signed_in, f"/console/deliveries/{draft.pk}/content/")

    assert found == []


def look(page, path: str) -> list[str]:
    """List what axe finds on a page, and what is cut off on a screen of each width."""
    page.goto(path)
    found = findings(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        found += [f"{path} at {width}: {each}" for each in page.evaluate(CUT_OFF)]
    return found
