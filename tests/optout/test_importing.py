from datetime import UTC, datetime

import pytest

from optout.models import ConsentEvent, OptOut
from profiles.addresses import parse
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, DomainSuffix, Profile
from tests import factories
from tests.optout.importing_files import (
    NOW,
    addresses,
    channels,
    figures,
    run,
)

pytestmark = pytest.mark.django_db


def only() -> Profile:
    return Profile.objects.get()


def test_row_creates_a_profile_with_all_its_columns() -> None:
    run(
        "external_id;first_name;last_name;email;country;language;time_zone;birth_date;"
        "street;postcode;city;created_at;Favourite Colour\n"
        "C-1;Åsa;Öberg;a@example.com;se;sv;Europe/Stockholm;1990-05-31;Storg. 1;111;"
        "Åby;2020-01-01T12:00:00+01:00;blue\n"
    )
    profile = only()
    assert (profile.external_id, profile.first_name) == ("C-1", "Åsa")
    assert (profile.country, profile.language) == ("SE", "sv")
    assert profile.time_zone == "Europe/Stockholm"
    assert str(profile.birth_date) == "1990-05-31"
    assert (profile.street, profile.postcode, profile.city) == (
        "Storg. 1",
        "111",
        "Åby",
    )
    assert profile.created_at == datetime(2020, 1, 1, 11, tzinfo=UTC)
    assert profile.updated_at == NOW
    assert profile.attributes == {"Favourite Colour": "blue"}
    assert addresses(profile) == [
        (0, "a@example.com", True),
        (3, "Storg. 1, 111 Åby, SE", True),
    ]


def test_time_of_the_import_stands_in_for_created_at() -> None:
    run("external_id,created_at\nC-1,\n")
    assert only().created_at == NOW


def test_address_is_stored_with_its_identity() -> None:
    run("email\n P.1@BÜCHER.example \n")
    address = Address.objects.get()
    parsed = parse(Channel.EMAIL, "p.1@bücher.example")
    assert (address.digest, address.domain) == (parsed.digest, parsed.domain)
    assert address.is_deliverable
    assert set(DomainSuffix.objects.values_list("suffix", "domain")) == {
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("example", "xn--bcher-kva.example"),
    }


def test_bad_syntax_is_kept_and_counted() -> None:
    summary = run("external_id,email\nC-1,no-at-sign\n")
    address = Address.objects.get()
    assert (address.value, address.is_deliverable) == ("no-at-sign", False)
    assert address.digest == parse(Channel.EMAIL, "no-at-sign").digest
    assert summary.addresses_invalid == 1


def test_same_file_again_changes_nothing() -> None:
    text = (
        "external_id,first_name,email,mobile,country,no_email,city,size\n"
        "C-1,Anna,a@example.com;b@example.com,070-174 06 09,SE,1,Åby,L\n"
        "C-1,Anne,c@example.com,,,,Ystad,M\n"
        ",Bo,b@example.com,,,,,\n"
        ",Cy,new@example.com;newer@example.com,,,yes,,\n"
        ",Di,newer@example.com,,,,,\n"
        ",Ed,,+46701740619,,,,\n"
        "C-2,Fy,new@example.com,,,,,\n"
    )
    later = datetime(2026, 4, 1, tzinfo=UTC)
    first = run(text)
    before = list(Profile.objects.order_by("pk").values())
    events = ConsentEvent.objects.count()

    again = run(text, now=later)

    assert first.created == Profile.objects.count()
    assert (again.created, again.updated, again.opt_outs_set) == (0, 0, 0)
    assert list(Profile.objects.order_by("pk").values()) == before
    assert ConsentEvent.objects.count() == events


def test_external_id_matches_only_by_itself() -> None:
    factories.make_profile(external_id="C-1", email="a@example.com")
    summary = run("external_id,email\nC-2,a@example.com\n")
    assert figures(summary) == (1, 0, 0, 0, 0)
    assert Profile.objects.count() == 2


def test_row_without_external_id_matches_the_oldest_profile_by_email() -> None:
    newer = factories.make_profile(email="a@example.com")
    older = factories.make_profile(
        email="A@Example.com", created_at=datetime(2020, 1, 1, tzinfo=UTC)
    )
    summary = run("email,first_name\n a@EXAMPLE.com,Åsa\n")
    newer.refresh_from_db()
    older.refresh_from_db()
    assert figures(summary) == (0, 1, 0, 0, 0)
    assert (older.first_name, newer.first_name) == ("Åsa", "")


def test_equally_old_profiles_match_by_the_lower_id() -> None:
    first = factories.make_profile(email="a@example.com")
    factories.make_profile(email="a@example.com")
    run("email,first_name\na@example.com,Åsa\n")
    assert Profile.objects.get(first_name="Åsa") == first


def test_row_without_email_matches_only_profiles_without_external_id() -> None:
    factories.make_profile(external_id="C-1", email=None, sms="+46701740609")
    text = "mobile,first_name\n+46 70 174 06 09,Åsa\n"
    assert figures(run(text)) == (1, 0, 0, 0, 0)
    assert figures(run(text)) == (0, 0, 1, 0, 0)
    assert Profile.objects.get(first_name="Åsa").external_id is None


def test_row_without_external_id_joins_a_profile_of_the_same_file() -> None:
    summary = run(
        "external_id,email,first_name\n,a@example.com,Åsa\nC-1,a@example.com,\n"
    )
    assert figures(summary) == (1, 0, 0, 1, 0)
    assert only().first_name == "Åsa"


