"""Answers to texts: short, in the right language, once, soon, or never."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import translation

from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.inbound import answers, numbers
from delivery.models import AnswerKind, AnswerState, TextAnswer
from delivery.sms_text import measure
from optout.models import ConsentEvent
from profiles.addresses import parse
from profiles.channels import Channel
from quarantine.reasons import Status
from tests import factories
from tests.delivery.sending_stage import Wire
from tests.delivery.text_stage import NOW, NUMBER, number_row, text_in

LANGUAGES = ["en", "sv", "de", "fr", "es", "fi", "nb", "da"]
SOON = NOW + timedelta(seconds=30)


def send(wire: Wire, *, now=SOON) -> int:
    return answers.send_due(open_transport=lambda channel: wire, clock=lambda: now)


def states() -> list[str]:
    return list(TextAnswer.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", AnswerKind.values)
@override_settings(PUBLIC_BASE_URL="https://campaign.example.com")
def test_answer_is_one_part_of_the_gsm_alphabet(kind, language):
    length = measure(answers.text_of(kind, language))

    assert (length.encoding, length.parts) == ("gsm7", 1)


@override_settings(DEFAULT_SENDER="Läderfabriken 工場 <a@example.com>")
def test_name_outside_the_gsm_alphabet_is_left_out():
    assert answers.text_of(AnswerKind.STOP, "en") == (
        "You get no more texts on this number. To get them again, reply START."
    )


@pytest.mark.django_db
def test_stop_is_confirmed_once_to_a_number_that_nothing_else_reaches():
    text_in("STOP")
    wire = Wire()

    assert [send(wire), send(wire)] == [1, 0]

    assert [(each.recipient, each.sender) for each in wire.taken] == [
        (NUMBER, f"answer-{TextAnswer.objects.get().pk}")
    ]
    with translation.override("sv"):
        assert wire.taken[0].content.decode() == answers.text_of("stop", "sv")
    assert states() == [AnswerState.SENT]
    assert number_row().status == Status.DENYLISTED


def unconfirmed_first() -> list[str]:
    """Send the answer of a STOP, and say what was not there yet when it went out."""
    found = []

    def look(composition) -> None:
        row = number_row()
        if row is None or row.status != Status.DENYLISTED:
            found.append("number not denylisted")
        if not ConsentEvent.objects.exists():
            found.append("ledger not written")
        if connection.in_atomic_block:
            found.append("not committed")

    factories.make_profile(sms=NUMBER)
    text_in("STOP")
    send(Wire(before_each=look))
    return found


@pytest.mark.django_db(transaction=True)
def test_stop_is_committed_before_it_is_confirmed():
    assert unconfirmed_first() == []


@pytest.mark.django_db(transaction=True)
def test_confirming_before_the_stop_is_kept_is_found_out(monkeypatch):
    def stop(number, **circumstances):
        return numbers.NumberChange(True, 0)

    monkeypatch.setattr("delivery.inbound.texts.numbers.stop", stop)

    assert unconfirmed_first() == ["number not denylisted", "ledger not written"]


@pytest.mark.django_db
def test_confirmation_that_is_five_minutes_late_is_never_sent():
    text_in("STOP")
    wire = Wire()

    send(wire, now=NOW + timedelta(minutes=5))

    assert (wire.taken, states()) == ([], [AnswerState.DROPPED])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (OutcomeKind.AMBIGUOUS, AnswerState.UNKNOWN),
        (OutcomeKind.HARD, AnswerState.FAILED),
        (OutcomeKind.REFUSED, AnswerState.FAILED),
        (OutcomeKind.SOFT, AnswerState.WAITING),
        (OutcomeKind.UNREACHABLE, AnswerState.WAITING),
    ],
)
def test_outcome_says_whether_an_answer_waits(kind, state):
    text_in("STOP")
    wire = Wire(outcome=Outcome(kind, Phase.CONTENT))

    sent = [send(wire), send(wire)]

    assert (sent, len(wire.taken), states()) == ([0, 0], 1, [state])


@pytest.mark.django_db
def test_answer_that_waits_goes_out_later_under_the_same_id():
    text_in("STOP")
    wire = Wire(outcome=Outcome(OutcomeKind.SOFT, Phase.CONTENT))
    send(wire)

    wire.outcome = Wire().outcome
    send(wire, now=SOON + answers.TRY_AGAIN_AFTER)

    assert wire.taken[0] == wire.taken[1]
    assert states() == [AnswerState.SENT]


@pytest.mark.django_db
def test_answers_wait_when_the_gateway_is_not_there():
    text_in("STOP")
    wire = Wire(trouble=Outcome(OutcomeKind.UNREACHABLE, Phase.CONNECT, code="x"))

    assert (send(wire), states()) == (0, [AnswerState.WAITING])


@pytest.mark.django_db
def test_answer_that_a_killed_worker_had_in_hand_is_not_sent_again():
    text_in("STOP")
    TextAnswer.objects.update(state=AnswerState.SENDING, claimed_at=SOON)
    wire = Wire()

    send(wire, now=SOON + answers.LOST_AFTER)

    assert (wire.taken, states()) == ([], [AnswerState.UNKNOWN])


@pytest.mark.django_db
def test_newer_answer_takes_the_place_of_one_that_waits():
    text_in("STOP")
    text_in("START", now=SOON)
    wire = Wire()

    send(wire, now=SOON)

    assert [each.content.decode() for each in wire.taken] == [
        answers.text_of("start", "sv")
    ]
    assert states() == [AnswerState.DROPPED, AnswerState.SENT]


@pytest.mark.django_db
def test_number_gets_one_answer_within_five_minutes():
    wire = Wire()
    text_in("HELP")
    send(wire)

    text_in("STOP", now=NOW + timedelta(minutes=4))
    send(wire, now=NOW + timedelta(minutes=4))

    assert len(wire.taken) == 1
    assert number_row().status == Status.DENYLISTED


@pytest.mark.django_db
def test_two_machines_that_answer_each_other_soon_end():
    wire = Wire()

    for turn in range(100):
        now = NOW + turn * timedelta(minutes=6)
        text_in("STOP" if turn % 2 else "START", now=now)
        send(wire, now=now)

    assert len(wire.taken) == answers.MOST_A_DAY


@pytest.mark.django_db
def test_help_is_answered_once_a_day():
    wire = Wire()

    for hours in (0, 23, 25):
        text_in("HELP", now=NOW + timedelta(hours=hours))
        send(wire, now=NOW + timedelta(hours=hours))

    assert len(wire.taken) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("number", "profile_language", "text", "language"),
    [
        ("+46701740605", "", "STOP", "sv"),
        ("+4915112345678", "", "STOP", "de"),
        ("+447700900123", "", "STOP", "en"),
        ("+46701740605", "fi-FI", "STOP", "fi"),
        ("+46701740605", "pt", "STOP", "sv"),
        ("+46701740605", "fi", "ARRÊT", "fr"),
    ],
)
def test_answer_speaks_the_language_of_who_asked(
    number, profile_language, text, language
):
    factories.make_profile(sms=number, language=profile_language)

    text_in(text, sender=number)

    assert TextAnswer.objects.get().language == language
    assert TextAnswer.objects.get().digest == parse(Channel.SMS, number).digest
