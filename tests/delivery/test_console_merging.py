"""The pages of a merge: the button, the preview, the deed, its right."""

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from delivery import erasure, merging
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories

LIST = "/console/profiles/"


@pytest.fixture
def keep(db: None) -> Profile:
    return factories.make_profile(
        external_id="K", first_name="Kim", email="k@example.com"
    )


@pytest.fixture
def lose(keep: Profile) -> Profile:
    profile = factories.make_profile(
        external_id="L", first_name="Lo", last_name="Ek", email="k@EXAMPLE.com"
    )
    factories.make_address(profile=profile, value="070", channel=Channel.SMS)
    factories.make_opt_out(profile=profile, channel=Channel.SMS)
    return profile


def path(keep: Profile, lose: Profile) -> str:
    return f"{LIST}{keep.pk}/merge/{lose.pk}/"


def test_page_offers_to_merge_who_has_the_same_address(console, keep, lose):
    page = console.get(f"{LIST}{keep.pk}/").content.decode()
    assert f'href="{path(keep, lose)}"' in page


def test_preview_says_what_stays_and_what_gets_stricter(console, keep, lose):
    ended = factories.make_service(name="news")
    factories.make_subscription(profile=keep, service=ended)
    factories.make_subscription(
        profile=lose, service=ended, unsubscribed_at=timezone.now()
    )

    page = console.get(path(keep, lose)).content.decode()

    assert "SMS: “Lo Ek” opted out on" in page
    assert page.count("Gets stricter") == 2
    assert "Both have it: it stays once." in page
    assert "Preferred: there is none on this channel yet." in page
    assert "This cannot be undone." in page
    assert "Rows of files with the external id L change “Kim” from now on." in page
    assert f'href="{path(lose, keep)}"' in page
    lose.refresh_from_db()
    assert lose.merged_into_id is None


def test_preview_is_few_queries(console, keep, lose, django_assert_max_num_queries):
    for number in range(20):
        service = factories.make_service()
        for profile in (keep, lose):
            factories.make_subscription(profile=profile, service=service)
            factories.make_address(
                profile=profile, value=f"a{number}@example.com", is_preferred=False
            )
    with django_assert_max_num_queries(20):
        console.get(path(keep, lose))


def test_merge_is_done_and_the_old_page_leads_to_the_new(console, keep, lose):
    answer = console.post(
        path(keep, lose), {"reason": "One person, she said"}, follow=True
    )
    assert answer.redirect_chain == [(f"{LIST}{keep.pk}/", 302)]
    assert "“Lo Ek” was merged into this profile." in answer.content.decode()

    for old in (f"{LIST}{lose.pk}/", f"{LIST}?q=L"):
        page = console.get(old, follow=True).content.decode()
        assert f"{LIST}{keep.pk}/" in page and "Kim Ek" in page
    proof = console.get(f"{LIST}{lose.pk}/proof/").content.decode()
    assert f"profile {lose.pk} into profile {keep.pk}" in proof
    assert "One person, she said" in proof


def test_merge_asks_for_a_reason(console, keep, lose):
    page = console.post(path(keep, lose), {"reason": " "}).content.decode()
    assert "Nothing was merged: write why these two are one person" in page
    lose.refresh_from_db()
    assert lose.merged_into_id is None


def test_merge_with_an_erased_person_is_refused(console, keep, lose):
    erasure.erase(lose, by="ola", reason="asked", now=timezone.now())
    for method in (console.get, console.post):
        page = method(path(keep, lose), {"reason": "x"}, follow=True).content.decode()
        assert "the person of one was erased. Nothing can undo that." in page


@pytest.mark.parametrize("missing", ["merge_profile", "view_profile"])
def test_merge_needs_its_rights(client, operator, keep, lose, missing):
    operator.user_permissions.remove(Permission.objects.get(codename=missing))
    client.force_login(operator)
    assert client.get(path(keep, lose)).status_code == 403
    assert client.post(path(keep, lose), {"reason": "x"}).status_code == 403
    if missing == "merge_profile":
        page = client.get(f"{LIST}{keep.pk}/").content.decode()
        assert path(keep, lose) not in page
    lose.refresh_from_db()
    assert lose.merged_into_id is None


def test_explanation_of_the_old_external_id_is_about_who_lives_on(console, keep, lose):
    delivery = factories.make_analysed_delivery()
    merging.merge(keep, lose, by="ola", reason="One person", now=timezone.now())
    answer = console.get(
        f"/console/deliveries/{delivery.pk}/explanation/", {"external_id": "L"}
    )
    assert answer.context["explanation"].profile == keep
