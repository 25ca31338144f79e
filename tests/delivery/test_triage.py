"""What needs a person: the clock, what they can decide, and what acts by itself."""

from datetime import UTC, datetime, timedelta

import pytest

from delivery.inbound import numbers, triage, triage_lines
from delivery.inbound.triage import Decided, TriageError
from delivery.models import (
    Decision,
    Inbound,
    InboundKind,
    InboundState,
    TextAnswer,
    TriageItem,
)
from optout.models import ConsentEvidence, OptOut
from profiles.addresses import parse
from profiles.channels import ANY_CHANNEL, Channel
from quarantine.reasons import Reason, Source, Status
from tests import factories
from tests.delivery.text_stage import NOW, NUMBER, ledger_rows, number_row, text_in

MAIL = (
    b"From: Anna <anna@example.com>\nSubject: Re: Spring\n"
    b"Content-Type: text/plain; charset=utf-8\n\n"
    b"Why do you write to me?\n\nOn Monday, Shop wrote:\n> Unsubscribe here\n"
)


def carry(**fields):
    return factories.make_profile(sms=NUMBER, email=None, **fields)


def item_of(text: str = "please stop the bus", **fields) -> TriageItem:
    text_in(text, **fields)
    return TriageItem.objects.get()


def mail_item(raw: bytes = MAIL, **fields) -> TriageItem:
    inbound = Inbound.objects.create(
        kind=InboundKind.MAIL,
        source="imap",
        key="m",
        raw=raw,
        received_at=NOW,
        **fields,
    )
    return triage.add(inbound, is_suspected_stop=True, now=NOW)


def choices_of(item: TriageItem) -> list[Decision]:
    return triage.choices_of(item, triage.people_of(item))


def day(day_of_month: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day_of_month, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (day(2), 1, day(3)),
        (day(2), 5, day(9)),
        (day(2), 9, day(13)),
        (day(6), 1, day(9)),  # Friday to Monday
        (day(7), 1, day(9)),  # Saturday
        (day(8, 23), 1, day(9, 23)),  # Sunday night
        (day(2), 0, day(2)),
    ],
)
def test_working_days_leave_out_weekends(start, days, end):
    assert triage.working_days_after(start, days) == end


@pytest.mark.django_db
def test_item_has_a_clock():
    item = item_of()

    assert (item.added_at, item.due_at, item.acts_at) == (NOW, day(3), day(13))


@pytest.mark.django_db
def test_what_smells_of_no_stop_never_acts_by_itself():
    item = item_of("Hello")

    assert item.acts_at is None


@pytest.mark.django_db
def test_stopping_the_number_denylists_it_and_writes_who_did():
    anna, bo = carry(), carry()
    item = item_of()

    decided = triage.decide(item.pk, Decision.ADDRESS, by="ola", now=day(3))

    assert decided == Decided(people=2, changed=2)
    row = number_row()
    assert (row.status, row.reason, row.source, row.address, row.updated_by) == (
        Status.DENYLISTED,
        Reason.STOP,
        Source.OPERATOR,
        NUMBER,
        "ola",
    )
    assert ledger_rows() == [(each.pk, "OUT", "keyword") for each in (anna, bo)]
    item.refresh_from_db()
    assert (item.closed_by, item.closed_at, item.decision) == ("ola", day(3), "address")
    assert Inbound.objects.get().state == InboundState.APPLIED
    assert not TextAnswer.objects.exists()


@pytest.mark.django_db
def test_start_does_not_lift_what_a_person_decided():
    carry()
    triage.decide(item_of().pk, Decision.ADDRESS, by="ola", now=NOW)

    text_in("START", now=day(4))

    assert number_row().status == Status.DENYLISTED


@pytest.mark.django_db
def test_stopping_the_person_opts_out_each_who_carries_the_number():
    anna, bo = carry(), carry()
    item = item_of()

    decided = triage.decide(item.pk, Decision.PERSON, by="ola", now=NOW)

    assert decided == Decided(people=2, changed=2)
    flags = set(OptOut.objects.values_list("profile_id", "channel"))
    assert flags == {(anna.pk, ANY_CHANNEL), (bo.pk, ANY_CHANNEL)}
    assert ledger_rows() == [(each.pk, "OUT", "operator") for each in (anna, bo)]
    note = f"Read from inbound report {item.inbound_id}."
    assert set(ConsentEvidence.objects.values_list("text", flat=True)) == {note}


@pytest.mark.django_db
def test_nothing_to_do_changes_nothing():
    carry()
    item = item_of()

    triage.decide(item.pk, Decision.NOTHING, by="ola", now=NOW)

    assert (number_row(), ledger_rows()) == (None, [])
    assert Inbound.objects.get().state == InboundState.RECORDED
    assert triage.count_waiting() == 0


