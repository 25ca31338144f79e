"""What texts do: STOP, START and HELP, and all else goes to a person."""

from datetime import timedelta

import pytest
from django.test import override_settings

from delivery import analysis, erasure
from delivery.inbound import numbers, texts
from delivery.inbound.texts import Act
from delivery.models import (
    Inbound,
    InboundKind,
    InboundState,
    Message,
    TextAnswer,
    TriageItem,
)
from delivery.states import ExclusionReason
from optout import preferences
from optout.models import ConsentEvent, OptOut
from optout.models.ledger import ConsentSource
from profiles.addresses import parse
from profiles.channels import Channel
from quarantine import transitions
from quarantine.models import QuarantineEvent
from quarantine.reasons import Event, Reason, Source, Status
from tests import factories
from tests.delivery.text_stage import (
    NOW,
    NUMBER,
    ledger_rows,
    number_row,
    raw_text,
    text_in,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def carry(**fields):
    return factories.make_profile(sms=NUMBER, email=None, **fields)


def reasons_of(profile) -> list[ExclusionReason]:
    delivery = factories.make_delivery(channel=Channel.SMS)
    run = analysis.prepare(delivery, by="tests", now=LATER)
    return Message.objects.get(analysis=run, profile_id=profile.pk).all_reasons


def complain() -> None:
    transitions.apply(
        parse(Channel.SMS, NUMBER),
        Event.COMPLAINT,
        by="",
        source=Source.COMPLAINT,
        reason=Reason.COMPLAINT,
        now=NOW,
    )


def test_stop_denylists_the_number_and_writes_a_row_for_each_who_carries_it():
    anna, bo = carry(), carry()
    other = factories.make_profile(sms="+46701740606")
    third = factories.make_profile(sms="+46701740607")
    factories.make_address(
        profile=third, channel=Channel.SMS, value=NUMBER, is_preferred=False
    )

    done = text_in("Stopp!")

    assert (done.act, done.is_news, done.ledger_rows) == (Act.STOPPED, True, 3)
    row = number_row()
    assert (row.status, row.reason, row.source) == (
        Status.DENYLISTED,
        Reason.STOP,
        Source.KEYWORD,
    )
    assert ledger_rows() == [(each.pk, "OUT", "keyword") for each in (anna, bo, third)]
    assert set(ConsentEvent.objects.values_list("address_digest", "channel")) == {
        (row.digest, Channel.SMS)
    }
    assert not OptOut.objects.exists()
    assert other.pk not in [profile_id for profile_id, *_ in ledger_rows()]


def test_stop_of_an_unknown_number_is_kept_for_whoever_comes_to_carry_it():
    done = text_in("STOP")
    newcomer = carry()

    assert (done.is_news, done.ledger_rows) == (True, 0)
    assert number_row().status == Status.DENYLISTED
    assert reasons_of(newcomer) == [ExclusionReason.DENYLISTED_ADDRESS]


def test_everybody_with_the_number_is_excluded_as_denylisted():
    anna, bo = carry(external_id="A"), carry(external_id="B")

    text_in("STOP")

    denylisted = [ExclusionReason.DENYLISTED_ADDRESS]
    assert [reasons_of(anna), reasons_of(bo)] == [denylisted, denylisted]


@pytest.mark.parametrize("state", [None, *Status])
def test_stop_denylists_whatever_was_known(state):
    if state is not None:
        factories.make_quarantined_address(
            value=NUMBER, channel=Channel.SMS, status=state, reason=Reason.LISTED
        )

    done = text_in("STOP")

    row = number_row()
    assert row.status == Status.DENYLISTED
    assert done.is_news is (state != Status.DENYLISTED)
    if state != Status.DENYLISTED:
        assert (row.reason, row.source) == (Reason.STOP, Source.KEYWORD)
        assert (row.error_text, QuarantineEvent.objects.get().note) == ("", "")


def test_stop_a_second_time_changes_and_answers_nothing():
    carry()
    text_in("STOP")

    done = text_in("STOP", now=NOW + timedelta(seconds=30))

    assert (done.act, done.is_news, done.ledger_rows) == (Act.STOPPED, False, 0)
    assert not done.is_answered
    assert len(ledger_rows()) == 1
    assert TextAnswer.objects.count() == 1
    assert QuarantineEvent.objects.count() == 1


def test_one_text_that_comes_twice_is_done_once():
    carry()
    text_in("STOP", key="same")

    done = text_in("START", key="same", now=LATER)

    assert done.act is Act.KNOWN
    assert number_row().status == Status.DENYLISTED
    assert Inbound.objects.count() == 1


def test_second_stop_tells_only_of_those_of_whom_no_row_tells():
    anna = carry()
    text_in("STOP")
    bo = carry()

    done = text_in("STOP", now=LATER)

    assert done.ledger_rows == 1
    assert ledger_rows() == [(anna.pk, "OUT", "keyword"), (bo.pk, "OUT", "keyword")]


def test_stop_after_a_release_is_a_change_again():
    anna = carry()
    text_in("STOP")
    transitions.apply(
        parse(Channel.SMS, NUMBER),
        Event.RELEASE,
        by="ola",
        source=Source.OPERATOR,
        reason=Reason.NONE,
        now=NOW + timedelta(minutes=1),
    )

    done = text_in("STOP", now=LATER)

    assert (done.is_news, done.ledger_rows) == (True, 1)
    assert ledger_rows() == [(anna.pk, "OUT", "keyword")] * 2


def test_start_lifts_the_stop_and_writes_a_row_for_each():
    anna = carry()
    text_in("STOP")

    done = text_in("START", now=LATER)

    assert (done.act, done.is_news, done.ledger_rows) == (Act.STARTED, True, 1)
    assert number_row().status == Status.VALID
    assert ledger_rows() == [(anna.pk, "OUT", "keyword"), (anna.pk, "IN", "keyword")]
    assert reasons_of(anna) == []


def test_start_without_a_stop_changes_nothing():
    carry()

    done = text_in("START")

    assert (done.act, done.is_answered) == (Act.NOT_STARTED, False)
    assert number_row() is None
    assert ledger_rows() == []
    assert Inbound.objects.get().note == (
        "No STOP of this number stands, so START changes nothing."
    )


def start_violations() -> list[str]:
    """Start after a complaint and a profile’s own opt-out; say what was lifted."""
    anna = carry()
    preferences.opt_out(anna, Channel.SMS, by="", source=ConsentSource.LANDING_PAGE)
    text_in("STOP")
    complain()
    text_in("START", now=LATER)
    found = []
    if number_row().status != Status.DENYLISTED:
        found.append("complaint lifted")
    if not OptOut.objects.filter(profile=anna, channel=Channel.SMS).exists():
        found.append("opt-out lifted")
    return found


def test_start_lifts_neither_a_complaint_nor_an_opt_out():
    assert start_violations() == []


def test_start_that_lifts_a_complaint_is_found_out(monkeypatch):
    def is_denylisted(row):
        return row.status == Status.DENYLISTED

    monkeypatch.setattr(transitions, "is_stopped_by_keyword", is_denylisted)
    monkeypatch.setattr(numbers, "is_stopped_by_keyword", is_denylisted)

    assert start_violations() == ["complaint lifted"]


def test_start_that_lifts_an_opt_out_is_found_out(monkeypatch):
    def start(number, *, now, language=""):
        OptOut.objects.all().delete()
        return numbers.NumberChange(False, 0)

    monkeypatch.setattr(texts.numbers, "start", start)

    assert start_violations() == ["opt-out lifted"]


def test_start_leaves_the_flag_of_a_profile_after_lifting_the_number():
    anna = carry()
    preferences.opt_out(anna, Channel.SMS, by="", source=ConsentSource.LANDING_PAGE)
    text_in("STOP")

    text_in("START", now=LATER)

    assert number_row().status == Status.VALID
    assert reasons_of(anna) == [ExclusionReason.OPTED_OUT_CHANNEL]


def test_number_of_an_erased_person_stays_denylisted_and_unanswered():
    anna = carry()
    text_in("STOP")
    erasure.erase(anna, by="ola", reason="asked", now=NOW)

    acts = [text_in(each, now=LATER) for each in ("START", "STOP", "HELP")]

    assert [each.is_answered for each in acts] == [False, False, False]
    row = number_row()
    assert (row.status, row.reason) == (Status.DENYLISTED, Reason.ERASED)
    assert row.address == ""


def test_erasing_takes_the_words_and_the_number_of_what_came_in():
    anna = carry()
    text_in("STOP")

    erasure.erase(anna, by="ola", reason="asked", now=LATER)

    assert Inbound.objects.get().raw is None
    answer = TextAnswer.objects.get()
    assert (answer.number, answer.state) == ("", "dropped")


def test_start_that_is_read_after_a_later_stop_changes_nothing():
    carry()
    text_in("STOP")
    raw = raw_text("START", key="late")
    Inbound.objects.create(
        kind=InboundKind.TEXT, source="sms", key="late", raw=raw, received_at=LATER
    )
    text_in("STOP", now=LATER + timedelta(minutes=1))

    texts.handle_waiting(InboundKind.TEXT, texts.handle, now=LATER + timedelta(hours=1))

    assert number_row().status == Status.DENYLISTED
    assert Inbound.objects.get(key="late").meaning == "not_started"


def test_help_is_answered_to_a_number_that_stopped():
    text_in("STOP")

    done = text_in("HJÄLP", now=LATER)

    assert (done.act, done.is_answered) == (Act.HELPED, True)
    assert number_row().status == Status.DENYLISTED
    assert TextAnswer.objects.order_by("-pk").first().language == "sv"


@pytest.mark.parametrize(
    ("text", "is_suspected"),
    [
        ("please stop the bus", True),
        ("don't stop", True),
        ("Hello, who are you?", False),
        ("👍", False),
        ("", False),
        ("\0\0", False),
        ("\ud800", False),
        ("long " * 2_000, False),
        ("🎉" * 10_000, False),
        ("please start", False),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_no_rule_understands_waits_for_a_person(text, is_suspected):
    carry()

    done = text_in(text)

    assert done.act is Act.TRIAGED
    assert TriageItem.objects.get().is_suspected_stop is is_suspected
    assert Inbound.objects.get().state == InboundState.TRIAGE
    assert number_row() is None
    assert ledger_rows() == []
    assert not TextAnswer.objects.exists()


@pytest.mark.parametrize(
    "sender", ["CAMPAIGN", "72345", "", "+", "0", "\0", "x" * 9_999]
)
def test_text_from_what_is_no_number_waits_for_a_person(sender):
    done = text_in("STOP", sender=sender)

    assert done.act is Act.TRIAGED
    item = TriageItem.objects.get()
    assert item.is_suspected_stop
    assert item.inbound.digest is None


@pytest.mark.parametrize(
    "sender", ["0701740605", "0046701740605", "46701740605", "+46 (0)70-174 06 05"]
)
@override_settings(SMS_GATEWAY_COUNTRY="SE")
def test_numbers_are_read_as_those_of_the_country_of_the_gateway(sender):
    text_in("STOP", sender=sender)

    assert number_row().status == Status.DENYLISTED


@pytest.mark.parametrize(
    ("sender", "recipient"), [(NUMBER, ""), ("+46701740699", "+46701740699")]
)
@override_settings(SMS_OWN_NUMBERS=[NUMBER])
def test_our_own_numbers_are_neither_stopped_nor_answered(sender, recipient):
    done = text_in("HELP", sender=sender, to=recipient)

    assert done.act is Act.OUR_OWN
    assert not TextAnswer.objects.exists()
    assert Inbound.objects.get().state == InboundState.RECORDED


def test_crash_between_storing_and_doing_loses_and_doubles_nothing():
    anna = carry()
    raw = raw_text("STOP", key="crashed")
    Inbound.objects.create(
        kind=InboundKind.TEXT, source="sms", key="crashed", raw=raw, received_at=NOW
    )

    for _ in range(2):
        texts.handle_waiting(InboundKind.TEXT, texts.handle, now=LATER)

    assert ledger_rows() == [(anna.pk, "OUT", "keyword")]
    assert Inbound.objects.get().state == InboundState.APPLIED
    # Too late to be confirmed.
    assert not TextAnswer.objects.exists()


def test_stored_text_that_cannot_be_read_holds_up_no_other():
    for key, raw in (("a", b"\xff"), ("b", raw_text("STOP", key="b"))):
        Inbound.objects.create(
            kind=InboundKind.TEXT, source="sms", key=key, raw=raw, received_at=NOW
        )

    texts.handle_waiting(InboundKind.TEXT, texts.handle, now=NOW)

    failed, applied = Inbound.objects.order_by("key")
    assert (failed.state, applied.state) == (InboundState.FAILED, InboundState.APPLIED)
    assert failed.note == "The body is no JSON. Send one JSON object."
