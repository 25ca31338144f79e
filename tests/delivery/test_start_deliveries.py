"""What deliveries wait for: each state, to whom it is shown, how many at most."""

from datetime import UTC, datetime, timedelta

import pytest

from delivery import start_deliveries
from delivery.models import Analysis, Attempt, Delivery, Extraction, Part
from delivery.start_page import Task
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def tasks(*rights: str) -> list[Task]:
    found = start_deliveries.find(NOW)
    return list(found.tasks(lambda right: not rights or right in rights))


def facts(*rights: str) -> list[tuple[str, str, str, str]]:
    return [(each.title, each.why, each.tone, each.note) for each in tasks(*rights)]


def make_sending(*, due_at: datetime) -> Delivery:
    factories.make_profile(external_id="P-1", email="p1@example.com")
    delivery = factories.make_analysed_delivery(label="Spring")
    Delivery.objects.filter(pk=delivery.pk).update(status="sending", started_at=NOW)
    Part.objects.create(
        analysis_id=delivery.current_analysis_id,
        first_profile_id=1,
        last_profile_id=9,
        due_at=due_at,
    )
    return delivery


def make_attempt(*, ended_at: datetime) -> None:
    Attempt.objects.create(
        analysis_id=1,
        profile_id=1,
        number=1,
        slot_id=1,
        started_at=ended_at,
        ended_at=ended_at,
        outcome=0,
        phase=0,
    )


def test_draft_waits_for_its_analysis():
    delivery = factories.make_delivery()

    assert facts() == [("Spring", "Not analysed yet", "info", "")]
    assert tasks()[0].url == f"/console/deliveries/{delivery.pk}/"


def test_failed_analysis_says_why():
    delivery = factories.make_delivery()
    Analysis.objects.create(delivery=delivery, status="stopped")
    Analysis.objects.create(delivery=delivery, status="failed", error="No room.")

    assert facts() == [("Spring", "Its analysis failed", "bad", "No room.")]


@pytest.mark.parametrize(("minutes", "count"), [(9, 0), (11, 1)])
def test_analysis_that_stands_still_gives_no_sign_of_life(minutes, count):
    delivery = factories.make_delivery(status="analysing")
    Analysis.objects.create(
        delivery=delivery,
        started_at=NOW - timedelta(hours=1),
        heartbeat_at=NOW - timedelta(minutes=minutes),
    )

    note = "Its analysis stands still. Is a worker running?"
    assert facts() == [("Spring", "No sign of life", "bad", note)][:count]


def test_analysed_delivery_is_to_be_confirmed():
    factories.make_profile(external_id="P-1", email="p1@example.com")
    delivery = factories.make_analysed_delivery()

    assert facts() == [("Spring", "To be confirmed", "info", "1 message to send")]
    assert tasks()[0].url == f"/console/deliveries/{delivery.pk}/confirm/"


@pytest.mark.parametrize(
    ("status", "why", "tone"),
    [
        ("analysed", "Did not begin", "warn"),
        ("paused", "Paused", "warn"),
        ("failed", "Sending failed", "bad"),
    ],
)
def test_delivery_that_stopped_says_why(status, why, tone):
    factories.make_delivery(status=status, stop_note="The relay is gone.")

    assert facts() == [("Spring", why, tone, "The relay is gone.")]


def test_messages_that_are_due_and_do_not_go_out_are_told():
    make_sending(due_at=NOW - timedelta(minutes=4))
    make_attempt(ended_at=NOW - timedelta(minutes=4))

    note = "Messages are due and none goes out. Is a worker running?"
    assert facts() == [("Spring", "No sign of life", "bad", note)]


@pytest.mark.parametrize(
    ("due", "last"), [(2, 9), (4, 2), (-1, 9)], ids=["fresh", "at work", "put off"]
)
def test_sending_that_goes_on_needs_nobody(due, last):
    make_sending(due_at=NOW - timedelta(minutes=due))
    make_attempt(ended_at=NOW - timedelta(minutes=9))
    make_attempt(ended_at=NOW - timedelta(minutes=last))

    assert facts() == []
    assert len(start_deliveries.find(NOW).on_their_way) == 1


def test_file_waits_until_it_is_handed_over():
    delivery = factories.make_delivery(status="finished")
    file = Extraction.objects.create(delivery=delivery, row_count=1200)
    assert facts() == []
    file.produced_at = NOW
    file.save()
    assert facts() == [("Spring", "File to be fetched", "warn", "1,200 rows")]
    file.closed_at = NOW
    file.save()
    assert facts() == []


@pytest.mark.parametrize("status", ["confirmed", "finished", "cancelled"])
def test_delivery_that_waits_for_nobody_is_no_task(status):
    factories.make_delivery(status=status)

    assert facts() == []


@pytest.mark.parametrize(
    ("right", "titles"),
    [
        ("delivery.view_delivery", []),
        ("delivery.analyse_delivery", ["draft"]),
        ("delivery.confirm_delivery", ["failed", "held", "paused", "analysed"]),
        ("delivery.download_extraction", ["file"]),
    ],
)
def test_only_who_can_do_it_is_asked(right, titles):
    for status in ("draft", "analysed", "paused", "failed"):
        factories.make_delivery(label=status, status=status)
    factories.make_delivery(label="held", status="analysed", stop_note="Too late.")
    done = factories.make_delivery(label="file", status="finished")
    Extraction.objects.create(delivery=done, produced_at=NOW)

    assert [each.title for each in tasks(right)] == titles


def test_of_many_five_are_named_and_the_rest_counted(django_assert_num_queries):
    for number in range(8):
        factories.make_delivery(label=f"Draft {number}")
        factories.make_delivery(label=f"Paused {number}", status="paused")

    with django_assert_num_queries(1):
        found = tasks()

    newest = [7, 6, 5, 4, 3]
    assert [each.title for each in found] == [
        *(f"Paused {number}" for number in newest),
        "and 3 more",
        *(f"Draft {number}" for number in newest),
        "and 3 more",
    ]
    assert (found[5].url, found[5].tone) == ("/console/deliveries/", "warn")


def test_newest_are_shown_whatever_they_wait_for():
    for number in range(6):
        factories.make_delivery(label=str(number), status="finished")
    factories.make_delivery(label="6", status="paused")

    latest = start_deliveries.find(NOW).latest

    assert [each.label for each in latest] == ["6", "5", "4", "3", "2"]
