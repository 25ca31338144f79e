"""A merge and an opt-out at the same moment: in no order is the opt-out lost."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from delivery import merging
from optout import preferences, stopping, subscriptions
from optout.models import OptOut, Subscription
from optout.models.ledger import ConsentSource
from optout.tokens import Link
from profiles import in_flight
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories
from tests.optout.test_late_stops import on_its_way

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOW = {"source": ConsentSource.ONE_CLICK, "now": NOW}


def by_one_click(profile: Profile) -> None:
    preferences.opt_out_one(profile.pk, Channel.EMAIL, **HOW)


def by_operator(profile: Profile) -> None:
    preferences.opt_out(profile, Channel.EMAIL, by="ola", **HOW)


def by_service(profile: Profile) -> None:
    service = Subscription.objects.first().service
    subscriptions.unsubscribe(profile, service, by="", **HOW)


def by_link_of_a_service(profile: Profile) -> None:
    service_id = Subscription.objects.first().service_id
    link = Link(profile.pk, Channel.EMAIL, NOW, service_id)
    stopping.stop(link, language="", **HOW)


WAYS = [by_one_click, by_operator, by_service, by_link_of_a_service]


@pytest.fixture
def keep() -> Profile:
    return factories.make_profile(external_id="K")


@pytest.fixture
def lose(keep: Profile) -> Profile:
    profile = factories.make_profile(external_id="L")
    service = factories.make_service(name="news")
    for each in (keep, profile):
        factories.make_subscription(profile=each, service=service)
    return profile


def meanwhile(act: Callable[[], object]) -> threading.Thread:
    """Start something on a connection of its own."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    # Long enough to come as far as the lock.
    thread.join(0.3)
    return thread


def merge(keep: Profile, lose: Profile) -> None:
    merging.merge(keep, lose, by="ola", reason="One person", now=NOW)


def is_stopped(profile: Profile) -> bool:
    flags = OptOut.objects.filter(profile=profile, channel=Channel.EMAIL)
    left = Subscription.objects.filter(profile=profile, unsubscribed_at__isnull=False)
    return flags.exists() or left.exists()


@pytest.mark.parametrize("stop", WAYS)
def test_opt_out_that_began_before_a_merge_is_taken_over(keep, lose, stop):
    with transaction.atomic():
        stop(lose)
        thread = meanwhile(lambda: merge(keep, lose))
        assert thread.is_alive()
    thread.join()

    lose.refresh_from_db()
    assert lose.merged_into_id == keep.pk
    assert is_stopped(keep)


@pytest.mark.parametrize("stop", WAYS)
def test_opt_out_that_comes_during_a_merge_stops_who_lives_on(keep, lose, stop):
    with transaction.atomic():
        merge(keep, lose)
        thread = meanwhile(lambda: stop(lose))
        assert thread.is_alive()
    thread.join()

    assert is_stopped(keep)
    assert not OptOut.objects.filter(profile=lose).exists()


def test_opt_out_by_an_older_link_during_a_second_merge_is_not_lost(keep, lose):
    last = factories.make_profile(external_id="Z")
    merge(keep, lose)
    with transaction.atomic():
        by_one_click(lose)
        thread = meanwhile(lambda: merge(last, keep))
        assert thread.is_alive()
    thread.join()

    assert is_stopped(last)


def test_merge_gives_up_while_somebody_holds_a_profile(keep, lose):
    with transaction.atomic():
        Profile.objects.select_for_update().get(pk=keep.pk)
        told: list[str] = []

        def attempt() -> None:
            try:
                merge(keep, lose)
            except merging.MergeError as error:
                told.append(str(error))

        meanwhile(attempt).join()

    assert told == [
        "“K” and “L” were not merged: one of them is being changed at this moment,"
        " perhaps by a file. Try again in a minute."
    ]
    lose.refresh_from_db()
    assert lose.merged_into_id is None


@pytest.mark.parametrize("stop", WAYS)
@pytest.mark.parametrize("is_again", [False, True])
def test_stop_by_an_older_link_waits_for_messages_to_who_lives_on(
    keep, lose, stop, is_again, monkeypatch
):
    merge(keep, lose)
    if is_again:
        stop(lose)
    monkeypatch.setattr(in_flight, "LONGEST_WAIT", "100ms")

    with on_its_way(keep), in_flight.watched() as watch:
        stop(lose)

    assert watch.is_late


def test_operator_is_told_of_a_message_that_a_merge_met(
    keep, lose, client, operator, monkeypatch
):
    client.force_login(operator)
    monkeypatch.setattr(in_flight, "LONGEST_WAIT", "100ms")
    url = f"/console/profiles/{keep.pk}/merge/{lose.pk}/"

    with on_its_way(lose):
        answer = client.post(url, {"reason": "One person"}, follow=True)

    text = answer.content.decode()
    assert "was merged into this profile." in text
    assert "A message was just being sent there." in text
