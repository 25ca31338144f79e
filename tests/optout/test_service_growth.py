from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from optout import service_growth, subscriptions
from optout.models import Subscription
from optout.models.ledger import ConsentSource
from optout.service_growth import Moves
from profiles.periods import Period
from tests import factories

pytestmark = pytest.mark.django_db
# Three weeks that begin on the Mondays 2, 9 and 16 March.
PERIOD = Period(date(2026, 3, 4), date(2026, 3, 18), ZoneInfo("Europe/Stockholm"))
FIRST, SECOND, THIRD = date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16)
NOW = datetime(2026, 3, 25, 12, tzinfo=UTC)


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def join(service, day: datetime, source=ConsentSource.LANDING_PAGE):
    person = factories.make_profile()
    subscriptions.subscribe(
        person, service, by="tests", source=source, now=day, tells=False
    )
    return person


def leave(person, service, day: datetime) -> None:
    subscriptions.unsubscribe(
        person, service, by="tests", source=ConsentSource.ONE_CLICK, now=day
    )


def test_weeks_have_who_came_who_left_and_how_many_were_there():
    service = factories.make_service()
    before = join(service, datetime(2026, 2, 1, tzinfo=UTC))
    join(service, at(5))
    # Sunday late in the evening of UTC is Monday where the clock is.
    quitter = join(service, at(8, 23), ConsentSource.IMPORT)
    leave(quitter, service, at(17))
    leave(before, service, at(17))
    join(service, at(20))

    growth = service_growth.growth(PERIOD, service, now=NOW)

    assert growth.weeks == {
        FIRST: Moves(subscribed=1, confirmed=1),
        SECOND: Moves(subscribed=1),
        THIRD: Moves(unsubscribed=2),
    }
    assert growth.members == {service: 2}
    assert growth.totals == {FIRST: 2, SECOND: 3, THIRD: 1}


def test_expiry_counts_in_its_week_unless_the_person_left_before():
    service = factories.make_service(validity_days=10)
    for _number in range(2):
        join(service, datetime(2026, 2, 28, 12, tzinfo=UTC))
    gone = join(service, datetime(2026, 2, 28, 12, tzinfo=UTC))
    leave(gone, service, at(6))
    join(service, at(24))

    growth = service_growth.growth(PERIOD, service, now=NOW)

    assert growth.weeks[FIRST] == Moves(unsubscribed=1)
    assert growth.weeks[SECOND] == Moves(expired=2)
    assert growth.members == {service: 1}
    # A renewal looks like a subscription: the line would be wrong.
    assert growth.totals is None


def test_services_are_counted_next_to_each_other():
    one, other = factories.make_service(), factories.make_service()
    join(one, at(5))
    leave(join(other, at(5)), other, at(6))

    growth = service_growth.growth(PERIOD, None, now=NOW)

    assert growth.services == {
        one: Moves(subscribed=1, confirmed=1),
        other: Moves(subscribed=1, confirmed=1, unsubscribed=1),
    }
    assert growth.weeks[FIRST].net == 1


def test_subscription_that_is_still_valid_did_not_expire():
    service = factories.make_service()
    factories.make_subscription(
        profile=factories.make_profile(),
        service=service,
        expires_at=NOW + timedelta(days=1),
    )

    growth = service_growth.growth(PERIOD, service, now=NOW)

    assert sum(moves.expired for moves in growth.weeks.values()) == 0
    assert Subscription.objects.count() == growth.members[service] == 1
