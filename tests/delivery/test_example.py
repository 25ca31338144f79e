from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django_tasks_db.models import DBTaskResult

from delivery import example, example_files
from delivery.models import Delivery
from optout.models import ConsentEvent, LandingPage, OptOut, Subscription
from profiles.models import Address, Profile
from quarantine.models import QuarantinedAddress
from tests import factories

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OUR_DOMAINS = ("example.com", "example.org", "example.net")


def test_example_people_are_the_same_every_time():
    assert list(example_files.profile_rows()) == list(example_files.profile_rows())


def test_example_mailboxes_belong_to_nobody():
    emails = [row["email"] for row in example_files.profile_rows()]

    domains = {email.partition("@")[2] for email in emails if "@" in email}

    assert all(domain.endswith(OUR_DOMAINS) for domain in domains)


@pytest.mark.django_db(transaction=True)
def test_example_shows_every_part_of_the_product():
    loaded = example.load(now=NOW)

    assert loaded.profiles == Profile.objects.count() == example_files.PROFILE_COUNT
    assert loaded.quarantined == QuarantinedAddress.objects.count() > 50
    of_channels = ConsentEvent.objects.filter(service_id=None)
    assert OptOut.objects.count() == of_channels.count() > 100
    assert Subscription.objects.current(NOW).count() > 200
    assert Address.objects.filter(is_deliverable=False).exists()
    spring = Delivery.objects.earliest("pk").current_analysis
    monthly = Delivery.objects.get(service__name="news").current_analysis
    assert monthly.excluded_counts["not_subscribed"] > 100
    states = LandingPage.objects.values_list("state", flat=True)
    assert sorted(states) == ["draft", "published", "published"]
    excluded = {code for code, count in spring.excluded_counts.items() if count}
    assert excluded == {
        "address_not_specified",
        "bad_quality_address",
        "opted_out_any",
        "opted_out_channel",
        "quarantined_address",
        "denylisted_address",
        "suppressed_address",
        "duplicate_address",
    }
    assert Delivery.objects.filter(current_analysis=None).count() == 1
    # Nobody we invent gets a mail about it.
    assert not DBTaskResult.objects.exists()


@pytest.mark.django_db
def test_example_is_refused_where_there_are_people():
    factories.make_profile()

    with pytest.raises(CommandError, match="the database has profiles already"):
        call_command("load_example")

    assert Profile.objects.count() == 1


@pytest.mark.django_db
def test_example_leaves_people_alone_when_that_is_asked_for(capsys):
    factories.make_profile()

    call_command("load_example", if_empty=True)

    assert capsys.readouterr().out == ""
    assert Profile.objects.count() == 1