def test_empty_value_never_overwrites() -> None:
    run("external_id,first_name,city,size,email\nC-1,Åsa,Åby,L,a@example.com\n")
    summary = run("external_id,first_name,city,size,email\nC-1,, ,,\n")
    profile = only()
    assert figures(summary) == (0, 0, 1, 0, 0)
    assert (profile.first_name, profile.city) == ("Åsa", "Åby")
    assert profile.attributes == {"size": "L"}
    assert len(addresses(profile)) == 2


def test_created_at_is_set_on_creation_only() -> None:
    run("external_id,created_at\nC-1,2020-01-01\n")
    summary = run("external_id,created_at\nC-1,2019-01-01\n")
    assert figures(summary) == (0, 0, 1, 0, 0)
    assert only().created_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_change_updates_and_attributes_merge() -> None:
    run("external_id,first_name,size\nC-1,Åsa,L\n")
    later = datetime(2026, 4, 1, tzinfo=UTC)
    summary = run("external_id,first_name,colour\nC-1,Åse,red\n", now=later)
    profile = only()
    assert figures(summary) == (0, 1, 0, 0, 0)
    assert (profile.first_name, profile.updated_at) == ("Åse", later)
    assert profile.attributes == {"size": "L", "colour": "red"}


def test_first_address_given_becomes_preferred_and_others_stay() -> None:
    run("external_id,email\nC-1,a@example.com\n")
    run("external_id,email\nC-1,b@example.com; c@example.com\n")
    assert addresses(only()) == [
        (0, "a@example.com", False),
        (0, "b@example.com", True),
        (0, "c@example.com", False),
    ]


def test_earlier_address_can_become_preferred_again() -> None:
    run("external_id,email\nC-1,a@example.com;b@example.com\n")
    summary = run("external_id,email\nC-1,b@example.com\n")
    assert figures(summary) == (0, 1, 0, 0, 0)
    assert addresses(only()) == [
        (0, "a@example.com", False),
        (0, "b@example.com", True),
    ]


def test_other_spelling_of_an_address_replaces_the_former() -> None:
    run("external_id,email\nC-1,a@example.com\n")
    summary = run("external_id,email\nC-1,A@EXAMPLE.com\n")
    assert figures(summary) == (0, 1, 0, 0, 0)
    assert addresses(only()) == [(0, "A@EXAMPLE.com", True)]


def test_repeated_external_id_is_one_profile() -> None:
    summary = run(
        "external_id,first_name,last_name,email,no_email,no_sms\n"
        "C-1,Anna,Åby,a@example.com,1,\n"
        "C-2,Bo,,,,\n"
        "C-1,Anne,,b@example.com,0,1\n"
    )
    profile = Profile.objects.get(external_id="C-1")
    assert figures(summary) == (2, 0, 0, 1, 0)
    assert (profile.first_name, profile.last_name) == ("Anne", "Åby")
    assert addresses(profile) == [
        (0, "a@example.com", False),
        (0, "b@example.com", True),
    ]
    assert channels(profile) == {0, 1}


def test_opt_outs_are_set_with_a_ledger_row_each() -> None:
    summary = run("external_id,email,no_contact,no_email\nC-1,a@example.com,yes,1\n")
    events = ConsentEvent.objects.order_by("channel")
    assert summary.opt_outs_set == 2
    assert channels(only()) == {ANY_CHANNEL, Channel.EMAIL}
    assert [(e.channel, e.source, e.actor, e.at) for e in events] == [
        (ANY_CHANNEL, "import", "tester", NOW),
        (Channel.EMAIL, "import", "tester", NOW),
    ]
    assert [event.address_digest for event in events] == [
        None,
        parse(Channel.EMAIL, "a@example.com").digest,
    ]


def test_opt_out_of_a_stored_profile_is_set_once() -> None:
    profile = factories.make_profile(external_id="C-1", email="a@example.com")
    factories.make_opt_out(profile=profile, channel=Channel.SMS)
    summary = run("external_id,no_email,no_sms\nC-1,1,1\n")
    event = ConsentEvent.objects.get()
    assert figures(summary) == (0, 1, 0, 0, 0)
    assert summary.opt_outs_set == 1
    assert event.channel == Channel.EMAIL
    assert event.address_digest == parse(Channel.EMAIL, "a@example.com").digest


def test_opt_out_is_never_lifted() -> None:
    profile = factories.make_profile(external_id="C-1")
    factories.make_opt_out(profile=profile, channel=Channel.EMAIL)
    factories.make_opt_out(profile=profile, channel=Channel.FAX)
    summary = run("external_id,no_email,no_sms\nC-1,0,0\n")
    assert summary.opt_outs_kept == 1
    assert figures(summary) == (0, 0, 1, 0, 0)
    assert OptOut.objects.count() == 2
    assert not ConsentEvent.objects.exists()


def test_erased_profile_is_not_filled_again() -> None:
    erased = factories.make_profile(email=None)
    Profile.objects.filter(pk=erased.pk).update(external_id=None, erased_at=NOW)
    run("external_id,email\nC-1,a@example.com\n")
    erased.refresh_from_db()
    assert erased.external_id is None
    assert Profile.objects.count() == 2


def test_mapped_columns_are_read_as_fields() -> None:
    run(
        "Kundnr,E-post,Namn\n1,a@example.com,Åsa\n",
        mapping={"kundnr": "external_id", "E-post": "email"},
    )
    profile = only()
    assert profile.external_id == "1"
    assert profile.attributes == {"Namn": "Åsa"}
    assert addresses(profile) == [(0, "a@example.com", True)]