@pytest.mark.django_db
def test_second_decision_is_refused():
    carry()
    item = item_of()
    triage.decide(item.pk, Decision.NOTHING, by="ola", now=NOW)

    with pytest.raises(TriageError, match="somebody has decided about this message"):
        triage.decide(item.pk, Decision.ADDRESS, by="eva", now=NOW)

    item.refresh_from_db()
    assert (item.closed_by, number_row()) == ("ola", None)


@pytest.mark.django_db
def test_item_about_nobody_we_know_can_only_be_closed():
    item = item_of("STOP", sender="SHOP")

    assert choices_of(item) == [Decision.NOTHING]
    with pytest.raises(TriageError, match="nobody knows whom it is about"):
        triage.decide(item.pk, Decision.PERSON, by="ola", now=NOW)


@pytest.mark.django_db
def test_number_that_no_profile_carries_can_be_stopped():
    item = item_of()

    assert choices_of(item) == [Decision.ADDRESS, Decision.NOTHING]


@pytest.mark.django_db
def test_reply_by_mail_stops_the_channel_or_everything():
    anna = factories.make_profile(email="anna@example.com")
    item = mail_item(profile_id=anna.pk)

    offered = choices_of(item)
    triage.decide(item.pk, Decision.CHANNEL, by="ola", now=NOW)

    assert offered == [Decision.CHANNEL, Decision.PERSON, Decision.NOTHING]
    flags = list(OptOut.objects.values_list("profile_id", "channel"))
    assert flags == [(anna.pk, Channel.EMAIL)]


@pytest.mark.django_db
def test_reply_is_shown_without_what_it_quotes():
    sender, wording = triage_lines.wording_of(mail_item().inbound)

    assert sender == "Anna <anna@example.com>"
    assert wording == "Re: Spring\n\nWhy do you write to me?"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: =?x?q?=\n\n\xff",
        b"Content-Type: text/plain; charset=none\n\n\xe5",
        b"Content-Type: multipart/mixed; boundary=a\n\n--a",
        b"Content-Type: text/html\n\n<p>Stop</p>",
    ],
)
def test_any_mail_can_be_shown(raw):
    _sender, wording = triage_lines.wording_of(mail_item(raw).inbound)

    assert wording == wording.encode().decode()


@pytest.mark.django_db
def test_adding_twice_makes_one_item_and_keeps_its_clock():
    item = mail_item()

    again = triage.add(item.inbound, is_suspected_stop=False, now=day(9))

    assert again == item
    assert TriageItem.objects.get().due_at == day(3)


@pytest.mark.django_db
def test_unread_stop_acts_by_itself_after_nine_working_days():
    anna = carry()
    item = item_of()

    early = triage.act_on_unread(now=day(13) - timedelta(seconds=1))
    late = triage.act_on_unread(now=day(13))
    again = triage.act_on_unread(now=day(14))

    assert (early, late, again) == (0, 1, 0)
    assert ledger_rows() == [(anna.pk, "OUT", "keyword")]
    item.refresh_from_db()
    assert (item.closed_by, item.decision) == (triage.AUTOMATIC, Decision.ADDRESS)


@pytest.mark.django_db
def test_unread_stop_of_nobody_we_know_waits_on():
    item_of("STOP", sender="SHOP")

    assert triage.act_on_unread(now=day(30)) == 0
    assert triage.count_waiting() == 1


@pytest.mark.django_db
def test_start_page_counts_what_waits_and_what_is_overdue():
    assert triage.tasks(NOW) == []
    text_in("please stop the bus")
    text_in("Hello", now=day(4))

    soon, late = triage.tasks(NOW)[0], triage.tasks(day(4))[0]

    assert (soon.title, soon.why, soon.tone) == (
        "2 messages to decide about",
        "To be read",
        "warn",
    )
    assert (late.why, late.tone, late.url) == (
        "1 overdue",
        "bad",
        "/console/opt-outs/to-decide/",
    )


@pytest.mark.django_db
def test_number_of_an_erased_text_is_stopped_by_its_digest():
    item = item_of()
    Inbound.objects.update(raw=None)

    triage.decide(item.pk, Decision.ADDRESS, by="ola", now=NOW)

    row = number_row()
    assert (row.status, row.address) == (Status.DENYLISTED, "")
    assert numbers.status_of(parse(Channel.SMS, NUMBER).digest) is Status.DENYLISTED


@pytest.mark.django_db
def test_item_that_is_decided_at_that_moment_is_left_to_who_decided(monkeypatch):
    carry()
    item = item_of()
    decide = triage.decide

    def be_late(item_id, decision, *, by, now):
        decide(item_id, Decision.NOTHING, by="ola", now=now)
        return decide(item_id, decision, by=by, now=now)

    monkeypatch.setattr(triage, "decide", be_late)

    assert triage.act_on_unread(now=day(13)) == 0
    item.refresh_from_db()
    assert (item.closed_by, number_row()) == ("ola", None)
