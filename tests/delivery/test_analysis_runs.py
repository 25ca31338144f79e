"""Runs of the analysis: repeated, compared, stopped, lost, and two at once."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from django.db import connection

from delivery import analysis, audiences, erasure, loading, watching
from delivery.models import Analysis, Delivery, Message
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories
from tests.delivery.stage import PLANS, crowded

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def analysed(delivery, **options):
    return analysis.prepare(delivery, by="operator", now=NOW, **options)


def message_tables() -> list[str]:
    tables = connection.introspection.table_names()
    return [name for name in tables if name.startswith("delivery_message")]


@pytest.fixture
def many_parts(monkeypatch):
    """Make every target large: parts of five profiles, shared among sessions."""
    monkeypatch.setattr(loading, "SMALL_TARGET", 0)
    monkeypatch.setattr(loading, "PROFILES_PER_PART", 5)
    monkeypatch.setattr(watching, "BETWEEN_SIGNS", 0)


def test_first_run_has_nothing_to_compare(opted_in_profile):
    assert analysed(factories.make_delivery()).changes is None


def test_next_run_says_what_changed(opted_in_profile, opted_out_profile):
    leaver = factories.make_profile(external_id="leaver")
    delivery = factories.make_delivery()
    analysed(delivery)
    factories.make_profile(external_id="newcomer")
    factories.make_opt_out(profile=opted_in_profile, channel=Channel.EMAIL)
    opted_out_profile.opt_outs.all().delete()
    Profile.objects.filter(pk=leaver.pk).update(erased_at=NOW)

    run = analysed(delivery)

    assert run.changes == {
        "new": 1,
        "gone": 1,
        "newly_to_send": 1,
        "newly_excluded": {"opted_out_channel": 1},
    }


def test_next_run_replaces_the_messages_of_the_one_before(opted_in_profile):
    delivery = factories.make_delivery()
    analysed(delivery)

    second = analysed(delivery)

    assert set(Message.objects.values_list("analysis_id", flat=True)) == {second.pk}
    assert delivery.current_analysis == second


def test_run_compares_with_the_newest_even_when_its_delivery_was_read_before(
    opted_in_profile,
):
    delivery = factories.make_delivery()
    read_before = Delivery.objects.get(pk=delivery.pk)
    analysed(delivery)

    second = analysed(read_before)

    assert second.changes["new"] == 0
    assert set(Message.objects.values_list("analysis_id", flat=True)) == {second.pk}


def test_failed_run_leaves_the_one_before(opted_in_profile):
    delivery = factories.make_delivery()
    first = analysed(delivery)
    Profile.objects.update(erased_at=NOW)

    with pytest.raises(analysis.AudienceEmpty):
        analysed(delivery)

    delivery.refresh_from_db()
    assert delivery.current_analysis == first
    assert first.messages.count() == 1


@pytest.mark.parametrize("plan", PLANS[:6])
def test_parts_and_sessions_agree_with_the_oracle(plan, transactional_db, many_parts):
    stage = crowded(7)

    assert stage.disagreement(plan) == {}


def test_parts_report_progress(transactional_db, many_parts):
    crowded(8)
    told = []

    run = analysed(factories.make_delivery(), progress=lambda *each: told.append(each))

    assert told[-1][0] == run.targeted_count
    assert all(done <= total for done, total in told)


@pytest.mark.parametrize("error", [analysis.AnalysisStopped, KeyboardInterrupt])
def test_stopped_run_leaves_no_trace(error, transactional_db, many_parts):
    crowded(9)
    delivery = factories.make_delivery()
    tables = message_tables()

    def stop(done, total):
        raise error

    with pytest.raises(error):
        analysed(delivery, progress=stop)

    delivery.refresh_from_db()
    assert delivery.current_analysis is None
    assert Analysis.objects.count() == Message.objects.count() == 0
    assert message_tables() == tables


def test_request_to_stop_is_heard(transactional_db, many_parts, monkeypatch):
    crowded(9)
    delivery = factories.make_delivery()
    # In memory, SQLite has no second connection that could hear it.
    monkeypatch.setattr(watching, "is_in_memory", lambda: False)
    monkeypatch.setattr(connection, "copy", lambda: Unclosed(connection))

    def ask(done, total):
        analysis.request_stop(delivery, now=NOW)

    with pytest.raises(analysis.AnalysisStopped, match="was stopped"):
        analysed(delivery, progress=ask)

    assert Analysis.objects.count() == Message.objects.count() == 0


class Unclosed:
    """A connection that is used again after it was closed."""

    def __init__(self, connection):
        self.connection = connection

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def close(self):
        pass


def test_person_erased_during_the_run_leaves_no_address(
    transactional_db, many_parts, operator
):
    person = factories.make_profile(external_id="person")
    factories.make_profile(external_id="other")

    def erase_person(done, total):
        # On SQLite this is the connection that reads its snapshot at first.
        if connection.vendor == "sqlite" and connection.connection.in_transaction:
            return
        if not Profile.objects.filter(erased_at__isnull=False).exists():
            # It was asked for before the run began, and waited.
            asked_at = NOW - timedelta(seconds=30)
            erasure.erase(person, by="operator", reason="asked", now=asked_at)

    run = analysed(factories.make_delivery(), progress=erase_person)

    assert list(run.messages.filter(address="").values_list("profile_id")) == [
        (person.pk,)
    ]


def test_nothing_runs_so_nothing_is_stopped(opted_in_profile):
    delivery = factories.make_delivery()

    assert not analysis.request_stop(delivery, now=NOW)


def test_second_analysis_of_a_delivery_is_refused(transactional_db, many_parts):
    crowded(10)
    delivery = factories.make_delivery()
    refusals = []

    def analyse_again(done, total):
        run_elsewhere(lambda: refused(delivery, refusals))

    first = analysed(delivery, progress=analyse_again)

    assert refusals
    assert "being analysed already" in refusals[0]
    assert delivery.current_analysis == first
    assert delivery.analyses.count() == 1


def refused(delivery, refusals):
    try:
        analysed(delivery)
    except analysis.AnalysisRunning as refusal:
        refusals.append(str(refusal))


def run_elsewhere(act):
    """Run in another session; SQLite in memory has one, but locks by file."""
    if connection.vendor == "sqlite":
        act()
        return
    thread = Thread(target=lambda: (act(), connection.close()))
    thread.start()
    thread.join()


def test_run_whose_process_died_is_closed_by_the_next(opted_in_profile):
    delivery = factories.make_delivery()
    dead = Analysis.objects.create(delivery=delivery, heartbeat_at=NOW)

    analysed(delivery)

    dead.refresh_from_db()
    assert (dead.status, dead.error) == ("failed", "Its process ended early.")
    assert delivery.analyses.filter(status="finished").count() == 1


def test_run_without_a_sign_of_life_does_not_keep_others_away(opted_in_profile):
    delivery = factories.make_delivery()
    dead = Analysis.objects.create(delivery=delivery, heartbeat_at=NOW)

    assert not analysis.can_analyse(delivery, now=NOW + timedelta(minutes=1))
    assert analysis.can_analyse(delivery, now=NOW + timedelta(minutes=3))
    with pytest.raises(analysis.AnalysisRunning):
        analysis.check_can_analyse(delivery, now=NOW)
    assert analysis.last_run(delivery) == dead


def test_two_deliveries_do_not_disturb_each_other(opted_in_profile):
    first = factories.make_delivery(label="First")
    second = factories.make_delivery(label="Second")

    analysed(first)
    analysed(second)
    analysed(first)

    for delivery in (first, second):
        assert Message.objects.filter(analysis=delivery.current_analysis).count() == 1


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("attributes.colour", "equals", "red"), {"A"}),
        (("attributes.colour", "not_equals", "red"), {"B", "C"}),
        (("attributes.colour", "is_empty", ""), {"C"}),
        (("attributes.colour", "is_not_empty", ""), {"A", "B"}),
        (("attributes.colour", "one_of", "red, blue"), {"A", "B"}),
        (("city", "starts_with", "Malm"), {"A"}),
        (("city", "contains", "l%"), {"B"}),
        (("city", "contains", "ö"), {"A"}),
        (("created_at", "on", "2024-01-01"), {"A", "B"}),
        (("created_at", "after", "2024-01-01"), {"C"}),
        (("created_at", "before", "2024-01-02"), {"A", "B"}),
        (("birth_date", "is_empty", ""), {"B", "C"}),
        (("birth_date", "on", "1990-05-01"), {"A"}),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_condition_narrows_the_audience(condition, expected, db):
    factories.make_profile(
        external_id="A",
        city="Malmö",
        birth_date="1990-05-01",
        attributes={"colour": "red"},
    )
    factories.make_profile(external_id="B", city="Kall%", attributes={"colour": "blue"})
    factories.make_profile(external_id="C", created_at=NOW)
    audience = audiences.of_conditions([audiences.Condition(*condition)])

    profiles = audiences.profiles_of(audience)

    assert set(profiles.values_list("external_id", flat=True)) == expected


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (("shoe_size", "equals", "44"), "There is no field ‘shoe_size’"),
        (("attributes.", "equals", "44"), "There is no field ‘attributes.’"),
        (("city", "before", "2024-01-01"), "‘before’ cannot be used on ‘city’"),
        (("created_at", "on", "yesterday"), "‘yesterday’ is not a date"),
        (("city", "equals", " "), "has no value"),
    ],
)
def test_condition_that_cannot_be_is_refused(condition, sentence, db):
    with pytest.raises(audiences.AudienceError) as refusal:
        audiences.of_conditions([audiences.Condition(*condition)])

    assert sentence in refusal.value.sentence


def test_empty_list_is_no_audience(db):
    with pytest.raises(audiences.AudienceError, match="is empty"):
        audiences.of_external_ids([" ", ""])
