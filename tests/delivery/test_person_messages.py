"""The latest messages of a person, on their page."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery import person_messages
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.models import Delivery, Message
from delivery.person_messages import PersonMessage
from delivery.states import MessageStatus
from profiles.models import Profile
from tests import factories
from tests.delivery.sending_stage import Wire, make_confirmed, make_sending, send_once

pytestmark = pytest.mark.django_db
GONE = Outcome(OutcomeKind.HARD, Phase.RCPT, 550, "5.1.1", "550 5.1.1 Nobody <here>")
BROKEN = Outcome(OutcomeKind.AMBIGUOUS, Phase.CONTENT, code="connection_broken")


@pytest.fixture
def anna(db):
    return factories.make_profile(external_id="anna", email="anna@example.com")


def send(outcome: Outcome, *, label: str) -> Delivery:
    delivery = make_sending(label=label)
    send_once(Wire(outcome))
    delivery.refresh_from_db()
    return delivery


def card_of(profile: Profile) -> list[PersonMessage]:
    return person_messages.begun(person_messages.latest_of([profile.pk]))


def told(rows: list[PersonMessage]) -> list[tuple[str, MessageStatus, str]]:
    return [(row.delivery.label, row.status, row.reply) for row in rows]


def test_messages_are_listed_with_what_was_said_last_the_newest_first(anna):
    send(BROKEN, label="First")
    send(GONE, label="Second")
    factories.make_opt_out(profile=anna)
    make_sending(label="Third")

    assert told(card_of(anna)) == [
        ("Third", MessageStatus.EXCLUDED, ""),
        ("Second", MessageStatus.FAILED, "550 5.1.1 Nobody <here>"),
        ("First", MessageStatus.READY, "connection_broken"),
    ]


def test_last_attempt_is_the_one_that_counts(anna):
    delivery = send(BROKEN, label="Twice")
    past = timezone.now() - timedelta(seconds=1)
    Message.objects.update(due_at=past)
    delivery.current_analysis.parts.update(due_at=past)
    before = timezone.now()
    send_once(Wire(GONE))

    (message,) = card_of(anna)

    assert (message.status, message.reply) == (MessageStatus.FAILED, GONE.reply)
    assert message.at >= before


def test_delivery_that_did_not_begin_and_messages_of_others_are_not_listed(anna):
    make_confirmed(label="Later", contact_at=timezone.now() + timedelta(hours=1))
    other = factories.make_profile(email="bo@example.com")

    assert card_of(anna) == []
    send(GONE, label="Now")
    factories.make_profile(email="new@example.com")
    assert len(card_of(other)) == 1
    new = factories.make_profile(email="newer@example.com")
    assert card_of(new) == []


def test_as_many_deliveries_are_looked_through_and_shown_as_is_said(anna, monkeypatch):
    for n in range(4):
        send(GONE, label=str(n))
    monkeypatch.setattr(person_messages, "SHOWN", 2)

    assert [row.delivery.label for row in card_of(anna)] == [
        "3",
        "2",
    ]

    monkeypatch.setattr(person_messages, "LOOKED_THROUGH", 1)
    assert [row.delivery.label for row in card_of(anna)] == ["3"]


def test_number_of_questions_does_not_grow(anna, django_assert_num_queries):
    for n in range(3):
        send(GONE, label=str(n))

    with django_assert_num_queries(2):
        assert len(card_of(anna)) == 3


@pytest.mark.postgres
def test_only_the_partitions_of_these_deliveries_are_opened(anna, monkeypatch):
    deliveries = [send(GONE, label=str(n)) for n in range(3)]
    monkeypatch.setattr(person_messages, "LOOKED_THROUGH", 1)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        card_of(anna)

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {queries[1]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    opened = {
        each.current_analysis_id
        for each in deliveries
        if f"delivery_message_{each.current_analysis_id}" in plan
    }
    assert opened == {deliveries[-1].current_analysis_id}


def test_page_of_a_person_lists_their_messages(anna, client, operator):
    delivery = send(GONE, label="Spring & all")
    client.force_login(operator)

    text = client.get(f"/console/profiles/{anna.pk}/").content.decode()

    assert "Latest messages" in text
    assert (
        f'<a href="/console/deliveries/{delivery.pk}/messages/{anna.pk}/">'
        "Spring &amp; all</a>" in text
    )
    assert "550 5.1.1 Nobody &lt;here&gt;" in text


def test_addresses_in_replies_are_hidden_from_whoever_may_not_read_them(
    anna, client, onlooker
):
    reply = "550 <anna@example.com> unknown"
    send(Outcome(OutcomeKind.HARD, Phase.RCPT, 550, "5.1.1", reply), label="Spring")
    onlooker.user_permissions.set(
        Permission.objects.filter(codename__in=["view_profile", "view_message"])
    )
    client.force_login(onlooker)

    text = client.get(f"/console/profiles/{anna.pk}/").content.decode()

    assert "550 &lt;a•••@example.com&gt; unknown" in text
    assert "anna@example.com" not in text


def test_who_may_not_see_messages_sees_none(anna, client, onlooker):
    send(GONE, label="Spring")
    onlooker.user_permissions.set(
        Permission.objects.filter(codename__in=["view_profile"])
    )
    client.force_login(onlooker)

    text = client.get(f"/console/profiles/{anna.pk}/").content.decode()

    assert "Latest messages" not in text and "Spring" not in text


def test_person_without_messages_is_told_so(anna, client, operator):
    client.force_login(operator)

    text = client.get(f"/console/profiles/{anna.pk}/").content.decode()

    assert "None of the latest deliveries went to this person." in text
