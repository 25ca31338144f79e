"""The proof of consent: the whole ledger of one person, checked while it is made."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User

from delivery import erasure, proof
from optout import ledger, pages, preferences, subscriptions
from optout.models import ConsentEvent, OptOut
from optout.models.ledger import ConsentReason, ConsentSource, Direction
from optout.models.pages import PageType
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile
from tests import factories

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Profile:
    return factories.make_profile(
        external_id="CRM-7", first_name="Anna", email="anna@example.com"
    )


def url(profile: Profile, end: str = "proof/") -> str:
    return f"/console/profiles/{profile.pk}/{end}"


def opt_out(profile: Profile, *, channel: int = Channel.EMAIL, note: str = "") -> None:
    preferences.opt_out(
        profile,
        channel,
        by="op",
        source=ConsentSource.OPERATOR,
        reason=ConsentReason.ASKED_BY_PHONE,
        note=note,
        now=NOW,
    )


def opt_out_on_page(profile: Profile, *, wording_hash: str = "") -> ConsentEvent:
    """Opt out on a published page, as its first version says."""
    page = factories.make_landing_page(page_type=PageType.DENYLIST, is_published=True)
    version = page.published_version
    OptOut.objects.create(profile=profile, channel=ANY_CHANNEL)
    return ledger.record(
        profile.pk,
        ANY_CHANNEL,
        Direction.OUT,
        source=ConsentSource.LANDING_PAGE,
        by="",
        language="en",
        wording_hash=wording_hash or version.wording_hashes["en"],
        landing_page_version_id=version.pk,
        now=NOW,
    )


def test_rows_say_what_how_when_by_whom_and_why(anna):
    opt_out(anna, note="Called on Monday.")

    [row] = proof.of(anna, now=NOW).rows

    assert row.at == "2026-03-02 09:00:00.000+00:00"
    assert (row.what, row.direction) == ("Email", "Opt-out")
    assert (row.source, row.by) == ("Operator", "op")
    assert row.reason == "The person asked by telephone"
    assert row.evidence == "Called on Monday."
    assert row.address_digest == str(anna.addresses.get().digest)


def test_rows_are_complete_and_oldest_first(anna):
    news = factories.make_service(label="News")
    for number in range(120):
        act = subscriptions.unsubscribe if number % 2 else subscriptions.subscribe
        at = NOW + timedelta(hours=number)
        act(anna, news, by="", source=ConsentSource.LANDING_PAGE, now=at)
    opt_out(factories.make_profile())

    rows = proof.of(anna, now=NOW).rows

    assert len(rows) == 120
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert {row.what for row in rows} == {"News"}


def test_wording_that_was_shown_is_there_and_verified(anna):
    opt_out_on_page(anna)

    made = proof.of(anna, now=NOW)

    [wording] = made.wordings
    assert "Title: Stop all messages" in wording.text
    assert (wording.is_verified, made.is_sound) == (True, True)
    assert made.rows[0].page == "Way out, version 1"


def test_wording_of_a_later_version_does_not_replace_it(anna):
    event = opt_out_on_page(anna)
    page = factories.LandingPage.objects.get()
    pages.edit_draft(
        page, factories.page_defaults.content(page.type, "sv"), by="op", now=NOW
    )
    pages.publish(page, by="op", now=NOW)

    [wording] = proof.of(anna, now=NOW).wordings

    assert (wording.hash, wording.is_verified) == (event.wording_hash, True)


def test_wording_with_another_hash_is_named(console, anna):
    opt_out_on_page(anna, wording_hash="0" * 64)

    text = console.get(url(anna)).content.decode()

    assert "no text that is kept has this hash" in text
    assert "do not hand this out" in text


def test_flag_without_a_row_is_named(console, anna):
    factories.make_opt_out(profile=anna, channel=Channel.EMAIL)

    made = proof.of(anna, now=NOW)

    assert [(each.what, each.is_agreed) for each in made.standing] == [("Email", False)]
    assert "the ledger says otherwise" in console.get(url(anna)).content.decode()


def test_row_whose_flag_was_lost_is_named(anna):
    opt_out(anna)
    OptOut.objects.all().delete()

    assert not proof.of(anna, now=NOW).is_sound


def test_what_counts_now_covers_channels_and_services(anna):
    opt_out(anna)
    news = factories.make_service(label="News")
    subscriptions.subscribe(anna, news, by="", source=ConsentSource.IMPORT, now=NOW)

    standing = proof.of(anna, now=NOW).standing

    assert {(each.what, each.is_out, each.is_agreed) for each in standing} == {
        ("Email", True, True),
        ("News", False, True),
    }


def test_erased_person_keeps_the_rows_without_the_texts(console, anna):
    opt_out(anna, note="Anna called.")
    erasure.erase(anna, by="op", reason="case 7", now=NOW)

    text = console.get(url(anna)).content.decode()

    assert "erased on 2026-03-02" in text
    assert "Anna" not in text
    assert proof.of(Profile.objects.get(), now=NOW).is_sound


def test_gone_service_and_delivery_are_said_to_be_gone(anna):
    ledger.record(
        anna.pk,
        None,
        Direction.OUT,
        service_id=99,
        delivery_id=98,
        source=ConsentSource.ONE_CLICK,
        by="",
        now=NOW,
    )

    [row] = proof.of(anna, now=NOW).rows

    assert (row.what, row.delivery) == (
        "a service that is gone",
        "98 a delivery that is gone",
    )


@pytest.mark.parametrize("end", ["proof/", "proof.csv"])
def test_who_may_not_see_the_ledger_is_refused(client, anna, end):
    user = User.objects.create_user("viewer")
    user.user_permissions.add(Permission.objects.get(codename="view_profile"))
    client.force_login(user)

    assert client.get(url(anna, end)).status_code == 403
    assert "Proof of consent" not in client.get(url(anna, "")).content.decode()


def test_evidence_needs_a_right_of_its_own(client, anna):
    opt_out(anna, note="Called on Monday.")
    user = User.objects.create_user("viewer")
    rights = ["view_profile", "view_consentevent"]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)

    text = client.get(url(anna)).content.decode()

    assert "Called on Monday." not in text
    assert ledger.evidence_hash(anna.pk, "Called on Monday.") in text


def test_file_holds_the_same_rows_and_no_formula(console, anna):
    opt_out(anna, note="=HYPERLINK(1)")

    answer = console.get(url(anna, "proof.csv"))

    [row] = csv.DictReader(io.StringIO(answer.content.decode()))
    assert row["evidence"] == "'=HYPERLINK(1)"
    assert row["wording_hash"] == ""
    name = f'attachment; filename="profile-{anna.pk}-consent.csv"'
    assert answer["Content-Disposition"] == name


def test_long_ledger_is_few_queries(console, anna, django_assert_max_num_queries):
    news = factories.make_service()
    for number in range(40):
        act = subscriptions.unsubscribe if number % 2 else subscriptions.subscribe
        act(anna, news, by="", source=ConsentSource.LANDING_PAGE, now=NOW)
    with django_assert_max_num_queries(20):
        console.get(url(anna))


def test_nobody_s_proof_is_not_found(console):
    assert console.get("/console/profiles/999/proof/").status_code == 404
