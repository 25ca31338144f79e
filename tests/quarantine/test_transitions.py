"""Every cell of the state machine, written out a second time as plain words."""

from datetime import UTC, datetime

import pytest

from profiles.addresses import parse
from profiles.channels import Channel
from quarantine import transitions
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.reasons import STRENGTH, Event, Reason, Source, Status
from quarantine.transitions import ADDRESS_EVENTS, KEEP, STATES, TABLE, Refusal
from tests import factories

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
EMAIL = parse(Channel.EMAIL, "Anna@Example.com")

# One letter per state (none, valid, allowlisted, erroneous, quarantine, denylisted):
# the first letter of the status that follows, `.` nothing changes, `!` refused.
EXPECTED = {
    "hard_error": "QQ.Q..",
    "soft_error": "EE.E..",
    "soft_limit": "QQ.Q..",
    "unsure_error": "EE.E..",
    "unsure_confirmed": "QQ.Q..",
    "hardened": "QQ.QQ.",
    "owner_changed": "QQ.QQ.",
    "success": "...V..",
    "complaint": "DDDDD.",
    "stop": "DDDDD.",
    "start": ".....V",
    "listed_valid": "VVVVV!",
    "listed_allowlisted": "AAAAA!",
    "listed_erroneous": "EEEEE!",
    "listed_quarantine": "QQQQQ!",
    "listed_denylisted": "DDDDDD",
    "profile_quarantined": "QQQQ..",
    "import_valid": "......",
    "import_allowlisted": "A.....",
    "import_erroneous": "EEE...",
    "import_quarantine": "QQQQ..",
    "import_denylisted": "DDDDD.",
    "release": "!!!VVV",
    "expire": "...VV.",
    "held": "....Q.",
    "provisional_confirmed": "....Q.",
    "provisional_discarded": "....V.",
    "release_undone": ".Q....",
    "erase": "DDDDDD",
}
CELLS = [
    pytest.param(state, Event(event), letter, id=f"{state and state.code}-{event}")
    for event, letters in EXPECTED.items()
    for state, letter in zip(STATES, letters, strict=True)
]


def letter_of(cell: transitions.Cell) -> str:
    if isinstance(cell, Status):
        return cell.name[0]
    return "." if cell is KEEP else "!"


def weakenings(table: dict[tuple[transitions.State, Event], transitions.Cell]) -> list:
    """List the cells that weaken protection though no person asked for it."""
    by_person = {
        Event.RELEASE,
        Event.PROVISIONAL_DISCARDED,
        Event.START,
        *(event for event in Event if event.startswith("listed_")),
    }
    healing = {(Status.ERRONEOUS, Event.SUCCESS), (Status.ERRONEOUS, Event.EXPIRE)}
    healing.add((Status.QUARANTINE, Event.EXPIRE))
    return [
        (state, event)
        for (state, event), cell in table.items()
        if isinstance(cell, Status)
        and event not in by_person
        and (state, event) not in healing
        and STRENGTH[cell] < STRENGTH[state]
    ]


def happen(event: Event, **fields: object) -> QuarantinedAddress | None:
    circumstances = {
        "by": "ola",
        "source": Source.BOUNCE,
        "reason": Reason.USER_UNKNOWN,
        "now": NOW,
    }
    return transitions.apply(EMAIL, event, **(circumstances | fields))


def stored(state: transitions.State) -> QuarantinedAddress | None:
    if state is None:
        return None
    # A full mailbox is what time releases from quarantine.
    return factories.make_quarantined_address(
        value="anna@example.com", status=state, reason=Reason.MAILBOX_FULL
    )


def test_table_is_total():
    assert set(TABLE) == {
        (state, event) for state in STATES for event in ADDRESS_EVENTS
    }
    assert set(EXPECTED) == {event.value for event in ADDRESS_EVENTS}


