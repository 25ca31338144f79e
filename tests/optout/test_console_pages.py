"""The console's landing pages: list, publish, close, and who may do what."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from optout import pages
from optout.models import LandingPage
from optout.page_content import Texts
from tests import factories
from tests.optout.console_pages import LIST, TEXTS, only_with, text_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_list_shows_state_and_address(console: Client) -> None:
    page = factories.make_landing_page(is_published=True)
    pages.edit_draft(page, pages.editable_content(page), by="ola", now=NOW)

    text = text_of(console, LIST)

    assert "Way out" in text
    assert "Published" in text
    assert "with unpublished changes" in text
    assert f"http://localhost:8000/page/{page.public_id}" in text


def test_empty_list_says_what_to_do(console: Client) -> None:
    assert "No landing page yet" in text_of(console, LIST)


def test_list_is_few_queries(console: Client, django_assert_max_num_queries) -> None:
    for number in range(20):
        factories.make_landing_page(name=f"Page {number}")
    with django_assert_max_num_queries(8):
        console.get(LIST)


def test_page_is_made_edited_and_published(console: Client) -> None:
    brand = factories.make_brand()
    made = console.post(
        f"{LIST}new/",
        {"name": "Out", "type": "denylist", "language": "sv", "brand": brand.pk},
    )
    page = LandingPage.objects.get()
    assert made.headers["Location"] == f"{LIST}{page.pk}/"
    assert page.created_by == "operator"

    console.post(f"{LIST}{page.pk}/texts/sv/", TEXTS)
    console.post(f"{LIST}{page.pk}/publish/")

    page.refresh_from_db()
    assert page.state == "published"
    [version] = page.versions.all()
    assert version.published_by == "operator"
    assert ": Out\n" in version.wording["sv"]
    assert version.read().texts_in("sv").intro == "It stops.\nAt once."


def test_publishing_what_lacks_something_is_told(console: Client) -> None:
    page = factories.make_landing_page(brand=factories.make_brand(postal_address=""))

    answer = console.post(f"{LIST}{page.pk}/publish/", follow=True)

    assert "has no postal address" in answer.content.decode()
    page.refresh_from_db()
    assert page.state == "draft"


@pytest.mark.parametrize(
    ("is_published", "seen", "unseen"),
    [
        (False, ">Publish<", ">Close<"),
        (True, ">Close<", ">Publish<"),
    ],
)
def test_buttons_are_those_that_can_be_pressed(console, is_published, seen, unseen):
    page = factories.make_landing_page(is_published=is_published)

    text = text_of(console, f"{LIST}{page.pk}/").partition("<main")[2]

    assert seen in text
    assert unseen not in text


def test_what_is_missing_is_listed_before_publishing(console: Client) -> None:
    page = factories.make_landing_page(languages={"en": Texts()})

    text = text_of(console, f"{LIST}{page.pk}/")

    assert "English lacks a title, a button" in text
    assert ">Publish<" not in text


@pytest.mark.parametrize(
    ("window", "note"),
    [
        ({"starts_at": datetime(2999, 1, 1, tzinfo=UTC)}, "until 2999-01-01 00:00"),
        ({"ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "since 2020-01-01 00:00"),
    ],
    ids=["before", "after"],
)
def test_page_out_of_its_window_is_told(console, window, note):
    page = factories.make_landing_page(is_published=True)
    LandingPage.objects.update(**window)

    text = text_of(console, f"{LIST}{page.pk}/")

    assert f"Visitors find it closed {note}" in text


def test_page_is_closed_and_its_draft_thrown_away(console: Client) -> None:
    page = factories.make_landing_page(is_published=True)
    console.post(f"{LIST}{page.pk}/texts/en/", TEXTS)
    assert page.draft() is not None

    console.post(f"{LIST}{page.pk}/discard/")
    console.post(f"{LIST}{page.pk}/close/")

    page.refresh_from_db()
    assert (page.state, page.draft()) == ("closed", None)


def test_page_is_duplicated(console: Client) -> None:
    page = factories.make_landing_page()

    answer = console.post(f"{LIST}{page.pk}/duplicate/", follow=True)

    assert "Copy of Way out" in answer.content.decode()


@pytest.mark.parametrize(
    ("right", "path"),
    [
        ("add_landingpage", "new/"),
        ("change_landingpage", "{}/settings/"),
        ("change_landingpage", "{}/offer/"),
        ("change_landingpage", "{}/texts/en/"),
        ("change_landingpage", "{}/languages/"),
        ("change_landingpage", "{}/texts/en/remove/"),
        ("change_landingpage", "{}/discard/"),
        ("publish_landingpage", "{}/publish/"),
        ("publish_landingpage", "{}/close/"),
        ("add_landingpage", "{}/duplicate/"),
    ],
)
def test_each_door_needs_its_own_right(console, operator, right, path):
    page = factories.make_landing_page(is_published=True)
    rights = {"add", "change", "publish", "view"} - {right.split("_")[0]}
    only_with(operator, *(f"{each}_landingpage" for each in rights))

    assert console.post(f"{LIST}{path.format(page.pk)}").status_code == 403


@pytest.mark.parametrize("door", ["publish", "close", "discard", "duplicate"])
def test_changes_take_a_post(console, door):
    page = factories.make_landing_page()

    assert console.get(f"{LIST}{page.pk}/{door}/").status_code == 405


def test_navigation_leads_to_landing_pages(console: Client) -> None:
    assert f'<a href="{LIST}"' in text_of(console, "/console/")
