"""A landing page before it is published: preview, versions and dry run."""

import pytest
from django.test import Client

from optout import pages
from optout.models import ConsentEvent, OptOut, Subscription
from optout.models.pages import PageType
from optout.page_content import FieldName, OfferedField
from profiles.models import Profile
from tests import factories
from tests.optout.console_pages import LIST, TEXTS, only_with, text_of


def test_frame_is_for_the_console_only(console: Client) -> None:
    page = factories.make_landing_page()

    answer = console.get(f"{LIST}{page.pk}/preview/en/frame/")

    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "form-action 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    other = console.get(f"{LIST}{page.pk}/preview/en/")
    assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]
    assert "frame-src 'self'" in other.headers["Content-Security-Policy"]
    assert other.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("", "Stop all messages</button>"),
        ("?part=confirmation", "You get no more messages"),
        ("?part=error", "Something went wrong"),
        ("?part=closed", "This page is not open."),
        ("?part=<script>", "Stop all messages</button>"),
    ],
)
def test_every_part_of_a_page_is_previewed(console, part, expected):
    page = factories.make_landing_page()

    assert expected in text_of(console, f"{LIST}{page.pk}/preview/en/frame/{part}")


def test_texts_are_previewed_before_they_are_saved(console: Client) -> None:
    page = factories.make_landing_page()
    url = f"{LIST}{page.pk}/preview/en/frame/"

    answer = console.post(url, TEXTS | {"title": "<b>Unsaved</b>"})

    assert "<h1>&lt;b&gt;Unsaved&lt;/b&gt;</h1>" in answer.content.decode()
    assert pages.editable_content(page).texts_in("en").title == "Stop all messages"


def test_frame_for_scripts_holds_the_page_as_text(console: Client) -> None:
    page = factories.make_landing_page()

    answer = console.post(
        f"{LIST}{page.pk}/preview/en/frame/", TEXTS, headers={"HX-Request": "true"}
    )

    assert '<iframe class="preview"' in answer.content.decode()
    assert 'srcdoc="&lt;!doctype html&gt;' in answer.content.decode()


def test_version_shows_its_wording_and_hash(console: Client) -> None:
    page = factories.make_landing_page(is_published=True)
    version = page.published_version

    text = text_of(console, f"{LIST}{page.pk}/versions/1/")

    assert "Title: Stop all messages" in text
    assert version.wording_hashes["en"] in text
    assert version.wording_hashes["en"] in text_of(console, f"{LIST}{page.pk}/")


def test_draft_has_no_wording_yet(console: Client) -> None:
    page = factories.make_landing_page()

    assert console.get(f"{LIST}{page.pk}/versions/1/").status_code == 404


TRIED = {"external_id": "P-1", "page_language": "en", "sent": "1"}


@pytest.fixture
def anna(db: None) -> Profile:
    return factories.make_profile(
        external_id="P-1", first_name="Anna", email="anna@example.com", city="Lund"
    )


def test_dry_run_says_what_would_be_written_and_writes_nothing(console, anna):
    weekly = factories.make_service(label="Weekly")
    factories.make_subscription(profile=anna, service=weekly)
    page = factories.make_landing_page(
        page_type=PageType.PREFERENCES, services=(weekly.pk,)
    )

    answer = console.get(
        f"{LIST}{page.pk}/dry-run/",
        TRIED | {"is_identified": "on", "channel": 1},
    )

    lines = answer.context["run"].lines
    assert [(each.change.kind.value, each.what, each.after) for each in lines] == [
        ("opt_out", "Email", "does not get it"),
        ("unsubscribe", "Weekly", "does not get it"),
    ]
    assert not OptOut.objects.exists()
    assert not ConsentEvent.objects.exists()
    assert Subscription.objects.get().unsubscribed_at is None


def test_dry_run_begins_with_the_page_as_it_stands(console, anna):
    weekly = factories.make_service()
    factories.make_subscription(profile=anna, service=weekly)
    page = factories.make_landing_page(
        page_type=PageType.PREFERENCES,
        services=(weekly.pk,),
        fields=(OfferedField(FieldName.CITY), OfferedField(FieldName.LANGUAGE)),
    )

    answer = console.get(f"{LIST}{page.pk}/dry-run/", {"external_id": "P-1"})

    assert answer.context["run"].lines == []
    assert 'value="Lund"' in answer.content.decode()


def test_dry_run_counts_who_shares_the_address(console, anna):
    factories.make_profile(email="anna@example.com")
    page = factories.make_landing_page(scope="shared_address")

    answer = console.get(f"{LIST}{page.pk}/dry-run/", TRIED)

    assert "1 other profile shares the address" in answer.content.decode()


def test_dry_run_tells_that_an_opt_out_from_everything_stays(console, anna):
    factories.make_opt_out(profile=anna)
    service = factories.make_service()
    page = factories.make_landing_page(
        page_type=PageType.SUBSCRIBE, services=(service.pk,)
    )

    answer = console.get(f"{LIST}{page.pk}/dry-run/", TRIED)

    assert "opted out of everything and stays so" in answer.content.decode()
    assert "after confirmation" in answer.content.decode()


def test_dry_run_of_an_unknown_person_is_told(console: Client) -> None:
    page = factories.make_landing_page()

    answer = console.get(f"{LIST}{page.pk}/dry-run/", TRIED | {"external_id": "P-404"})

    assert "No profile has this external id." in answer.content.decode()


def test_frame_shows_what_a_person_would_see(console, anna, operator):
    page = factories.make_landing_page(
        page_type=PageType.ACQUISITION, fields=(OfferedField(FieldName.CITY),)
    )
    url = f"{LIST}{page.pk}/preview/en/frame/?external_id=P-1"

    assert 'value="Lund"' in text_of(console, url)
    only_with(operator, "view_landingpage")
    assert "Lund" not in text_of(console, url)
