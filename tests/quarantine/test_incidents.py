"""Incidents: found afterwards, released together, and taken back exactly."""

import io
from datetime import timedelta

import pytest

from profiles.addresses import mask
from profiles.channels import Channel
from quarantine import errors, importing, incidents, release
from quarantine.incidents import Window
from quarantine.models import QuarantineBatch, QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Event, Reason, Source, Status
from quarantine.transitions import QuarantineError, apply
from tests import factories
from tests.quarantine.crowds import MANY, fail, person, states
from tests.quarantine.reports import DAY, FULL, HARD, NOON, OWNER, report

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
LATER = NOON + DAY
ALL = Window(Channel.EMAIL, "example.net", NOON, NOON + 30 * MINUTE)


@pytest.fixture(autouse=True)
def many(settings):
    settings.QUARANTINE_OUTAGE_ERRORS = MANY


def snapshot() -> list[tuple[object, ...]]:
    return sorted(
        QuarantinedAddress.objects.values_list(
            "address",
            "status",
            "reason",
            "source",
            "significant_error_count",
            "error_text",
            "error_code",
            "first_error_at",
            "last_error_at",
            "last_delivery_label",
        )
    )


def test_crowd_is_proposed_with_its_times_and_share():
    fail(range(MANY + 2))
    fail(range(90, 92), NOON - 3 * DAY)

    [proposal] = incidents.proposals(now=LATER)

    last = NOON + (MANY + 1) * MINUTE
    assert proposal.window == Window(Channel.EMAIL, "example.net", NOON, last)
    assert (proposal.count, proposal.usual) == (MANY + 2, 2)


@pytest.mark.parametrize(
    ("size", "usual"), [(MANY - 1, 0), (MANY, MANY + 1)], ids=["small", "usual"]
)
def test_small_or_usual_crowds_are_not_proposed(size, usual):
    fail(range(size))
    for number in range(100, 100 + usual):
        fail(range(number, number + 1), NOON - number * timedelta(hours=2))

    assert incidents.proposals(now=LATER) == []


def test_crowds_of_two_domains_and_days_are_told_apart():
    fail(range(MANY))
    fail(range(50, 50 + MANY), NOON + 2 * timedelta(hours=1))
    fail(range(MANY), NOON + DAY, domain="example.org")

    found = [
        (each.window.domain, each.count) for each in incidents.proposals(now=LATER)
    ]

    assert found == [
        ("example.org", MANY),
        ("example.net", MANY),
        ("example.net", MANY),
    ]


def test_proposal_vanishes_when_it_was_released():
    fail(range(MANY))
    [proposal] = incidents.proposals(now=LATER)

    incidents.release(proposal.window, by="ola", note="Outage", now=LATER)

    assert incidents.proposals(now=LATER) == []


def test_preview_says_what_a_release_would_do():
    fail(range(3))
    fail(range(50, 52), qualification=HARD.__class__(HARD.verdict, Reason.REFUSED))

    preview = incidents.preview(incidents.members(ALL))

    assert preview.count == 5
    assert preview.reasons == [("User unknown", 3), ("Refused", 2)]
    assert preview.codes == [("5.1.1", 3)]
    assert set(preview.samples) == {mask(Channel.EMAIL, "person0@example.net")}
    assert "person0" not in preview.samples[0]


def test_release_lets_the_addresses_go_with_one_line_of_history_each():
    fail(range(MANY))

    batch = incidents.release(ALL, by="ola", note=" Outage ", now=LATER)

    assert states() == {(Status.VALID, False)}
    assert (batch.count, batch.decided_by, batch.note) == (MANY, "ola", "Outage")
    events = QuarantineEvent.objects.filter(batch=batch)
    assert set(events.values_list("event", "from_status", "to_status", "reason")) == {
        ("release", Status.QUARANTINE, Status.VALID, "user_unknown")
    }
    assert events.count() == MANY


@pytest.mark.parametrize(
    ("began", "ended"),
    [(NOON + MINUTE, NOON + 3 * MINUTE)],
)
def test_only_errors_of_the_time_are_released(began, ended):
    fail(range(MANY))

    batch = incidents.release(
        Window(Channel.EMAIL, "example.net", began, ended),
        by="ola",
        note="Outage",
        now=LATER,
    )

    assert batch.count == 3


def test_only_errors_of_the_code_are_released():
    fail(range(2))
    fail(range(50, 53), qualification=HARD.__class__(HARD.verdict, HARD.reason))
    window = Window(ALL.channel, ALL.domain, ALL.began_at, ALL.ended_at, "5.1.1")

    assert incidents.release(window, by="ola", note="Outage", now=LATER).count == 2


def complained() -> None:
    errors.record_complaint(person(0), now=NOON)


def stopped() -> None:
    happen(Event.STOP, Source.KEYWORD, Reason.STOP)


