"""Qualification: every row of the table, every code, every stage, and any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine.qualification import (
    Qualification,
    Stage,
    qualify,
    qualify_reply,
    understand,
)
from quarantine.reasons import ErrorType, Reason, Verdict
from tests.quarantine.qualification_samples import ROWS, SAMPLES

# Registered at IANA, "SMTP Enhanced Status Codes": details by subject.
REGISTERED = {
    0: (0,),
    1: range(11),
    2: range(5),
    3: range(7),
    4: range(8),
    5: range(7),
    6: range(11),
    7: range(31),
}
BASIC = (421, 450, 451, 452, 455, 500, 501, 503, 521, 550, 551, 552, 553, 554, 556)
CODES = [
    f"{first}.{subject}.{detail}"
    for first in (4, 5)
    for subject, details in REGISTERED.items()
    for detail in details
]


def answer(made: Qualification) -> tuple[Verdict, Reason, int]:
    return made.verdict, made.reason, made.weight


@pytest.mark.parametrize(("text", "status", "expected"), SAMPLES)
def test_what_a_server_says_is_qualified(text, status, expected):
    assert answer(qualify(text, status=status)) == expected


def test_every_row_has_three_samples():
    assert {name for name, samples in ROWS.items() if len(samples) < 3} == set()


@pytest.mark.parametrize("basic", BASIC)
def test_every_registered_code_has_an_answer(basic):
    for code in CODES:
        made = qualify(f"{basic} {code} words")

        assert made.code == code
        assert made.verdict != Verdict.IGNORED
        assert made.reason != Reason.NONE


@pytest.mark.parametrize("basic", [basic for basic in BASIC if basic < 500])
def test_basic_reply_decides_whether_it_was_refused_for_good(basic):
    verdicts = {qualify(f"{basic} {code} words").verdict for code in CODES}

    assert verdicts == {Verdict.SOFT, Verdict.OURS}


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_what_has_not_failed_says_nothing_of_the_address(action):
    made = qualify("550 5.1.1 No such user", status="5.1.1", action=action)

    assert answer(made) == (Verdict.IGNORED, Reason.ERROR_IGNORED, 1)


def test_refusal_after_the_data_is_of_the_message():
    assert qualify("550 No such user", stage=Stage.MESSAGE).verdict == Verdict.POLICY
    assert qualify("550 5.1.1 Who?", stage=Stage.MESSAGE).verdict == Verdict.HARD


@pytest.mark.parametrize(
    ("reply_code", "text", "stage", "verdict", "reason"),
    [
        (550, "5.1.1 No such user", "RECIPIENT", "HARD", "USER_UNKNOWN"),
        (550, "No such user", "RECIPIENT", "HARD", "USER_UNKNOWN"),
        (553, "We do not like you", "RECIPIENT", "POLICY", "REFUSED"),
        (554, "5.7.1 Blocked", "RECIPIENT", "POLICY", "REFUSED"),
        (552, "5.2.2 Over quota", "RECIPIENT", "SOFT", "MAILBOX_FULL"),
        (550, "5.2.1 Account is disabled", "RECIPIENT", "SOFT", "ACCOUNT_DISABLED"),
        (450, "4.2.0 Greylisted", "RECIPIENT", "TRANSIENT", "UNREACHABLE"),
        (452, "4.2.2 Over quota", "RECIPIENT", "SOFT", "MAILBOX_FULL"),
        (421, "5.7.32 Not trusted", "RECIPIENT", "OURS", "REFUSED"),
        (550, "5.1.1 No such user", "BEFORE", "OURS", "REFUSED"),
        (554, "5.7.1 Blocked by a blocklist", "BEFORE", "POLICY", "REFUSED"),
        (550, "5.1.1 No such user", "SENDER", "OURS", "REFUSED"),
        (553, "5.7.1 Blocked by a blocklist", "SENDER", "POLICY", "REFUSED"),
        (550, "No such user", "MESSAGE", "CONTENT", "REFUSED"),
        (554, "5.7.1 Looks like spam", "MESSAGE", "POLICY", "REFUSED"),
        (550, "5.7.26 Not authenticated", "MESSAGE", "OURS", "REFUSED"),
        (550, "5.1.1 No such user", "MESSAGE", "HARD", "USER_UNKNOWN"),
        (552, "5.2.2 Over quota", "MESSAGE", "SOFT", "MAILBOX_FULL"),
        (552, "Mailbox is full", "MESSAGE", "SOFT", "MAILBOX_FULL"),
        (451, "Later", "MESSAGE", "TRANSIENT", "NOT_DEFINED"),
        (250, "2.0.0 Taken", "MESSAGE", "IGNORED", "ERROR_IGNORED"),
        (354, "Go on", "MESSAGE", "IGNORED", "ERROR_IGNORED"),
        (0, "", "RECIPIENT", "TRANSIENT", "NOT_DEFINED"),
    ],
)
def test_refusal_to_ourselves_depends_on_the_stage(
    reply_code, text, stage, verdict, reason
):
    made = qualify_reply(reply_code, text, stage=Stage[stage])

    assert (made.verdict.name, made.reason.name) == (verdict, reason)


@pytest.mark.parametrize("stage", Stage)
def test_nothing_temporary_counts_at_the_time_of_sending(stage):
    verdicts = {
        qualify_reply(450, f"{code} Later", stage=stage).verdict for code in CODES
    }

    # But a mailbox that is full (4.2.2, 4.3.1), which no one empties by trying again.
    assert verdicts - {Verdict.SOFT} == {Verdict.TRANSIENT, Verdict.OURS}


@pytest.mark.parametrize("stage", [Stage.BEFORE, Stage.SENDER])
def test_refusal_before_the_recipient_is_never_of_the_address(stage):
    types = {
        qualify_reply(550, f"{code} No such user", stage=stage).error_type
        for code in CODES
    }

    assert types == {ErrorType.IGNORED}


def test_codes_are_found_among_the_words():
    said = understand("host mx[192.0.2.25] said: 550-5.1.1 Not\n 550 5.1.1 here")

    assert (said.basic, said.enhanced) == (550, "5.1.1")


@pytest.mark.parametrize(
    "text",
    ["mx 5.1.1.7 is away", "version 15.1.1", "5.1.1234", "port:550", "of 2026-550 x"],
)
def test_numbers_of_another_kind_are_no_codes(text):
    said = understand(text)

    assert (said.basic, said.enhanced) == (0, "")


def test_only_an_unsure_one_is_to_be_confirmed():
    assert qualify("550 5.1.2 No host").is_to_be_confirmed
    assert not qualify("550 5.1.1 No user").is_to_be_confirmed


TEXTS = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            ["550", "5.1.1", "4.2.2", "5.0.0", "421", "user unknown", "spam", "full"]
        )
    ).map(" ".join),
)


@given(text=TEXTS, status=TEXTS, action=TEXTS)
def test_every_text_has_an_answer(text, status, action):
    for stage in (None, *Stage):
        made = qualify(text, status=status, action=action, stage=stage)
        assert made.verdict in Verdict
        assert made.reason in Reason
        assert made.weight in {1, 2}


@given(reply_code=st.integers(), text=TEXTS, stage=st.sampled_from(Stage))
def test_every_reply_has_an_answer(reply_code, text, stage):
    made = qualify_reply(reply_code, text, stage=stage)

    assert made.verdict in Verdict


@given(words=st.text(alphabet="abcdefg .-"))
def test_code_that_says_nothing_is_never_hard(words):
    assert qualify(f"550 5.0.0 {words}").error_type != ErrorType.HARD


@pytest.mark.parametrize(
    "text",
    [
        "550 User unknown",
        "553 5.1.0 Address rejected: no such user",
        "550 5.2.2 Mailbox full",
        "554 5.0.0 Something",
    ],
)
def test_refusal_before_the_recipient_was_told_is_not_about_the_address(text):
    made = qualify(text, stage=Stage.SENDER)

    assert made.verdict == Verdict.OURS


def test_block_before_the_recipient_was_told_stays_a_block():
    made = qualify("554 5.7.1 Blocked by policy", stage=Stage.SENDER)

    assert made.verdict == Verdict.POLICY
