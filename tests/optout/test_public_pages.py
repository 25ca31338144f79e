"""What is at the address of a landing page, and of its brand."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from optout import logos, pages
from optout.models import LandingPage
from optout.models.pages import PageType
from optout.page_content import Texts
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def test_stylesheet_of_a_brand_is_kept_by_browsers(client: Client):
    brand = factories.make_brand(light_button="#123456")
    url = f"/brands/{brand.pk}-{brand.digest}.css"

    answer = client.get(url)

    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "--accent: #123456;" in answer.content.decode()
    assert "immutable" in answer.headers["Cache-Control"]
    again = client.get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert not answer.cookies


def test_old_address_of_a_stylesheet_gives_the_new_colours(client: Client):
    brand = factories.make_brand()

    answer = client.get(f"/brands/{brand.pk}-0123456789ab.css")

    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get("/brands/99999-0123456789ab.css").status_code == 404


def test_logo_is_given_as_the_picture_it_is(client: Client):
    brand = factories.make_brand()
    brand.set_logo(logos.read(PNG))
    brand.save()

    answer = client.get(f"/brands/{brand.pk}-{brand.digest}.png")

    assert (answer.content, answer.headers["Content-Type"]) == (PNG, "image/png")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_brand_without_logo_has_none(client: Client):
    brand = factories.make_brand()

    assert client.get(f"/brands/{brand.pk}-{brand.digest}.png").status_code == 404


def test_page_for_anybody_is_at_its_address(client: Client):
    page = factories.make_landing_page(
        page_type=PageType.ACQUISITION, is_published=True
    )

    answer = client.get(f"/page/{page.public_id}")

    assert answer.status_code == 200
    assert "Hear from us" in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert not answer.cookies


@pytest.mark.parametrize("is_published", [True, False])
def test_page_for_the_identified_does_not_open_without_a_link(client, is_published):
    page = factories.make_landing_page(is_published=is_published)

    assert client.get(f"/page/{page.public_id}").status_code == 404
    assert client.get("/page/2345678923").status_code == 404


def test_closed_page_says_so_or_leads_elsewhere(client: Client):
    page = factories.make_landing_page(is_published=True)
    pages.close(page, by="ola", now=NOW)

    answer = client.get(f"/page/{page.public_id}")
    assert (answer.status_code, "is not open" in answer.content.decode()) == (410, True)

    LandingPage.objects.update(closed_url="https://example.com/later")
    answer = client.get(f"/page/{page.public_id}?next=//evil.example")
    assert answer.headers["Location"] == "https://example.com/later"


def test_page_before_its_window_is_not_open(client: Client):
    page = factories.make_landing_page(is_published=True)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    LandingPage.objects.filter(pk=page.pk).update(starts_at=tomorrow)

    assert client.get(f"/page/{page.public_id}").status_code == 410


@pytest.mark.parametrize(
    ("query", "accepted", "expected"),
    [
        ("", "sv-FI,en;q=0.5", "sv"),
        ("", "de", "en"),
        ("?language=sv", "en", "sv"),
        ("?language=<script>", "en", "en"),
    ],
)
def test_language_is_asked_for_or_that_of_the_browser(
    client, query, accepted, expected
):
    page = factories.make_landing_page(
        page_type=PageType.ACQUISITION,
        languages={
            code: Texts("T", button="B", confirmation="C") for code in ("en", "sv")
        },
        is_published=True,
    )

    answer = client.get(
        f"/page/{page.public_id}{query}", headers={"Accept-Language": accepted}
    )

    assert answer.headers["Content-Language"] == expected
    assert f'<html lang="{expected}">' in answer.content.decode()


def test_foreign_host_is_refused(client: Client):
    page = factories.make_landing_page(
        page_type=PageType.ACQUISITION, is_published=True
    )

    answer = client.get(f"/page/{page.public_id}", headers={"Host": "evil.example"})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/brands/1-../../etc/passwd",
        "/brands/1-%2e%2e%2f.css",
        "/brands/../1-abc.css",
        "/page/../console",
        "/page/x/y",
        "/page/" + "x" * 5000,
        "/page/%00",
    ],
)
def test_made_up_path_is_not_there(client: Client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("method", ["patch", "put", "delete"])
def test_page_takes_nothing_but_reading_and_a_form(client, method):
    assert getattr(client, method)("/page/2345678923").status_code == 405