@pytest.mark.parametrize(("state", "event", "letter"), CELLS)
def test_cell_says_what_follows(state, event, letter):
    assert letter_of(TABLE[state, event]) == letter


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "event", "letter"), CELLS)
def test_applying_an_event_does_what_the_cell_says(state, event, letter):
    before = stored(state)
    if event == Event.START:
        # Of another denylisting it lifts nothing.
        QuarantinedAddress.objects.update(reason=Reason.STOP, source=Source.KEYWORD)

    if letter == "!":
        with pytest.raises(transitions.QuarantineError, match=r"\w+ .+\. .+\.$"):
            happen(event)
    else:
        happen(event)

    rows = list(QuarantinedAddress.objects.values_list("status", flat=True))
    events = list(QuarantineEvent.objects.values_list("from_status", "to_status"))
    if letter in ".!":
        assert rows == ([] if before is None else [state])
        assert events == []
    else:
        assert [Status(status).name[0] for status in rows] == [letter]
        assert events == [(state, rows[0])]


def test_nothing_but_a_person_or_time_weakens_protection():
    assert weakenings(TABLE) == []


@pytest.mark.parametrize(
    ("state", "event", "sabotage"),
    [
        (Status.DENYLISTED, Event.SUCCESS, Status.VALID),
        (Status.DENYLISTED, Event.EXPIRE, Status.VALID),
        (Status.DENYLISTED, Event.HARD_ERROR, Status.QUARANTINE),
        (Status.QUARANTINE, Event.IMPORT_ALLOWLISTED, Status.ALLOWLISTED),
        (Status.QUARANTINE, Event.SUCCESS, Status.VALID),
    ],
)
def test_a_sabotaged_table_is_caught(state, event, sabotage):
    broken = {**TABLE, (state, event): sabotage}

    assert weakenings(broken) == [(state, event)]


@pytest.mark.parametrize("event", [Event.COMPLAINT, Event.STOP])
def test_complaint_and_stop_denylist_from_everywhere(event):
    after = {TABLE[state, event] for state in STATES}

    assert after == {Status.DENYLISTED, KEEP}
    assert TABLE[Status.DENYLISTED, event] is KEEP


@pytest.mark.django_db
@pytest.mark.parametrize(
    "reason", [each for each in Reason if each != Reason.MAILBOX_FULL]
)
def test_time_releases_only_full_mailboxes_from_quarantine(reason):
    factories.make_quarantined_address(value="anna@example.com", reason=reason)

    happen(Event.EXPIRE, source=Source.CLEANING, reason=Reason.NONE)

    assert QuarantinedAddress.objects.get().status == Status.QUARANTINE


def test_every_refusal_names_fact_and_cure():
    refusals = {str(c.sentence) for c in TABLE.values() if isinstance(c, Refusal)}

    assert all(text.count(".") >= 2 and "cannot" in text for text in refusals)


@pytest.mark.django_db
def test_history_says_who_when_and_why():
    happen(
        Event.COMPLAINT, source=Source.COMPLAINT, reason=Reason.COMPLAINT, note="fbl"
    )

    event = QuarantineEvent.objects.get()
    assert (event.channel, event.digest, event.at) == (0, EMAIL.digest, NOW)
    assert (event.event, event.reason, event.source) == ("complaint",) * 3
    assert (event.note, event.actor) == ("fbl", "ola")


@pytest.mark.django_db
def test_new_row_keeps_the_address_its_domain_and_the_error():
    row = happen(Event.HARD_ERROR, note="550 no such user", delivery_label="Spring")

    assert row is not None
    assert (row.address, row.domain) == ("Anna@Example.com", "example.com")
    assert (row.error_text, row.last_delivery_label) == ("550 no such user", "Spring")
    assert (row.first_error_at, row.last_error_at) == (NOW, NOW)


@pytest.mark.django_db
def test_case_does_not_hide_an_address():
    happen(Event.HARD_ERROR)

    transitions.apply(
        parse(Channel.EMAIL, "ANNA@EXAMPLE.COM"),
        Event.COMPLAINT,
        by="",
        source=Source.COMPLAINT,
        reason=Reason.COMPLAINT,
        now=NOW,
    )

    assert QuarantinedAddress.objects.get().status == Status.DENYLISTED


