"""What errors make of one address over time; each number with its neighbours."""

from datetime import timedelta

import pytest
from django.test import override_settings

from profiles.addresses import parse
from profiles.channels import Channel
from quarantine import errors, transitions
from quarantine.errors import Recorded
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.qualification import Qualification
from quarantine.reasons import COUNTING, Event, Reason, Source, Status, Verdict
from tests import factories
from tests.quarantine.reports import (
    ANNA,
    DAY,
    FULL,
    FULL_FOR_GOOD,
    HARD,
    NOON,
    OWNER,
    SOFT,
    UNSURE,
    delivered,
    report,
    row,
    status,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
INNOCENT = [
    Verdict.TRANSIENT,
    Verdict.POLICY,
    Verdict.OURS,
    Verdict.CONTENT,
    Verdict.IGNORED,
]


def known(state: Status, **fields: object) -> QuarantinedAddress:
    return factories.make_quarantined_address(
        value="anna@example.com", status=state, **fields
    )


def test_hard_error_quarantines_at_once():
    assert report(HARD) == Recorded(None, Status.QUARANTINE, Event.HARD_ERROR)

    assert (row().status, row().reason) == (Status.QUARANTINE, Reason.USER_UNKNOWN)
    assert (row().error_code, row().last_error_at) == ("5.1.1", NOON)


def test_soft_errors_quarantine_at_the_fifth_day():
    seen = [report(SOFT, NOON + day * DAY).after for day in range(5)]

    assert seen == [*[Status.ERRONEOUS] * 4, Status.QUARANTINE]
    assert row().significant_error_count == 5


def test_soft_errors_count_once_a_day():
    for hour in range(24):
        report(SOFT, NOON + hour * HOUR)

    assert (status(), row().significant_error_count) == (Status.ERRONEOUS, 1)


@pytest.mark.parametrize(("gap", "count"), [(DAY - SECOND, 1), (DAY, 2)])
def test_the_next_error_counts_a_day_after_the_one_that_counted(gap, count):
    report(SOFT)

    report(SOFT, NOON + gap)

    assert row().significant_error_count == count


@pytest.mark.parametrize(
    ("gap", "count"), [(10 * DAY - SECOND, 2), (10 * DAY, 1)], ids=["before", "after"]
)
def test_count_begins_anew_after_ten_quiet_days(gap, count):
    report(SOFT)

    report(SOFT, NOON + gap)

    assert row().significant_error_count == count


def test_error_that_did_not_count_does_not_lengthen_the_day():
    report(SOFT)
    report(SOFT, NOON + 23 * HOUR)

    report(SOFT, NOON + 24 * HOUR)

    assert row().significant_error_count == 2


def test_error_that_is_told_late_does_not_count_again():
    report(SOFT, NOON + 5 * DAY)

    report(SOFT, NOON, now=NOON + 6 * DAY)

    assert row().significant_error_count == 1


def test_mailbox_that_is_full_for_good_counts_twice():
    seen = [report(FULL_FOR_GOOD, NOON + day * DAY).after for day in range(3)]

    assert seen == [Status.ERRONEOUS, Status.ERRONEOUS, Status.QUARANTINE]
    assert row().significant_error_count == 6


def test_delivery_ends_the_count():
    for day in range(4):
        report(SOFT, NOON + day * DAY)

    assert delivered(NOON + 4 * DAY).after == Status.VALID
    report(SOFT, NOON + 5 * DAY)

    assert (status(), row().significant_error_count) == (Status.ERRONEOUS, 1)


def test_delivery_that_is_told_late_does_not_end_what_came_after_it():
    report(SOFT, NOON + DAY)

    assert not delivered(NOON, now=NOON + 2 * DAY).has_changed

    assert (status(), row().significant_error_count) == (Status.ERRONEOUS, 1)


def test_soft_error_before_a_delivery_does_not_count():
    report(SOFT)
    delivered(NOON + 2 * DAY)

    assert report(SOFT, NOON + DAY, now=NOON + 3 * DAY).event == Event.ERROR_NOTED
    assert status() == Status.VALID


def test_unsure_error_alone_makes_erroneous_and_is_remembered():
    assert report(UNSURE).after == Status.ERRONEOUS

    assert (row().unsure_at, row().significant_error_count) == (NOON, 0)


@pytest.mark.parametrize(
    ("gap", "after"),
    [(DAY - SECOND, Status.ERRONEOUS), (DAY, Status.QUARANTINE)],
    ids=["too-soon", "a-day-later"],
)
def test_unsure_error_is_confirmed_a_day_later(gap, after):
    report(UNSURE)

    report(UNSURE, NOON + gap)

    assert status() == after


def test_unsure_error_is_not_confirmed_over_a_delivery():
    report(UNSURE)
    delivered(NOON + HOUR)

    report(UNSURE, NOON + 2 * DAY)

    assert (status(), row().unsure_at) == (Status.ERRONEOUS, NOON + 2 * DAY)


def test_delivery_between_two_unsure_errors_counts_though_it_is_told_late():
    report(UNSURE)
    report(UNSURE, NOON + 2 * HOUR)
    delivered(NOON + HOUR, now=NOON + 3 * HOUR)

    report(UNSURE, NOON + DAY)

    assert status() == Status.ERRONEOUS


def test_soft_errors_do_not_confirm_an_unsure_one():
    report(UNSURE)

    report(SOFT, NOON + 2 * DAY)

    assert status() == Status.ERRONEOUS


@pytest.mark.parametrize("verdict", INNOCENT)
@pytest.mark.parametrize("state", [None, *Status])
def test_what_the_address_is_innocent_of_changes_nothing(verdict, state):
    if state is not None:
        known(state)

    for day in range(6):
        recorded = report(Qualification(verdict, Reason.REFUSED), NOON + day * DAY)
        assert recorded == Recorded(state, state, None)

    states = list(QuarantinedAddress.objects.values_list("status", flat=True))
    assert states == ([] if state is None else [state])
    assert not QuarantineEvent.objects.exists()


@pytest.mark.parametrize("qualification", [HARD, UNSURE, SOFT, FULL_FOR_GOOD, OWNER])
def test_allowlisted_address_ignores_every_bounce(qualification):
    known(Status.ALLOWLISTED)

    for day in range(6):
        recorded = report(qualification, NOON + day * DAY)
        assert recorded.after == Status.ALLOWLISTED

    event = QuarantineEvent.objects.latest("pk")
    assert (event.event, event.reason) == ("error_noted", "error_ignored")


@pytest.mark.parametrize("state", [None, *Status])
def test_complaint_denylists_whatever_was_known(state):
    if state is not None:
        known(state, reason=Reason.LISTED)

    recorded = errors.record_complaint(ANNA, now=NOON, note="from anna@example.com")

    assert recorded.after == Status.DENYLISTED
    assert recorded.is_newly_excluded is (
        state not in {Status.QUARANTINE, Status.DENYLISTED}
    )
    if state != Status.DENYLISTED:
        assert (row().reason, row().source, row().error_text) == (
            Reason.COMPLAINT,
            Source.COMPLAINT,
            "from …",
        )


@pytest.mark.parametrize("qualification", [HARD, UNSURE, SOFT, OWNER])
def test_nothing_that_bounces_changes_a_denylisted_address(qualification):
    known(Status.DENYLISTED, reason=Reason.COMPLAINT)

    for day in range(6):
        report(qualification, NOON + day * DAY)
    delivered(NOON + 7 * DAY)

    assert (status(), row().reason) == (Status.DENYLISTED, Reason.COMPLAINT)


@pytest.mark.parametrize("state", [None, *Status])
def test_changed_owner_asks_to_end_the_consents_and_quarantines(state):
    if state is not None:
        known(state)

    recorded = report(OWNER)

    assert recorded.ends_consent
    stays = {Status.ALLOWLISTED, Status.DENYLISTED}
    assert status() == (state if state in stays else Status.QUARANTINE)
    if state not in stays:
        assert row().reason == Reason.OWNER_CHANGED


def test_hard_error_of_a_full_mailbox_in_quarantine_is_not_released_by_time():
    for day in range(5):
        report(FULL, NOON + day * DAY)

    assert report(HARD, NOON + 6 * DAY).event == Event.HARDENED

    assert (status(), row().reason) == (Status.QUARANTINE, Reason.USER_UNKNOWN)


def test_hard_error_leaves_the_reason_of_an_operator():
    known(Status.QUARANTINE, reason=Reason.LISTED)

    assert report(HARD).event == Event.ERROR_NOTED

    assert (row().reason, row().source) == (Reason.LISTED, Source.OPERATOR)


@pytest.mark.parametrize(
    ("age", "after"),
    [(14 * DAY, Status.QUARANTINE), (14 * DAY + SECOND, None)],
    ids=["just-in-time", "too-old"],
)
def test_old_report_is_recorded_only(age, after):
    recorded = report(HARD, NOON - age, now=NOON)

    assert recorded.after == after
    assert QuarantineEvent.objects.get().event == recorded.event
    assert QuarantinedAddress.objects.exists() is (after is not None)


def test_clock_of_a_foreign_host_is_not_believed_when_it_is_ahead():
    report(SOFT, NOON + 30 * DAY, now=NOON)

    assert row().last_error_at == NOON


def test_history_has_what_reports_ask_for_and_no_address():
    report(
        HARD,
        note="550 5.1.1 <Anna@Example.com>: user\0 unknown, said anna@example.com",
        delivery_label="Spring",
        delivery_id=7,
    )

    event = QuarantineEvent.objects.get()
    assert (event.domain, event.code, event.reason) == (
        "example.com",
        "5.1.1",
        "user_unknown",
    )
    assert (event.delivery_id, event.delivery_label) == (7, "Spring")
    assert event.note == "550 5.1.1 <…>: user unknown, said …"
    assert row().last_delivery_label == "Spring"


def test_number_is_left_out_of_the_note():
    number = parse(Channel.SMS, "+46701740605")

    report(HARD, parsed=number, note="unknown +46701740605")

    assert QuarantineEvent.objects.get().note == "unknown …"


def test_nothing_is_written_about_somebody_who_was_erased():
    transitions.apply(
        ANNA,
        Event.ERASE,
        by="ola",
        source=Source.ERASURE,
        reason=Reason.ERASED,
        now=NOON,
    )

    for qualification in (HARD, UNSURE, SOFT, OWNER):
        report(qualification, NOON + DAY, note="no anna@example.com")
    delivered(NOON + 2 * DAY)

    assert (status(), row().last_success_at) == (Status.DENYLISTED, None)
    assert QuarantineEvent.objects.count() == 1


def test_errors_are_counted_only_where_the_address_is_not_held():
    assert set(Status) - {
        Status.ALLOWLISTED,
        Status.QUARANTINE,
        Status.DENYLISTED,
    } == (COUNTING)


def test_delivery_to_an_unknown_address_leaves_nothing():
    assert delivered(NOON) == Recorded(None, None, None)

    assert not QuarantinedAddress.objects.exists()


def test_delivery_does_not_release_from_quarantine():
    report(HARD)

    assert delivered(NOON + DAY).after == Status.QUARANTINE


@override_settings(QUARANTINE_SOFT_LIMIT=2, QUARANTINE_SIGNIFICANT_HOURS=2)
def test_numbers_are_those_of_the_settings():
    report(SOFT)

    assert report(SOFT, NOON + 2 * HOUR).after == Status.QUARANTINE


@override_settings(QUARANTINE_CONFIRM_HOURS=1, QUARANTINE_REPORT_DAYS=1)
def test_hours_to_confirm_and_days_to_report_are_those_of_the_settings():
    report(UNSURE)
    assert report(UNSURE, NOON + HOUR).after == Status.QUARANTINE

    late = parse(Channel.EMAIL, "bo@example.com")
    assert report(HARD, NOON, parsed=late, now=NOON + 2 * DAY).after is None
