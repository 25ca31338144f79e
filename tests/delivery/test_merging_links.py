"""Links, pages and operators that mean a profile which was merged."""

from datetime import UTC, datetime

import pytest

from delivery import erasure
from optout import choosing, confirmation, stopping, subscriptions, tokens
from optout.models import ConsentEvent, SignUp, Subscription
from optout.models.ledger import ConsentSource, Direction
from optout.tokens import Link, Purpose
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address
from tests import factories
from tests.delivery.merging_stage import DAY, NOW, flags, merge, opt_out


@pytest.mark.parametrize("purpose", [Purpose.ONE_CLICK, Purpose.STOP])
def test_link_of_the_profile_that_went_stops_the_one_that_lives_on(
    client, keep, lose, purpose
):
    token = tokens.make(Link(lose.pk, Channel.EMAIL, NOW - DAY), purpose)
    merge(keep, lose)

    if purpose is Purpose.ONE_CLICK:
        client.post(f"/u/{token}", {"List-Unsubscribe": "One-Click"})
    else:
        link = tokens.read(token, purpose, now=NOW)
        stopping.stop(link, source=ConsentSource.MAILTO, language="", now=NOW)

    assert flags(keep) == [Channel.EMAIL]
    row = ConsentEvent.objects.get(direction=Direction.OUT)
    assert row.profile_id == keep.pk
    assert row.address_digest == Address.objects.get(value="k@example.com").digest


def test_link_of_the_profile_that_went_ends_the_subscription(keep, lose):
    service = factories.make_service()
    factories.make_subscription(profile=keep, service=service)
    factories.make_subscription(profile=lose, service=service)
    merge(keep, lose)
    link = Link(lose.pk, Channel.EMAIL, NOW - DAY, service.pk)

    event_id = stopping.stop(link, source=ConsentSource.MAILTO, language="", now=NOW)

    assert Subscription.objects.get().unsubscribed_at == NOW
    assert ConsentEvent.objects.get(pk=event_id).profile_id == keep.pk
    assert (
        stopping.stop(link, source=ConsentSource.MAILTO, language="", now=NOW) is None
    )


def test_preferences_link_of_the_profile_that_went_can_only_stop(client, keep, lose):
    opt_out(lose, Channel.EMAIL)
    link = Link(lose.pk, Channel.EMAIL, datetime.now(UTC))
    merge(keep, lose)

    page = client.get(f"/p/{tokens.make(link, Purpose.PREFERENCES)}").content.decode()

    assert "This link is too old to choose what you get; it can still stop it." in page
    assert "k•••" not in page and "They are stopped already." in page


def test_older_preferences_link_of_the_one_that_lives_on_starts_nothing(
    client, keep, lose
):
    opt_out(lose, Channel.EMAIL, NOW - 3 * DAY)
    merge(keep, lose)
    wanted = choosing.Wanted(
        channels=frozenset({0}),
        services=frozenset(),
        shown_channels=frozenset({0}),
        shown_services=frozenset(),
    )

    older = choosing.choose(
        Link(keep.pk, 0, NOW - DAY), wanted, language="en", now=NOW + DAY
    )
    newer = choosing.choose(
        Link(keep.pk, 0, NOW + DAY), wanted, language="en", now=NOW + DAY
    )

    assert (older.refused, older.started) == (["Email"], [])
    assert newer.started == ["Email"]


def test_undo_is_over_when_the_profile_was_merged(keep, lose):
    link = Link(keep.pk, Channel.EMAIL, NOW - DAY)
    event_id = stopping.stop(
        link, source=ConsentSource.LANDING_PAGE, language="", now=NOW
    )
    nonce = stopping.undo_nonce(event_id)
    opt_out(lose, Channel.EMAIL)
    merge(keep, lose)

    assert not stopping.undo(link, nonce, language="", now=datetime.now(UTC))
    assert flags(keep) == [Channel.EMAIL]


def test_sign_up_from_before_the_merge_cannot_be_confirmed(keep, lose):
    service = factories.make_service(is_open=True)
    sign_up = SignUp.objects.create(
        address="l@example.com",
        digest=Address.objects.get(value="l@example.com").digest,
        service_ids=[service.pk],
        requested_at=NOW - 2 * DAY,
        language="en",
    )
    subscriptions.unsubscribe(
        lose, service, by="ola", source=ConsentSource.OPERATOR, now=NOW - DAY
    )
    Address.objects.filter(value="l@example.com").update(is_preferred=False)
    merge(keep, lose)

    link = Link(sign_up.pk, Channel.EMAIL, sign_up.requested_at, digest=sign_up.digest)
    assert confirmation.confirm(link, now=NOW)[0] is confirmation.Outcome.OVERTAKEN


def test_operator_and_page_that_mean_the_profile_that_went_reach_who_lives_on(
    keep, lose
):
    service = factories.make_service()
    merge(keep, lose)

    opt_out(lose, Channel.SMS, NOW)
    subscriptions.unsubscribe(
        lose, service, by="", source=ConsentSource.LANDING_PAGE, now=NOW
    )

    assert flags(keep) == [Channel.SMS] and flags(lose) == []
    assert Subscription.objects.get().profile_id == keep.pk


def test_link_of_a_merged_and_erased_profile_still_answers(client, keep, lose):
    token = tokens.make(Link(lose.pk, Channel.SMS, NOW - DAY), Purpose.ONE_CLICK)
    merge(keep, lose)
    erasure.erase(keep, by="ola", reason="Letter 10", now=NOW)

    answer = client.post(f"/u/{token}", {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert flags(keep) == [ANY_CHANNEL, Channel.SMS]
