"""The circuit breaker: a crowd that fails together is held as provisional."""

from datetime import timedelta

import pytest
from django.test import override_settings

from quarantine import cleaning, incidents, outages
from quarantine.cleaning import Cleaned
from quarantine.listing import relist_address
from quarantine.models import (
    BatchState,
    QuarantineBatch,
    QuarantinedAddress,
    QuarantineEvent,
)
from quarantine.reasons import Event, Reason, Status
from quarantine.transitions import QuarantineError
from tests.quarantine.crowds import MANY, fail, person, states
from tests.quarantine.reports import DAY, NOON, OWNER, report

pytestmark = pytest.mark.django_db
PROVISIONAL = {(Status.QUARANTINE, True)}
DEFINITE = {(Status.QUARANTINE, False)}
RELEASED = {(Status.VALID, False)}


@pytest.fixture(autouse=True)
def many(settings, django_capture_on_commit_callbacks, monkeypatch):
    """Five are many, and what is looked for after a commit is looked for at once."""
    settings.QUARANTINE_OUTAGE_ERRORS = MANY
    monkeypatch.setattr(
        "quarantine.errors.transaction.on_commit", lambda look, robust: look()
    )


def held() -> QuarantineBatch:
    return QuarantineBatch.objects.get(state=BatchState.OPEN)


def test_one_less_than_many_is_no_outage():
    fail(range(MANY - 1))

    assert states() == DEFINITE
    assert not QuarantineBatch.objects.exists()


def test_crowd_is_held_from_its_first_to_its_last_address():
    fail(range(MANY + 3))

    assert states() == PROVISIONAL
    batch = held()
    assert (batch.domain, batch.began_at) == ("example.net", NOON)
    assert batch.ended_at == NOON + timedelta(minutes=MANY + 2)
    assert outages.provisional(batch).count() == MANY + 3


def test_crowd_that_comes_too_slowly_is_no_outage():
    for number in range(2 * MANY):
        fail(range(number, number + 1), NOON + number * timedelta(minutes=16))

    assert states() == DEFINITE


def test_other_domains_are_not_held():
    fail(range(1), domain="example.org")
    fail(range(MANY))

    assert states("example.org") == DEFINITE


@pytest.mark.parametrize(
    ("sent", "expected"), [(10 * MANY, PROVISIONAL), (10 * MANY + 1, DEFINITE)]
)
def test_share_of_the_messages_decides_where_it_is_known(sent, expected):
    asked = []

    def messages_to(domain, since):
        asked.append((domain, since))
        return sent

    fail(range(MANY), messages_to=messages_to)

    assert states() == expected
    last = NOON + timedelta(minutes=MANY - 1)
    assert asked == [("example.net", last - DAY)]


@pytest.mark.parametrize(
    ("usual", "expected"), [(MANY, PROVISIONAL), (MANY + 1, DEFINITE)]
)
def test_what_is_usual_for_the_domain_decides_where_messages_are_not_known(
    usual, expected
):
    for number in range(usual):
        fail(range(number, number + 1), NOON - DAY - number * timedelta(hours=2))

    fail(range(100, 100 + MANY))

    newest = QuarantinedAddress.objects.latest("last_error_at")
    assert {(newest.status, newest.is_provisional)} == expected


def test_error_after_the_outage_is_definite():
    fail(range(MANY))

    fail(range(90, 91), NOON + timedelta(hours=2))

    assert not QuarantinedAddress.objects.get(digest=person(90).digest).is_provisional


def test_provisional_says_so_in_the_history():
    fail(range(MANY + 1))

    events = QuarantineEvent.objects.filter(digest=person(0).digest)
    assert list(events.order_by("pk").values_list("event", flat=True)) == [
        "hard_error",
        "held",
    ]
    last = QuarantineEvent.objects.get(digest=person(MANY).digest)
    assert (last.event, last.is_provisional, last.batch) == (
        "hard_error",
        True,
        held(),
    )


def test_complaint_owner_and_listing_are_never_held():
    report(OWNER, parsed=person(90))
    fail(range(91, 92))
    row = QuarantinedAddress.objects.get(digest=person(91).digest)
    relist_address(
        row, Status.QUARANTINE, reason=Reason.LISTED, note="", by="ola", now=NOON
    )

    fail(range(MANY))

    held_ones = outages.provisional(held()).values_list("address", flat=True)
    assert set(held_ones) == {f"person{number}@example.net" for number in range(MANY)}


def test_discarding_releases_all_and_can_be_undone():
    fail(range(MANY))
    batch = held()

    assert outages.discard(batch, by="ola", note="Moved", now=NOON + DAY) == MANY

    assert states() == RELEASED
    batch.refresh_from_db()
    assert (batch.state, batch.count, batch.note) == ("released", MANY, "Moved")
    assert incidents.undo(batch, by="ola", now=NOON + 2 * DAY) == MANY
    assert states() == DEFINITE


def test_confirming_makes_all_definite():
    fail(range(MANY))

    assert outages.confirm(held(), by="ola", note="Closed", now=NOON + DAY) == MANY

    assert states() == DEFINITE
    events = QuarantineEvent.objects.filter(event=Event.PROVISIONAL_CONFIRMED)
    assert events.count() == MANY


def test_what_somebody_confirmed_is_not_held_again_at_once():
    fail(range(MANY))
    outages.confirm(held(), by="ola", note="Closed", now=NOON + timedelta(minutes=9))

    fail(range(90, 91), NOON + timedelta(minutes=10))

    assert states() == DEFINITE


def test_decision_is_made_once():
    fail(range(MANY))
    batch = held()
    outages.confirm(batch, by="ola", note="", now=NOON)

    with pytest.raises(QuarantineError, match="decided about these addresses already"):
        outages.discard(batch, by="eva", note="No", now=NOON)

    assert states() == DEFINITE


def test_discarding_needs_a_reason():
    fail(range(MANY))

    with pytest.raises(QuarantineError, match="no reason was given"):
        outages.discard(held(), by="ola", note=" ", now=NOON)

    assert states() == PROVISIONAL


def test_provisional_is_definite_after_quiet_hours():
    fail(range(MANY))
    quiet = held().ended_at + timedelta(hours=48)

    assert cleaning.clean(now=quiet - timedelta(seconds=1)) == Cleaned(0, 0)
    assert states() == PROVISIONAL
    assert cleaning.clean(now=quiet) == Cleaned(0, MANY)
    assert states() == DEFINITE
    assert QuarantineBatch.objects.get().state == BatchState.CONFIRMED


def test_address_that_was_changed_by_hand_is_not_part_of_the_decision():
    fail(range(MANY))
    batch = held()
    row = QuarantinedAddress.objects.get(digest=person(0).digest)
    relist_address(
        row, Status.DENYLISTED, reason=Reason.LISTED, note="", by="ola", now=NOON
    )

    assert outages.discard(batch, by="ola", note="Moved", now=NOON) == MANY - 1

    row.refresh_from_db()
    assert (row.status, row.is_provisional) == (Status.DENYLISTED, False)


@override_settings(QUARANTINE_OUTAGE_MINUTES=2)
def test_minutes_are_those_of_the_settings():
    fail(range(MANY))

    assert states() == DEFINITE
