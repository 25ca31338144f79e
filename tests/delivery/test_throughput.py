from datetime import UTC, date, datetime, timedelta

import pytest

from delivery import throughput
from delivery.channels.outcomes import OutcomeKind, Phase
from delivery.models import Attempt, Delivery, DomainDay
from delivery.throughput import Attempts, DomainSpeed
from profiles.channels import Channel
from profiles.periods import Period
from tests import factories

pytestmark = pytest.mark.django_db
BEGUN = datetime(2026, 3, 2, 12, tzinfo=UTC)


def sent_delivery(**fields: object) -> Delivery:
    factories.make_profile()
    delivery = factories.make_analysed_delivery()
    known = {"started_at": BEGUN, "finished_at": BEGUN + timedelta(minutes=4)}
    Delivery.objects.filter(pk=delivery.pk).update(**(known | fields))
    delivery.refresh_from_db()
    return delivery


def attempt(delivery: Delivery, after: timedelta, outcome: OutcomeKind) -> None:
    Attempt.objects.create(
        analysis_id=delivery.current_analysis_id,
        profile_id=1,
        number=1,
        slot_id=1,
        started_at=BEGUN,
        ended_at=BEGUN + after,
        outcome=outcome,
        phase=Phase.CONTENT,
    )


def test_attempts_are_counted_by_what_came_of_them_minute_by_minute():
    delivery, other = sent_delivery(), sent_delivery()
    for outcome in OutcomeKind:
        attempt(delivery, timedelta(seconds=59), outcome)
    attempt(delivery, timedelta(minutes=2), OutcomeKind.SENT)
    attempt(other, timedelta(minutes=1), OutcomeKind.SENT)

    progress = throughput.progress(delivery)

    assert progress.minutes == 1
    assert progress.steps == {
        BEGUN: Attempts(sent=1, deferred=2, failed=2, unknown=1),
        BEGUN + timedelta(minutes=1): Attempts(),
        BEGUN + timedelta(minutes=2): Attempts(sent=1),
    }
    assert progress.total == Attempts(2, 2, 2, 1)


@pytest.mark.parametrize(
    ("span", "minutes", "count"),
    [
        (timedelta(minutes=58), 1, 59),
        (timedelta(minutes=59), 2, 30),
        (timedelta(hours=3, minutes=30), 5, 43),
        (timedelta(days=3, hours=12), 120, 43),
        (timedelta(days=90), 1440, 91),
    ],
    ids=["an hour", "longer", "hours", "with retries", "months"],
)
def test_long_sending_has_longer_steps(span, minutes, count):
    delivery = sent_delivery()
    attempt(delivery, timedelta(0), OutcomeKind.SENT)
    attempt(delivery, span, OutcomeKind.SENT)

    progress = throughput.progress(delivery)

    assert (progress.minutes, len(progress.steps)) == (minutes, count)
    assert progress.total.sent == 2


def test_speed_is_from_the_beginning_of_the_sending_to_its_end():
    for _number in range(7):
        factories.make_profile()
    delivery = sent_delivery()

    assert throughput.per_minute(delivery) == 2
    assert throughput.per_minute(sent_delivery(finished_at=None)) is None


def test_domains_are_those_sent_most_with_their_busiest_day():
    for domain, day, sent, complaints in (
        ("a.example.com", 1, 500, 9),
        ("a.example.com", 2, 10, 0),
        ("a.example.com", 3, 30, 2),
        ("b.example.com", 2, 50, 0),
        ("c.example.com", 2, 0, 0),
    ):
        DomainDay.objects.create(
            domain=domain, day=date(2026, 3, day), sent=sent, complaints=complaints
        )

    found = throughput.domains(date(2026, 3, 2), date(2026, 3, 3))

    assert found == [
        DomainSpeed("b.example.com", 50, 50, 0),
        DomainSpeed("a.example.com", 40, 30, 2),
    ]


def test_deliveries_are_those_whose_sending_began_in_the_period():
    day = Period(BEGUN.date(), BEGUN.date(), UTC)
    early = sent_delivery()
    late = sent_delivery(started_at=BEGUN + timedelta(hours=1))
    sent_delivery(started_at=day.until)
    sent_delivery(started_at=None)

    assert throughput.deliveries(day, None) == [late, early]
    assert throughput.deliveries(day, Channel.SMS) == []
