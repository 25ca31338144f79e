from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from profiles import periods
from profiles.periods import Period

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def test_period_begins_and_ends_at_midnight_of_its_own_clock():
    period = Period(date(2026, 3, 2), date(2026, 3, 3), STOCKHOLM)

    assert period.since == datetime(2026, 3, 1, 23, tzinfo=UTC)
    assert period.until == datetime(2026, 3, 3, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 6, 1), 24), (date(2026, 10, 25), 25)],
    ids=["clock forward", "usual", "clock back"],
)
def test_day_is_as_long_as_the_clock_makes_it(day, hours):
    period = Period(day, day, STOCKHOLM)
    since, until = period.since.astimezone(UTC), period.until.astimezone(UTC)

    assert until - since == timedelta(hours=hours)


def test_day_without_midnight_begins_where_the_clock_goes_on():
    period = Period(date(2026, 3, 29), date(2026, 3, 29), ZoneInfo("Asia/Beirut"))

    assert period.since.astimezone(UTC) == datetime(2026, 3, 28, 22, tzinfo=UTC)


def test_last_days_end_today_by_the_console_clock(settings):
    settings.TIME_ZONE = "Europe/Stockholm"

    period = periods.last_days(7, now=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))

    assert (period.first, period.last) == (date(2026, 2, 25), date(2026, 3, 3))


def test_short_period_has_days_and_long_one_mondays():
    short = Period(date(2026, 1, 1), date(2026, 4, 2), STOCKHOLM)
    long = Period(date(2026, 1, 1), date(2026, 4, 3), STOCKHOLM)

    assert (len(short.steps), short.steps[0]) == (92, date(2026, 1, 1))
    assert (long.steps[0], long.steps[-1]) == (date(2025, 12, 29), date(2026, 3, 30))
    assert len(long.steps) == 14
    assert long.step_of(date(2026, 1, 4)) == date(2025, 12, 29)
    assert short.step_of(date(2026, 1, 4)) == date(2026, 1, 4)
