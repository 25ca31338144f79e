from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from optout import consent_figures
from optout.consent_figures import Changes
from optout.models import ConsentEvent
from optout.models.ledger import ConsentSource, Direction
from profiles.channels import ANY_CHANNEL, Channel
from profiles.periods import Period
from tests import factories

pytestmark = pytest.mark.django_db
# The clock goes back on the first day, which has 25 hours.
PERIOD = Period(date(2026, 10, 25), date(2026, 10, 26), ZoneInfo("Europe/Stockholm"))
NOON = datetime(2026, 10, 25, 12, tzinfo=UTC)


def change(direction: Direction, **fields: object) -> ConsentEvent:
    known = {"profile_id": 1, "at": NOON, "source": ConsentSource.OPERATOR}
    about = {} if "service_id" in fields else {"channel": Channel.EMAIL}
    return ConsentEvent.objects.create(direction=direction, **(known | about | fields))


def test_changes_are_counted_by_source_the_most_opt_outs_first():
    service = factories.make_service()
    change(Direction.OUT)
    change(Direction.IN)
    change(Direction.OUT, source=ConsentSource.ONE_CLICK, service_id=service.pk)
    change(Direction.OUT, source=ConsentSource.ONE_CLICK)
    change(Direction.IN, source=ConsentSource.IMPORT, service_id=service.pk)
    change(Direction.MERGE, channel=None)

    report = consent_figures.report(PERIOD, None)

    assert list(report.sources.items()) == [
        ("one_click", Changes(opted_out=1, unsubscribed=1)),
        ("operator", Changes(opted_out=1, opted_in=1)),
        ("import", Changes(subscribed=1)),
    ]
    assert [each.net for each in report.sources.values()] == [-2, 0, 1]


def test_days_are_those_of_the_console_clock():
    for at in (
        datetime(2026, 10, 24, 21, 59, 59, tzinfo=UTC),
        datetime(2026, 10, 24, 22, tzinfo=UTC),
        datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 10, 25, 23, tzinfo=UTC),
        datetime(2026, 10, 26, 23, tzinfo=UTC),
    ):
        change(Direction.OUT, at=at)

    report = consent_figures.report(PERIOD, None)

    assert report.steps == {
        date(2026, 10, 25): Changes(opted_out=2),
        date(2026, 10, 26): Changes(opted_out=1),
    }
    assert consent_figures.opt_outs(PERIOD) == 3


def test_channel_has_its_own_rows_those_of_all_and_its_services():
    letters = factories.make_service()
    texts = factories.make_service(channel=Channel.SMS)
    change(Direction.OUT, channel=Channel.SMS)
    change(Direction.OUT, channel=ANY_CHANNEL)
    change(Direction.OUT, channel=Channel.EMAIL)
    change(Direction.OUT, service_id=texts.pk)
    change(Direction.OUT, service_id=letters.pk)

    report = consent_figures.report(PERIOD, Channel.SMS)

    assert report.sources == {"operator": Changes(opted_out=2, unsubscribed=1)}


def test_deliveries_with_most_opt_outs_are_named_and_the_rest_summed_up():
    for number in range(consent_figures.MOST_DELIVERIES + 2):
        change(Direction.OUT, delivery_id=100 + number)
    change(Direction.OUT, delivery_id=105, service_id=1)
    change(Direction.OUT)
    change(Direction.IN, delivery_id=105)

    found, others = consent_figures.by_delivery(PERIOD, None)

    assert list(found.items())[:2] == [
        (105, Changes(opted_out=1, unsubscribed=1)),
        (121, Changes(opted_out=1)),
    ]
    assert (len(found), others) == (20, Changes(opted_out=2))
