"""What time alone makes of addresses, a second before and at each limit."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from quarantine import cleaning, expiry, moving
from quarantine.cleaning import Cleaned
from quarantine.models import Cleaning, QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Event, Reason, Source, Status
from tests import factories
from tests.quarantine.reports import (
    DAY,
    FULL,
    HARD,
    NOON,
    OWNER,
    SOFT,
    UNSURE,
    report,
    row,
    status,
)

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
MORNING = NOON.replace(hour=4)


def clean(after: timedelta) -> Cleaned:
    return cleaning.clean(now=NOON + after)


@pytest.mark.parametrize(
    ("qualification", "times", "days"),
    [(SOFT, 1, 10), (UNSURE, 1, 10), (FULL, 1, 30), (FULL, 5, 30)],
    ids=["soft", "unsure", "mailbox-full", "mailbox-full-in-quarantine"],
)
def test_address_is_valid_again_after_its_days(qualification, times, days):
    for number in range(times):
        report(qualification, NOON - (times - 1 - number) * DAY)
    before = status()

    assert clean(days * DAY - SECOND) == Cleaned(0, 0)
    assert status() == before
    assert expiry.expires_at(row()) == NOON + days * DAY

    assert clean(days * DAY) == Cleaned(1, 0)
    assert (status(), row().reason) == (Status.VALID, Reason.NONE)
    assert row().significant_error_count == 0
    event = QuarantineEvent.objects.latest("pk")
    assert (event.event, event.from_status, event.source) == (
        "expire",
        before,
        Source.CLEANING,
    )


@pytest.mark.parametrize("qualification", [HARD, OWNER])
def test_other_quarantines_stay_for_ever(qualification):
    report(qualification)

    assert clean(4000 * DAY) == Cleaned(0, 0)

    assert status() == Status.QUARANTINE
    assert expiry.expires_at(row()) is None


@pytest.mark.parametrize("state", [Status.VALID, Status.ALLOWLISTED, Status.DENYLISTED])
@pytest.mark.parametrize("reason", [Reason.MAILBOX_FULL, Reason.COMPLAINT, Reason.STOP])
def test_time_changes_nothing_else(state, reason):
    factories.make_quarantined_address(
        value="anna@example.com", status=state, reason=reason, updated_at=NOON
    )

    assert clean(4000 * DAY) == Cleaned(0, 0)

    assert (status(), row().reason) == (state, reason)


def test_what_an_operator_listed_counts_from_then():
    factories.make_quarantined_address(
        value="anna@example.com",
        reason=Reason.MAILBOX_FULL,
        last_error_at=NOON - 100 * DAY,
        updated_at=NOON,
    )

    assert clean(30 * DAY - SECOND).released == 0
    assert expiry.expires_at(row()) == NOON + 30 * DAY
    assert clean(30 * DAY).released == 1


def test_error_that_waits_for_a_second_one_counts_as_well():
    report(SOFT, NOON - 3 * DAY)
    report(UNSURE)

    assert clean(10 * DAY - SECOND).released == 0
    assert expiry.expires_at(row()) == NOON + 10 * DAY
    assert clean(10 * DAY).released == 1


def test_first_of_two_errors_is_remembered_over_the_cleaning():
    report(UNSURE)
    clean(10 * DAY)

    assert report(UNSURE, NOON + 40 * DAY).after == Status.QUARANTINE


def test_what_is_erroneous_is_as_many_say_of_one(db):
    for number, reason in enumerate(Reason):
        for state in Status:
            for source in (Source.BOUNCE, Source.IMPORT):
                made = factories.make_quarantined_address(
                    value=f"p{number}-{state}-{source}@example.com",
                    status=state,
                    reason=reason,
                    last_error_at=NOON if number % 2 else None,
                    updated_at=NOON + DAY,
                    unsure_at=NOON + 2 * DAY if number % 3 else None,
                )
                QuarantinedAddress.objects.filter(pk=made.pk).update(source=source)

    for days in (9, 10, 11, 30, 31):
        now = NOON + days * DAY
        of_one = {
            each.pk
            for each in QuarantinedAddress.objects.all()
            if (at := expiry.expires_at(each)) is not None and at <= now
        }
        assert of_one == {each.pk for each in expiry.expired(now=now)}


def test_many_are_cleaned_in_chunks_and_each_has_its_history(monkeypatch):
    monkeypatch.setattr(moving, "CHUNK", 4)
    for number in range(10):
        factories.make_quarantined_address(
            value=f"p{number}@example.com",
            status=Status.ERRONEOUS,
            reason=Reason.UNREACHABLE,
            updated_at=NOON,
        )
    seen = []

    cleaned = cleaning.clean(
        now=NOON + 10 * DAY, progress=lambda done, total: seen.append((done, total))
    )

    assert cleaned.released == 10
    assert seen == [(4, 10), (8, 10), (10, 10)]
    events = QuarantineEvent.objects.filter(event=Event.EXPIRE)
    assert events.values("digest").distinct().count() == events.count() == 10
    assert clean(10 * DAY) == Cleaned(0, 0)


def test_cleaning_that_was_stopped_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(moving, "CHUNK", 1)
    for number in range(3):
        report_of(number)
    chunks = moving.in_chunks(
        expiry.expired(now=NOON + 10 * DAY),
        moving.Move(Event.EXPIRE, Source.CLEANING, NOON + 10 * DAY),
    )
    next(chunks)
    chunks.close()

    assert clean(10 * DAY).released == 2
    assert QuarantineEvent.objects.count() == 3


def report_of(number: int) -> None:
    factories.make_quarantined_address(
        value=f"p{number}@example.com",
        status=Status.ERRONEOUS,
        reason=Reason.UNREACHABLE,
        updated_at=NOON,
    )


def test_night_has_one_cleaning():
    report(SOFT, MORNING - 10 * DAY)

    assert cleaning.clean_nightly(now=MORNING - SECOND) is None
    assert cleaning.clean_nightly(now=MORNING) == Cleaned(1, 0)
    assert cleaning.clean_nightly(now=MORNING + SECOND) is None
    assert cleaning.clean_nightly(now=MORNING + DAY) == Cleaned(0, 0)
    assert Cleaning.objects.get(day=MORNING.date()).released_count == 1


def test_cleaning_whose_worker_was_killed_is_done_by_another():
    Cleaning.objects.create(day=MORNING.date(), started_at=MORNING)

    assert cleaning.clean_nightly(now=MORNING + timedelta(hours=1)) is None
    assert cleaning.clean_nightly(now=MORNING + timedelta(hours=2)) == Cleaned(0, 0)


def test_command_prints_one_line():
    report(SOFT, timezone.now() - 11 * DAY)
    output, progress = io.StringIO(), io.StringIO()

    call_command("clean_quarantine", stdout=output, stderr=progress)

    assert output.getvalue() == "released: 1, made definite: 0\n"
    assert progress.getvalue() == ""
