"""What is edited of a landing page: settings, offer, languages and texts."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from optout import pages
from optout.models.pages import PageType
from optout.page_content import Access, FieldName, OfferedField
from tests import factories
from tests.optout.console_pages import LIST, TEXTS, text_of


def test_settings_mean_the_time_zone_of_the_page(console: Client) -> None:
    page = factories.make_landing_page()
    url = f"{LIST}{page.pk}/settings/"
    sent = {
        "name": "Summer",
        "brand": page.brand.pk,
        "time_zone": "Europe/Stockholm",
        "starts_at": "2026-07-01T09:00",
        "ends_at": "",
        "closed_url": "https://example.com/",
    }

    console.post(url, sent)

    page.refresh_from_db()
    assert page.starts_at == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert 'value="2026-07-01T09:00"' in text_of(console, url)
    assert "2026-07-01 09:00" in text_of(console, f"{LIST}{page.pk}/")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"closed_url": "javascript:alert(1)"}, "https://"),
        ({"closed_url": "http://example.com/"}, "begins with https://"),
        ({"ends_at": "2026-06-30T09:00"}, "would close before it opens"),
        ({"time_zone": "Mars/Base"}, "Select a valid choice"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused(console, change, sentence):
    page = factories.make_landing_page()
    sent = {
        "name": "Summer",
        "brand": page.brand.pk,
        "time_zone": "UTC",
        "starts_at": "2026-07-01T09:00",
    }

    answer = console.post(f"{LIST}{page.pk}/settings/", sent | change)

    assert sentence in answer.content.decode()
    page.refresh_from_db()
    assert page.starts_at is None


def test_offer_is_kept_in_the_draft(console: Client) -> None:
    service = factories.make_service(is_open=True)
    page = factories.make_landing_page(page_type=PageType.PREFERENCES)

    answer = console.post(
        f"{LIST}{page.pk}/offer/",
        {
            "default_language": "en",
            "access": "anybody",
            "channels": ["1", "40"],
            "services": [service.pk],
            "agreement_count": "2",
            "after": "service",
            "on_several": "none",
            "scope": "shared_address",
            "ask_city": "optional",
            "ask_first_name": "mandatory",
        },
    )

    assert answer.status_code == 302
    content = pages.editable_content(page)
    assert content.access == Access.ANYBODY
    assert content.services == (service.pk,)
    assert [int(each) for each in content.channels] == [1, 40]
    assert content.fields == (
        OfferedField(FieldName.FIRST_NAME, True),
        OfferedField(FieldName.CITY, False),
    )
    assert (content.agreement_count, content.has_double_opt_in) == (2, False)
    assert "Stop all" not in content.texts_in("en").title


def test_way_out_has_nothing_to_ask_for(console: Client) -> None:
    page = factories.make_landing_page()

    form = console.get(f"{LIST}{page.pk}/offer/").context["form"]

    assert set(form.fields) == {"default_language", "access", "scope"}


def test_language_is_added_with_the_usual_texts_and_taken_away(console) -> None:
    page = factories.make_landing_page()

    answer = console.post(f"{LIST}{page.pk}/languages/", {"language": "sv"})

    assert answer.headers["Location"] == f"{LIST}{page.pk}/texts/sv/"
    texts = pages.editable_content(page).languages["sv"]
    assert texts.title == "Stoppa alla meddelanden"
    console.post(f"{LIST}{page.pk}/texts/sv/remove/")
    assert list(pages.editable_content(page).languages) == ["en"]
    console.post(f"{LIST}{page.pk}/texts/en/remove/")
    assert list(pages.editable_content(page).languages) == ["en"]


def test_made_up_language_is_not_there(console: Client) -> None:
    page = factories.make_landing_page()

    console.post(f"{LIST}{page.pk}/languages/", {"language": "tlh"})

    assert list(pages.editable_content(page).languages) == ["en"]
    for part in ("texts/tlh/", "preview/tlh/", "preview/tlh/frame/"):
        assert console.get(f"{LIST}{page.pk}/{part}").status_code == 404


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"title": "x" * 201}, "at most 200 characters"),
        ({"intro": "x" * 80_000}, "at most 3000 characters"),
        ({"title": "nul\0"}, "Null characters are not allowed"),
    ],
    ids=["long", "80 kB", "nul"],
)
def test_text_that_cannot_be_kept_is_told_at_its_field(console, change, sentence):
    page = factories.make_landing_page()

    answer = console.post(f"{LIST}{page.pk}/texts/en/", TEXTS | change)

    assert sentence in answer.content.decode()
    assert pages.editable_content(page).texts_in("en").title == "Stop all messages"
