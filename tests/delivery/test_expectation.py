"""Opt-outs and quarantine against what is usual: figures, words, pictures."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from delivery import expectation
from optout.models import ConsentEvent
from optout.models.ledger import ConsentSource, Direction
from quarantine.models import QuarantineEvent
from quarantine.reasons import Event, Source, Status

pytestmark = pytest.mark.django_db
# Half of today has passed.
NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)


def stop(*, days_ago: int, count: int = 1, direction: Direction = Direction.OUT):
    for _number in range(count):
        ConsentEvent.objects.create(
            at=NOW - timedelta(days=days_ago),
            profile_id=1,
            direction=direction,
            channel=0,
            source=ConsentSource.OPERATOR,
        )


def quarantine(*, days_ago: int, before: Status | None, after: Status | None):
    QuarantineEvent.objects.create(
        channel=0,
        digest=uuid4(),
        at=NOW - timedelta(days=days_ago),
        event=Event.HARD_ERROR,
        from_status=before,
        to_status=after,
        source=Source.BOUNCE,
    )


def test_last_seven_days_are_counted_one_by_one():
    stop(days_ago=0, count=3)
    stop(days_ago=6, count=2)
    stop(days_ago=7, count=9)
    stop(days_ago=1, count=5, direction=Direction.IN)

    trend = expectation.of_opt_outs(NOW)

    assert [day.count for day in trend.days] == [2, 0, 0, 0, 0, 0, 3]
    assert [f"{day.day:%d}" for day in trend.days][::6] == ["24", "30"]
    assert trend.count == 5


def test_usual_is_the_average_of_the_four_weeks_before():
    stop(days_ago=7, count=28)
    stop(days_ago=34, count=28)
    stop(days_ago=35, count=28)

    trend = expectation.of_opt_outs(NOW)

    assert trend.usual == 2.0
    # Six days and a half.
    assert trend.expected == 13.0


@pytest.mark.parametrize(
    ("before", "now", "word", "tone"),
    [
        (0, 0, "As usual", "good"),
        (0, 9, "As usual", "good"),
        (0, 10, "New: none in the four weeks before", "info"),
        (56, 19, "As usual", "good"),
        (56, 20, "More than usual (1.5 times)", "warn"),
        (56, 38, "More than usual (2.9 times)", "warn"),
        (56, 39, "More than usual (3.0 times)", "bad"),
        (28, 130, "More than usual (20 times)", "bad"),
        (56, 7, "As usual", "good"),
        (56, 6, "Fewer than usual", "quiet"),
        (28, 0, "As usual", "good"),
    ],
)
def test_word_says_how_it_compares(before, now, word, tone):
    stop(days_ago=20, count=before)
    stop(days_ago=2, count=now)

    trend = expectation.of_opt_outs(NOW)

    assert (trend.word, trend.tone) == (word, tone)


def test_only_addresses_that_come_into_quarantine_count():
    quarantine(days_ago=1, before=None, after=Status.QUARANTINE)
    quarantine(days_ago=1, before=Status.ERRONEOUS, after=Status.DENYLISTED)
    quarantine(days_ago=1, before=Status.QUARANTINE, after=Status.DENYLISTED)
    quarantine(days_ago=1, before=Status.QUARANTINE, after=Status.VALID)
    quarantine(days_ago=1, before=None, after=Status.ERRONEOUS)

    assert [day.count for day in expectation.of_quarantine(NOW).days][5:] == [2, 0]


def test_highest_bar_fills_the_picture_and_the_line_is_to_scale():
    stop(days_ago=0, count=8)
    stop(days_ago=1, count=2)
    stop(days_ago=10, count=56)

    trend = expectation.of_opt_outs(NOW)

    assert [day.height for day in trend.days][5:] == [24.0, 96.0]
    assert (trend.days[6].x, trend.days[6].y, trend.width) == (60, 4.0, 70)
    assert trend.usual_y == 76.0