def owner_changed() -> None:
    report(OWNER, parsed=person(0))


def listed() -> None:
    happen(Event.LISTED_QUARANTINE, Source.OPERATOR, Reason.USER_UNKNOWN)


def erased() -> None:
    happen(Event.ERASE, Source.ERASURE, Reason.ERASED)


def imported() -> None:
    happen(Event.IMPORT_DENYLISTED, Source.IMPORT, Reason.COMPLAINT)


def happen(event: Event, source: Source, reason: Reason) -> None:
    apply(person(0), event, by="eva", source=source, reason=reason, now=NOON)


@pytest.mark.parametrize(
    "stronger", [complained, stopped, owner_changed, listed, erased, imported]
)
def test_what_is_no_bounce_is_never_part_of_an_incident(stronger):
    fail(range(MANY))
    stronger()
    before = QuarantinedAddress.objects.get(digest=person(0).digest)

    batch = incidents.release(ALL, by="ola", note="Outage", now=LATER)

    assert batch.count == MANY - 1
    after = QuarantinedAddress.objects.get(digest=person(0).digest)
    assert (after.status, after.reason) == (before.status, before.reason)


def test_undo_restores_exactly():
    fail(range(3))
    for day in range(5):
        fail(range(50, 52), NOON - (4 - day) * DAY, qualification=FULL)
    before = snapshot()
    batch = incidents.release(ALL, by="ola", note="Outage", now=LATER)
    assert batch.count == 5

    assert incidents.undo(batch, by="eva", now=LATER) == 5

    assert snapshot() == before
    batch.refresh_from_db()
    assert (batch.state, batch.undone_by, batch.undone_count) == ("undone", "eva", 5)
    undone = QuarantineEvent.objects.filter(event=Event.RELEASE_UNDONE)
    assert undone.count() == 5


@pytest.mark.parametrize(
    ("since", "left"),
    [
        (complained, Status.DENYLISTED),
        (lambda: happen(Event.LISTED_VALID, Source.OPERATOR, Reason.NONE), 0),
        (lambda: happen(Event.LISTED_ALLOWLISTED, Source.OPERATOR, Reason.NONE), 1),
        (lambda: report(HARD, LATER, parsed=person(0)), Status.QUARANTINE),
        (erased, Status.DENYLISTED),
    ],
    ids=["complaint", "listed-valid", "allowlisted", "bounced-again", "erased"],
)
def test_undo_leaves_what_was_changed_since(since, left):
    fail(range(MANY))
    batch = incidents.release(ALL, by="ola", note="Outage", now=LATER)
    since()
    changed = QuarantinedAddress.objects.get(digest=person(0).digest)

    assert incidents.undo(batch, by="eva", now=LATER) == MANY - 1

    after = QuarantinedAddress.objects.get(digest=person(0).digest)
    assert (after.status, after.updated_at) == (left, changed.updated_at)


def test_undo_leaves_what_a_file_or_an_operator_released_since():
    fail(range(MANY))
    batch = incidents.release(ALL, by="ola", note="Outage", now=LATER)
    file = b"channel,address,status\nemail,person0@example.net,quarantine\n"
    importing.import_file(io.BytesIO(file), now=LATER)
    let_go = QuarantinedAddress.objects.filter(digest=person(0).digest)
    release.release(
        let_go, by="eva", note="Hers", may_release_denylisted=False, now=LATER
    )

    assert incidents.undo(batch, by="eva", now=LATER) == MANY - 1

    assert let_go.get().status == Status.VALID


def test_undo_happens_once():
    fail(range(MANY))
    batch = incidents.release(ALL, by="ola", note="Outage", now=LATER)
    incidents.undo(batch, by="eva", now=LATER)

    with pytest.raises(QuarantineError, match="undone already"):
        incidents.undo(batch, by="eva", now=LATER)


@pytest.mark.parametrize(
    ("note", "domain", "sentence"),
    [
        ("", "example.net", "no reason was given"),
        ("Outage", "example.org", "no address of example.org is held"),
    ],
)
def test_release_of_nothing_or_without_reason_says_so(note, domain, sentence):
    fail(range(MANY))
    window = Window(Channel.EMAIL, domain, ALL.began_at, ALL.ended_at)

    with pytest.raises(QuarantineError, match=sentence):
        incidents.release(window, by="ola", note=note, now=LATER)

    assert not QuarantineBatch.objects.exists()


def test_release_takes_few_queries(django_assert_max_num_queries):
    for number in range(300):
        factories.make_quarantined_address(
            value=f"p{number}@example.net", last_error_at=NOON
        )
    QuarantinedAddress.objects.update(source=Source.BOUNCE)

    with django_assert_max_num_queries(22):
        batch = incidents.release(ALL, by="ola", note="Outage", now=LATER)
        assert incidents.undo(batch, by="ola", now=LATER) == 300