@pytest.mark.django_db
def test_success_resets_the_count_of_errors():
    factories.make_quarantined_address(
        value="anna@example.com",
        status=Status.ERRONEOUS,
        significant_error_count=4,
        is_provisional=True,
    )

    row = happen(Event.SUCCESS)

    assert row is not None
    assert (row.status, row.significant_error_count) == (Status.VALID, 0)
    assert not row.is_provisional


@pytest.mark.django_db
@pytest.mark.parametrize("event", [e for e in ADDRESS_EVENTS if e != Event.ERASE])
def test_nothing_changes_the_address_of_an_erased_person(event):
    happen(Event.ERASE, source=Source.ERASURE, reason=Reason.ERASED)

    if event in transitions.BY_HAND:
        with pytest.raises(transitions.QuarantineError, match="was erased"):
            happen(event)
    else:
        happen(event)

    row = QuarantinedAddress.objects.get()
    assert (row.status, row.reason, row.address) == (Status.DENYLISTED, "erased", "")


@pytest.mark.django_db
def test_erasure_takes_the_readable_address_and_all_notes():
    happen(Event.HARD_ERROR, note="550 anna@example.com unknown")

    happen(Event.ERASE, source=Source.ERASURE, reason=Reason.ERASED, note="art. 17")

    row = QuarantinedAddress.objects.get()
    assert (row.address, row.domain, row.error_text) == ("", "", "")
    events = QuarantineEvent.objects.values_list("note", "domain")
    assert set(events) == {("", "")}


def stop(**fields: object) -> QuarantinedAddress | None:
    return happen(
        Event.STOP, source=Source.KEYWORD, reason=Reason.STOP, **({"by": ""} | fields)
    )


def start() -> QuarantinedAddress | None:
    return happen(Event.START, source=Source.KEYWORD, reason=Reason.NONE, by="")


@pytest.mark.django_db
def test_start_lifts_what_stop_did():
    stop()

    row = start()

    assert (row.status, row.reason) == (Status.VALID, Reason.NONE)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "what",
    [
        {
            "event": Event.COMPLAINT,
            "source": Source.COMPLAINT,
            "reason": Reason.COMPLAINT,
        },
        {
            "event": Event.LISTED_DENYLISTED,
            "source": Source.OPERATOR,
            "reason": Reason.LISTED,
        },
        {"event": Event.ERASE, "source": Source.ERASURE, "reason": Reason.ERASED},
        {
            "event": Event.IMPORT_DENYLISTED,
            "source": Source.IMPORT,
            "reason": Reason.STOP,
        },
        {"event": Event.STOP, "source": Source.OPERATOR, "reason": Reason.STOP},
    ],
    ids=lambda what: what["event"].value,
)
def test_start_lifts_no_other_denylisting(what):
    happen(**what)

    start()

    row = QuarantinedAddress.objects.get()
    assert (row.status, row.reason) == (Status.DENYLISTED, what["reason"])
    assert not QuarantineEvent.objects.filter(event=Event.START).exists()


@pytest.mark.django_db
def test_complaint_after_a_stop_outlasts_start():
    stop()
    happen(Event.COMPLAINT, source=Source.COMPLAINT, reason=Reason.COMPLAINT)

    start()

    row = QuarantinedAddress.objects.get()
    assert (row.status, row.reason) == (Status.DENYLISTED, Reason.COMPLAINT)


@pytest.mark.django_db
def test_start_puts_back_what_was_in_quarantine_before():
    happen(Event.LISTED_QUARANTINE, source=Source.OPERATOR, reason=Reason.LISTED)
    stop()

    row = start()

    assert (row.status, row.reason) == (Status.QUARANTINE, Reason.LISTED)
    assert row.source == Source.OPERATOR
    last = QuarantineEvent.objects.order_by("-pk").first()
    assert (last.from_status, last.to_status) == (Status.DENYLISTED, Status.QUARANTINE)
