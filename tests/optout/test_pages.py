"""Landing pages from draft to closed, and what keeps them from going online."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from optout import page_publishing, page_wording, pages
from optout.models import LandingPage, LandingPageVersion, Service
from optout.models.pages import PageType
from optout.page_content import Access, FieldName, OfferedField, Texts
from optout.page_publishing import CannotPublish, PageError
from optout.page_states import PageEvent, PageState, follows
from optout.pages import Openness
from profiles.channels import Channel
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAID = Texts("A", "B", "C", "D", "E", "F")


def publish(page: LandingPage) -> LandingPage:
    pages.publish(page, by="ola", now=NOW)
    page.refresh_from_db()
    return page


@pytest.mark.parametrize(
    ("state", "event", "expected"),
    [
        (PageState.DRAFT, PageEvent.PUBLISH, PageState.PUBLISHED),
        (PageState.DRAFT, PageEvent.CLOSE, None),
        (PageState.PUBLISHED, PageEvent.PUBLISH, PageState.PUBLISHED),
        (PageState.PUBLISHED, PageEvent.CLOSE, PageState.CLOSED),
        (PageState.CLOSED, PageEvent.PUBLISH, PageState.PUBLISHED),
        (PageState.CLOSED, PageEvent.CLOSE, None),
    ],
)
def test_every_state_answers_every_event(state, event, expected):
    assert follows(state, event) == expected


def test_table_of_states_is_total():
    assert len(PageState) * len(PageEvent) == 6


@pytest.mark.parametrize("page_type", [PageType.DENYLIST, PageType.PREFERENCES])
def test_page_as_it_is_made_can_be_published(page_type):
    page = pages.create(
        "Page", page_type, by="ola", now=NOW, brand=factories.make_brand()
    )

    assert page_publishing.missing_for_publishing(page) == []


def test_page_without_brand_gets_the_default_one():
    page = pages.create("Page", PageType.DENYLIST, by="ola", now=NOW)

    assert page.brand.is_default
    with pytest.raises(CannotPublish, match="“Default” has no postal address"):
        publish(page)


def test_publishing_freezes_the_draft_with_its_wording():
    page = publish(factories.make_landing_page(languages={"en": SAID}))

    version = page.published_version
    assert (page.state, page.updated_by) == (PageState.PUBLISHED, "ola")
    assert (version.published_at, version.published_by) == (NOW, "ola")
    assert version.wording["en"] == (
        "Title: A\nIntroduction: B\nButton: C\nAfter it was pressed: D\n"
        "When it failed: E\n"
    )
    assert version.wording_hashes["en"] == page_wording.hash_of(version.wording["en"])


def test_wording_holds_the_names_of_services_as_they_were():
    service = factories.make_service(public_name="Letters", is_open=True)
    page = publish(
        factories.make_landing_page(
            page_type=PageType.SUBSCRIBE, services=(service.pk,)
        )
    )

    service.texts.update(public_name="Other")

    version = LandingPageVersion.objects.get(page=page)
    assert "Service: Letters\n" in version.wording["en"]
    assert version.service_texts == {"en": {str(service.pk): ["Letters", ""]}}


def test_edit_of_a_published_page_goes_live_on_publish_only():
    page = factories.make_landing_page(is_published=True)
    changed = replace(pages.editable_content(page), languages={"en": SAID})

    draft = pages.edit_draft(page, changed, by="ola", now=NOW)

    live = pages.live_version(page.public_id, NOW).version
    assert live.number == 1
    assert live.read().texts_in("en").title == "Stop all messages"
    assert draft.number == 2
    publish(page)
    assert pages.live_version(page.public_id, NOW).version == draft
    assert page.versions.count() == 2


def test_second_edit_changes_the_same_draft():
    page = factories.make_landing_page(is_published=True)
    content = pages.editable_content(page)

    first = pages.edit_draft(page, content, by="ola", now=NOW)

    assert pages.edit_draft(page, content, by="eva", now=NOW) == first
    assert page.draft().updated_by == "eva"


def test_two_operators_edit_two_languages_at_once():
    page = factories.make_landing_page()

    for code in ("sv", "de"):
        pages.change_draft(
            page,
            lambda content, code=code: content.with_texts(code, SAID),
            by="ola",
            now=NOW,
        )

    assert set(pages.editable_content(page).languages) == {"en", "sv", "de"}


def test_old_version_stays_online_when_publishing_fails():
    page = factories.make_landing_page(is_published=True)
    pages.edit_draft(
        page,
        replace(pages.editable_content(page), languages={"en": Texts()}),
        by="ola",
        now=NOW,
    )

    with pytest.raises(CannotPublish):
        publish(page)

    page.refresh_from_db()
    live = pages.live_version(page.public_id, NOW)
    assert (live.is_open, live.version.number) == (True, 1)
    assert page.draft().wording == {}


def test_nothing_is_half_published_when_the_database_fails(monkeypatch):
    page = factories.make_landing_page(is_published=True)
    pages.edit_draft(page, pages.editable_content(page), by="ola", now=NOW)

    def fail(*args: object, **kwargs: object) -> None:
        raise IntegrityError("no")

    monkeypatch.setattr(LandingPage, "save", fail)
    with pytest.raises(IntegrityError), transaction.atomic():
        pages.publish(page, by="ola", now=NOW)

    assert page.draft().number == 2
    assert pages.live_version(page.public_id, NOW).version.number == 1


def test_published_page_without_changes_has_nothing_to_publish():
    page = factories.make_landing_page(is_published=True)

    assert not page_publishing.can_publish(page)
    with pytest.raises(CannotPublish, match="Nothing was changed"):
        publish(page)


def test_closed_page_opens_again_with_its_last_version():
    page = factories.make_landing_page(is_published=True)
    pages.close(page, by="ola", now=NOW)
    assert pages.live_version(page.public_id, NOW).openness is Openness.CLOSED

    page.refresh_from_db()
    publish(page)

    live = pages.live_version(page.public_id, NOW)
    assert (live.openness, live.version.number) == (Openness.OPEN, 1)
    assert live.version.published_at == factories.CREATED_AT


def test_draft_cannot_be_closed():
    page = factories.make_landing_page()

    assert not page_publishing.can_close(page)
    with pytest.raises(PageError, match="not published. Publish it first"):
        pages.close(page, by="ola", now=NOW)


def test_unpublished_or_made_up_address_is_unknown():
    page = factories.make_landing_page()

    assert pages.live_version(page.public_id, NOW).openness is Openness.UNKNOWN
    assert pages.live_version("nowhere", NOW).openness is Openness.UNKNOWN


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(-1, Openness.BEFORE), (0, Openness.OPEN), (59, Openness.OPEN), (60, "after")],
)
def test_page_is_open_within_its_window(offset, expected):
    page = factories.make_landing_page(is_published=True)
    page.starts_at, page.ends_at = NOW, NOW + timedelta(minutes=60)
    page.save()

    live = pages.live_version(page.public_id, NOW + timedelta(minutes=offset))

    assert live.openness is Openness(expected)
    assert live.version is not None


def test_duplicate_is_a_draft_with_an_address_of_its_own():
    page = factories.make_landing_page(is_published=True, languages={"en": SAID})

    copy = pages.duplicate(page, by="ola", now=NOW)

    assert (copy.name, copy.state) == ("Copy of Way out", PageState.DRAFT)
    assert copy.public_id != page.public_id
    assert pages.editable_content(copy) == pages.editable_content(page)


def test_draft_of_a_published_page_can_be_thrown_away():
    page = factories.make_landing_page(is_published=True)
    pages.edit_draft(page, pages.editable_content(page), by="ola", now=NOW)

    pages.discard_draft(page)

    assert page.draft() is None
    with pytest.raises(PageError, match="no other version"):
        pages.discard_draft(factories.make_landing_page())


def test_window_that_ends_before_it_starts_is_refused():
    page = factories.make_landing_page()
    settings = pages.Settings("Page", page.brand, starts_at=NOW, ends_at=NOW)

    with pytest.raises(PageError, match="would close before it opens"):
        pages.change_settings(page, settings, by="ola", now=NOW)


def test_published_page_keeps_a_brand_with_postal_address():
    page = factories.make_landing_page(is_published=True)
    bare = factories.make_brand(name="Bare", postal_address=" ")

    with pytest.raises(PageError, match="“Bare” has no postal address"):
        pages.change_settings(page, pages.Settings("P", bare), by="ola", now=NOW)


@pytest.mark.parametrize(
    ("page_type", "content", "sentence"),
    [
        ("denylist", {"languages": {"sv": SAID}}, "no text in its default language"),
        (
            "denylist",
            {"languages": {"en": SAID, "sv": Texts("Titel")}},
            "Svenska lacks a button, a text for after the button was pressed.",
        ),
        ("denylist", {"channels": (Channel.SMS,)}, "It stops everything"),
        ("denylist", {"services": (404,)}, "It stops everything"),
        ("denylist", {"fields": (OfferedField(FieldName.CITY),)}, "must not ask for"),
        ("unsubscribe", {"agreement_count": 1}, "must not ask for"),
        ("unsubscribe", {}, "It has no service"),
        ("subscribe", {}, "It has no service"),
        ("subscribe", {"services": (404,)}, "was deleted"),
        ("preferences", {"channels": ()}, "nothing to choose"),
        ("acquisition", {"agreement_count": 1}, "lacks the text of an agreement"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_page_that_lacks_something_is_refused(page_type, content, sentence):
    page = factories.make_landing_page(page_type=PageType(page_type), **content)

    with pytest.raises(CannotPublish, match=sentence):
        publish(page)
    assert not page_publishing.can_publish(page)


@pytest.mark.parametrize(
    ("access", "is_open", "is_refused"),
    [
        (Access.ANYBODY, False, True),
        (Access.ANYBODY, True, False),
        (Access.IDENTIFIED, False, False),
    ],
)
def test_private_service_is_not_for_anybody(access, is_open, is_refused):
    service = factories.make_service(is_open=is_open)
    page = factories.make_landing_page(
        page_type=PageType.SUBSCRIBE, services=(service.pk,), access=access
    )

    assert page_publishing.can_publish(page) is not is_refused


@pytest.mark.parametrize(
    ("brand", "sentence"),
    [
        ({"postal_address": " "}, "has no postal address"),
        ({"dark_text": "#111111"}, "Dark: Text and background"),
    ],
    ids=["address", "contrast"],
)
def test_page_of_an_unfit_brand_is_refused(brand, sentence):
    page = factories.make_landing_page(brand=factories.make_brand(**brand))

    with pytest.raises(CannotPublish, match=sentence):
        publish(page)


def test_window_is_looked_at_again_when_publishing():
    page = factories.make_landing_page()
    page.starts_at, page.ends_at = NOW, NOW - timedelta(days=1)
    page.save()

    with pytest.raises(CannotPublish, match="would close before it opens"):
        publish(page)


def test_service_that_is_deleted_keeps_the_page_online():
    service = factories.make_service(is_open=True)
    page = factories.make_landing_page(
        page_type=PageType.SUBSCRIBE, services=(service.pk,), is_published=True
    )

    Service.objects.all().delete()

    assert pages.live_version(page.public_id, NOW).is_open


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don’t miss out!", ["miss out"]),
        ("Are you SURE? We are sad.", ["SURE?", "sad"]),
        ("Du går miste om allt, tyvärr", ["går miste", "tyvärr"]),
        ("You get no more messages. Closed on Saturday, be assured.", []),
        ("Du får inga fler meddelanden. Förlorare? Nej.", []),
    ],
)
def test_pressing_words_are_warned_of_on_a_way_out(text, words):
    page = factories.make_landing_page()
    content = replace(
        pages.editable_content(page), languages={"en": replace(SAID, intro=text)}
    )

    found = page_publishing.warnings(page, content)

    assert [each.split("“")[1].split("”")[0] for each in found] == words
    page.type = PageType.PREFERENCES
    assert page_publishing.warnings(page, content) == []


def test_open_sign_up_without_confirmation_is_warned_of():
    page = factories.make_landing_page(
        page_type=PageType.ACQUISITION, has_double_opt_in=False
    )

    [warning] = page_publishing.warnings(page, pages.editable_content(page))

    assert "switch on the confirmation by mail" in warning


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"state": "published"}, "optout_landingpage_published"),
        ({"state": "gone"}, "optout_landingpage_"),
        ({"type": "other"}, "optout_landingpage_type"),
    ],
    ids=str,
)
def test_database_refuses_a_page_that_cannot_be(change, constraint):
    page = factories.make_landing_page()

    with pytest.raises(IntegrityError, match=constraint):
        LandingPage.objects.filter(pk=page.pk).update(**change)


def test_page_has_one_draft_at_most():
    page = factories.make_landing_page()

    with pytest.raises(IntegrityError):
        LandingPageVersion.objects.create(page=page, number=2, content={})
