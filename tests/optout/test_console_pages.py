"""The console's landing pages: list, edit, preview, publish, try."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from optout import pages
from optout.models import ConsentEvent, LandingPage, OptOut, Subscription
from optout.models.pages import PageType
from optout.page_content import Access, FieldName, OfferedField, Texts
from profiles.models import Profile
from tests import factories

LIST = "/console/pages/"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXTS = {
    "title": "Out",
    "intro": "It stops.\r\nAt once.",
    "button": "Stop",
    "confirmation": "Done",
    "error": "",
    "closed": "",
}


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def only_with(user: User, *rights: str) -> None:
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


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

    text = text_of(console, f"{LIST}{page.pk}/")

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

    assert set(form.fields) == {"default_language", "access", "on_several", "scope"}


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
