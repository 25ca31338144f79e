"""Files that still know a profile that was merged: they are about who lives on."""

import io

import pytest

from optout import importing_subscriptions
from optout.importing import import_profiles
from profiles.channels import Channel
from profiles.models import Profile
from profiles.staging import Staging
from tests import factories
from tests.delivery.merging_stage import DAY, NOW, addresses, flags, merge, opt_out


def import_file(text: str) -> None:
    import_profiles(io.BytesIO(text.encode()), now=NOW + DAY)


def test_row_of_a_file_with_the_old_external_id_is_about_who_lives_on(keep, lose):
    opt_out(lose, Channel.EMAIL)
    merge(keep, lose)
    text = "external_id,email,first_name,no_sms\nL,new@example.com,Lo,yes\nK,,Kim,\n"

    import_file(text)

    keep.refresh_from_db()
    assert Profile.objects.count() == 2
    assert keep.first_name == "Kim"
    assert flags(keep) == [Channel.EMAIL, Channel.SMS]
    assert ("new@example.com", True) in addresses(keep)
    again = import_profiles(io.BytesIO(text.encode()), now=NOW + DAY)
    assert (again.unchanged, again.updated, again.created) == (1, 0, 0)


def test_row_of_a_file_without_external_id_finds_who_lives_on(keep, lose):
    opt_out(lose, Channel.EMAIL)
    merge(keep, lose)

    import_file("email,first_name\nL@example.com,Lo\n")

    keep.refresh_from_db()
    assert (Profile.objects.count(), keep.first_name) == (2, "Lo")


def test_file_of_subscriptions_with_the_old_external_id(keep, lose):
    service = factories.make_service(name="news")
    factories.make_subscription(profile=lose, service=service, unsubscribed_at=NOW)
    merge(keep, lose)
    rows = b"external_id,service\nL,news\n"

    summary = importing_subscriptions.import_file(io.BytesIO(rows), now=NOW + DAY)

    assert (summary.kept, summary.failed) == (1, 0)


@pytest.mark.parametrize("named", ["", "L"])
def test_merge_while_a_file_is_read_makes_no_new_profile(
    keep, lose, named, monkeypatch
):
    plan = Staging.plan

    def plan_and_merge(staging):
        plan(staging)
        merge(keep, lose)

    monkeypatch.setattr(Staging, "plan", plan_and_merge)
    rows = f"external_id,email,first_name\n{named},l@example.com,Lo\nK,,Kim\n"
    import_file(rows)

    keep.refresh_from_db()
    assert (Profile.objects.count(), keep.first_name) == (2, "Kim")
