"""Each rule about errors broken on purpose: a journey must come out otherwise.

The journeys are short, whole and literal; every sabotage is caught by at least one.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.db.models import Q

from delivery import analysis, eligibility
from delivery.models import Message
from delivery.states import ExclusionReason
from profiles.channels import Channel
from quarantine import cleaning, errors, incidents, outages, transitions
from quarantine.incidents import Window
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.reasons import OUTAGE_REASONS, Event, Reason, Status
from tests import factories
from tests.quarantine.crowds import MANY, fail, person, states
from tests.quarantine.reports import (
    ANNA,
    DAY,
    FULL,
    HARD,
    NOON,
    SOFT,
    UNSURE,
    delivered,
    report,
    status,
)

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def few_are_many(settings):
    settings.QUARANTINE_OUTAGE_ERRORS = MANY


def five_days() -> None:
    seen = [report(SOFT, NOON + day * DAY).after for day in range(5)]
    assert seen == [*[Status.ERRONEOUS] * 4, Status.QUARANTINE]


def one_day() -> None:
    for hour in range(8):
        report(SOFT, NOON + hour * HOUR)
    assert status() == Status.ERRONEOUS


def ten_days() -> None:
    for number in range(8):
        report(SOFT, NOON + number * 10 * DAY)
    assert status() == Status.ERRONEOUS


def outage_of_an_hour() -> None:
    report(UNSURE)
    report(UNSURE, NOON + HOUR)
    assert status() == Status.ERRONEOUS


def dead_host() -> None:
    report(UNSURE)
    report(UNSURE, NOON + DAY)
    assert status() == Status.QUARANTINE


def works_again() -> None:
    for day in range(4):
        report(SOFT, NOON + day * DAY)
    delivered(NOON + 4 * DAY)
    report(SOFT, NOON + 5 * DAY)
    assert status() == Status.ERRONEOUS


def allowlisted() -> None:
    factories.make_quarantined_address(
        value="anna@example.com", status=Status.ALLOWLISTED
    )
    for day in range(6):
        report(SOFT, NOON + day * DAY)
    report(HARD, NOON + 7 * DAY)
    assert status() == Status.ALLOWLISTED


def complained() -> None:
    """Nothing but a person with the right to it lifts what a complaint did."""
    fail(range(2))
    errors.record_complaint(person(0), now=NOON)
    window = Window(Channel.EMAIL, "example.net", NOON - DAY, NOON + DAY)
    incidents.release(window, by="ola", note="Outage", now=NOON)
    cleaning.clean(now=NOON + 900 * DAY)
    row = QuarantinedAddress.objects.get(digest=person(0).digest)
    assert row.status == Status.DENYLISTED


def full_mailbox() -> None:
    for day in range(5):
        report(FULL, NOON + day * DAY)
    cleaning.clean(now=NOON + 33 * DAY)
    assert status() == Status.QUARANTINE
    cleaning.clean(now=NOON + 34 * DAY)
    assert status() == Status.VALID


def unknown_stays() -> None:
    report(HARD)
    cleaning.clean(now=NOON + 900 * DAY)
    assert status() == Status.QUARANTINE


def provisional_is_excluded() -> None:
    factories.make_profile(email="person0@example.net")
    fail(range(MANY))
    outages.look(Channel.EMAIL, "example.net", at=NOON + HOUR / 2, now=NOON)
    assert states() == {(Status.QUARANTINE, True)}
    run = analysis.prepare(factories.make_delivery(), by="ola", now=NOON)
    [message] = Message.objects.filter(analysis=run)
    assert message.primary_reason == ExclusionReason.QUARANTINED_ADDRESS


JOURNEYS: list[Callable[[], None]] = [
    five_days,
    one_day,
    ten_days,
    outage_of_an_hour,
    dead_host,
    works_again,
    allowlisted,
    complained,
    full_mailbox,
    unknown_stays,
    provisional_is_excluded,
]


def number(name: str, value: int) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(f"django.conf.settings.{name}", value)


def cell(
    state: Status, event: Event, target: transitions.Cell
) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setitem(transitions.TABLE, (state, event), target)


def without_allowlist(patch: pytest.MonkeyPatch) -> None:
    counting = errors.COUNTING | {Status.ALLOWLISTED}
    patch.setattr(errors, "COUNTING", counting)
    cell(Status.ALLOWLISTED, Event.SOFT_ERROR, Status.ERRONEOUS)(patch)


def released_whatever_it_is(patch: pytest.MonkeyPatch) -> None:
    def of_the_time(channel, domain, *, since, until):
        return QuarantinedAddress.objects.filter(domain=domain)

    patch.setattr(outages, "bounced", of_the_time)
    cells = dict.fromkeys(Status, Status.VALID)
    for state, target in cells.items():
        cell(state, Event.RELEASE, target)(patch)


def deliveries_do_not_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(errors, "record_success", lambda *_given, **_fields: None)


def provisional_is_written_to(patch: pytest.MonkeyPatch) -> None:
    rules = tuple(
        rule
        if "known.status = 3" not in rule.condition
        else rule.__class__(
            rule.reason, f"{rule.condition} AND NOT known.is_provisional", rule.joins
        )
        for rule in eligibility.RULES
    )
    assert rules != eligibility.RULES
    patch.setattr(eligibility, "RULES", rules)


def time_releases_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("quarantine.expiry._IS_FULL", Q(pk__gt=0))


SABOTAGES: dict[
    str, tuple[Callable[[pytest.MonkeyPatch], None], Callable[[], None]]
] = {
    "limit of four": (number("QUARANTINE_SOFT_LIMIT", 4), five_days),
    "limit of six": (number("QUARANTINE_SOFT_LIMIT", 6), five_days),
    "every error counts": (number("QUARANTINE_SIGNIFICANT_HOURS", 0), one_day),
    "count never begins anew": (number("QUARANTINE_RESET_DAYS", 999), ten_days),
    "confirmed at once": (number("QUARANTINE_CONFIRM_HOURS", 0), outage_of_an_hour),
    "never confirmed": (number("QUARANTINE_CONFIRM_HOURS", 999), dead_host),
    "delivery does not count": (deliveries_do_not_count, works_again),
    "allowlist does not hold soft errors": (without_allowlist, allowlisted),
    "allowlist does not hold hard errors": (
        cell(Status.ALLOWLISTED, Event.HARD_ERROR, Status.QUARANTINE),
        allowlisted,
    ),
    "complaint is part of an incident": (released_whatever_it_is, complained),
    "complaint does not outlast a bounce": (
        cell(Status.QUARANTINE, Event.COMPLAINT, transitions.KEEP),
        complained,
    ),
    "full mailbox is released a day early": (
        number("QUARANTINE_MAILBOX_FULL_DAYS", 29),
        full_mailbox,
    ),
    "full mailbox is released a day late": (
        number("QUARANTINE_MAILBOX_FULL_DAYS", 31),
        full_mailbox,
    ),
    "time releases whatever bounced": (time_releases_all, unknown_stays),
    "provisional is written to": (provisional_is_written_to, provisional_is_excluded),
}


@pytest.mark.django_db
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.__name__)
def test_journey_comes_out_as_the_rules_say(journey):
    journey()


@pytest.mark.django_db
@pytest.mark.parametrize("name", SABOTAGES)
def test_sabotage_of_a_rule_is_caught(name, monkeypatch):
    sabotage, journey = SABOTAGES[name]
    sabotage(monkeypatch)

    with pytest.raises(AssertionError):
        journey()


@pytest.mark.django_db
def test_no_reason_of_a_person_counts_as_one_of_an_outage():
    of_people = {
        Reason.NONE,
        Reason.COMPLAINT,
        Reason.STOP,
        Reason.OWNER_CHANGED,
        Reason.LISTED,
        Reason.ERASED,
        Reason.ERROR_IGNORED,
    }

    assert set(Reason) - OUTAGE_REASONS == of_people


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "known"])
def test_workers_that_record_at_the_same_time_count_once_a_day(is_known):
    workers = 8
    barrier = Barrier(workers)
    if is_known:
        report(SOFT, NOON - DAY)

    def act(_worker):
        try:
            barrier.wait(timeout=10)
            return report(SOFT).event
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        events = list(pool.map(act, range(workers)))

    row = QuarantinedAddress.objects.get(digest=ANNA.digest)
    assert row.significant_error_count == 1 + is_known
    assert events.count(Event.SOFT_ERROR) == 1
    assert events.count(Event.ERROR_NOTED) == workers - 1
    assert QuarantineEvent.objects.count() == workers + is_known


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_outage_that_many_workers_see_is_held_once():
    workers, size = 6, 60
    barrier = Barrier(workers)

    def act(worker):
        try:
            barrier.wait(timeout=10)
            for place in range(worker, size, workers):
                report(HARD, NOON + timedelta(seconds=place), parsed=person(place))
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(act, range(workers)))

    batch = outages.QuarantineBatch.objects.get()
    assert outages.discard(batch, by="ola", note="Outage", now=NOON + DAY) == size
    assert states() == {(Status.VALID, False)}
