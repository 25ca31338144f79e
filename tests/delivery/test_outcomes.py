"""What a reply of a server makes of a message: a table, and that it is total."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.channels.outcomes import (
    LONGEST_REPLY,
    Outcome,
    OutcomeKind,
    Phase,
    cleaned,
    enhanced_of,
    from_reply,
)

SENT, SOFT, HARD = OutcomeKind.SENT, OutcomeKind.SOFT, OutcomeKind.HARD
AMBIGUOUS = OutcomeKind.AMBIGUOUS
REFUSED, UNREACHABLE = OutcomeKind.REFUSED, OutcomeKind.UNREACHABLE
RCPT, DATA, CONTENT = Phase.RCPT, Phase.DATA, Phase.CONTENT


@pytest.mark.parametrize(
    ("phase", "reply_code", "text", "kind", "enhanced"),
    [
        (CONTENT, 250, "2.0.0 Ok: queued", SENT, "2.0.0"),
        (CONTENT, 250, "Ok", SENT, ""),
        (CONTENT, 200, "", SENT, ""),
        (CONTENT, 299, "", SENT, ""),
        (CONTENT, 300, "", AMBIGUOUS, ""),
        (CONTENT, 354, "Go on", AMBIGUOUS, ""),
        (CONTENT, 199, "", AMBIGUOUS, ""),
        # A positive reply sends nothing before the message is there.
        (RCPT, 250, "2.1.5 Ok", SOFT, "2.1.5"),
        (DATA, 250, "2.0.0 Ok", SOFT, "2.0.0"),
        (RCPT, 451, "4.3.0 Try again later", SOFT, "4.3.0"),
        (CONTENT, 452, "4.3.1 Disk full", SOFT, "4.3.1"),
        (RCPT, 550, "5.1.1 No such user", HARD, "5.1.1"),
        (RCPT, 550, "No such user", HARD, ""),
        (RCPT, 500, "", HARD, ""),
        (RCPT, 599, "", HARD, ""),
        (RCPT, 600, "", SOFT, ""),
        (RCPT, 553, "5.1.3 Bad syntax", HARD, "5.1.3"),
        # The sender is at fault, or a rule about us: not the address.
        (RCPT, 550, "5.1.7 Bad sender", REFUSED, "5.1.7"),
        (RCPT, 550, "5.1.8 Unknown sender domain", REFUSED, "5.1.8"),
        (RCPT, 550, "5.7.1 Blocked", REFUSED, "5.7.1"),
        (RCPT, 554, "5.7.26 Not authenticated", REFUSED, "5.7.26"),
        (Phase.MAIL, 550, "Sender refused", REFUSED, ""),
        (Phase.MAIL, 552, "5.3.4 Too large", REFUSED, "5.3.4"),
        (DATA, 554, "5.5.1 No valid recipients", REFUSED, "5.5.1"),
        (CONTENT, 554, "5.6.0 Looks like spam", REFUSED, "5.6.0"),
        (CONTENT, 550, "5.1.1 No such user", HARD, "5.1.1"),
        (DATA, 550, "5.1.10 No mailbox", HARD, "5.1.10"),
        (CONTENT, 550, "5.7.1 Blocked", REFUSED, "5.7.1"),
        # What passes, whatever the first digit says.
        (RCPT, 552, "5.2.2 Mailbox full", SOFT, "5.2.2"),
        (RCPT, 550, "4.2.1 Busy", SOFT, "4.2.1"),
        (Phase.GREETING, 554, "Go away", UNREACHABLE, ""),
        (Phase.AUTH, 535, "5.7.8 Bad password", UNREACHABLE, "5.7.8"),
        (Phase.GREETING, 450, "Later", SOFT, ""),
        # No reply of the standard.
        (CONTENT, 0, "", AMBIGUOUS, ""),
        (CONTENT, -1, "", AMBIGUOUS, ""),
    ],
)
def test_reply_is_qualified_by_phase_and_code(phase, reply_code, text, kind, enhanced):
    outcome = from_reply(phase, reply_code, text)

    assert outcome == Outcome(kind, phase, reply_code, enhanced, text)


@pytest.mark.parametrize(
    ("reply_code", "text", "pauses"),
    [
        (421, "Bye", True),
        (421, "4.7.0 Too many connections", True),
        (450, "4.7.1 Greylisted", True),
        (450, "4.3.2 System not accepting", True),
        (450, "4.4.5 Congested", True),
        (452, "4.5.3 Later", True),
        (450, "Too many messages", True),
        (450, "You send too fast", True),
        (450, "Rate limited", True),
        (450, "Sending rate is above the limit", True),
        (450, "Throttled", True),
        (450, "Connection limit exceeded", True),
        (451, "4.3.0 Try again later", False),
        (450, "4.4.50 Not the code of congestion", False),
        (450, "", False),
        # Words within words, and a full mailbox: nobody asks us to slow down.
        (450, "A corporate rule, generated", False),
        (452, "4.2.2 Quota exceeded", False),
        (552, "5.2.2 Quota exceeded", False),
        # What is refused for good pauses nothing.
        (550, "5.7.1 Too many complaints", False),
    ],
)
def test_lane_pauses_when_the_domain_asks_to_slow_down(reply_code, text, pauses):
    assert from_reply(RCPT, reply_code, text).pauses_lane is pauses


def test_message_that_was_taken_pauses_nothing():
    assert not from_reply(CONTENT, 250, "4.7.0 Sent, at a low rate").pauses_lane


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        ("5.1.1 No such user", "5.1.1"),
        ("Sorry (#5.1.1)", "5.1.1"),
        ("No such user 5.1.1.", "5.1.1"),
        ("<a@b>: 5.1.1: 4.2.2", "5.1.1"),
        ("5.7.1 first\n5.7.2 second", "5.7.1"),
        ("5.123.123", "5.123.123"),
        ("5.1.1234", ""),
        ("3.1.1", ""),
        ("15.1.1", ""),
        # Addresses of hosts look alike.
        ("Host 192.4.1.2 is unknown", ""),
        ("Host 5.6.7.8 is unknown", ""),
        ("Host 4.4.4.4 is blocked: 5.7.1", "5.7.1"),
        ("Host [10.0.5.7] is unknown", ""),
        ("", ""),
    ],
)
def test_enhanced_code_is_found_where_it_stands_alone(text, enhanced):
    assert enhanced_of(text) == enhanced


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ok", "Ok"),
        ("two\nlines\r\n", "two lines"),
        ("bell\a and\x1b[31m color\0", "bell and [31m color"),
        ("  much \t room  ", "much room"),
        ("s\xe5", "s\xe5"),
        ("x" * 501, "x" * 500),
    ],
    ids=["short", "lines", "controls", "spaces", "letters", "long"],
)
def test_reply_is_kept_as_one_short_line(text, kept):
    assert cleaned(text) == kept


@given(st.sampled_from(Phase), st.integers(), st.text(max_size=1200))
def test_every_reply_has_an_outcome(phase, reply_code, text):
    outcome = from_reply(phase, reply_code, text)

    assert (outcome.phase, outcome.reply_code) == (phase, reply_code)
    assert outcome.reply.isprintable()
    assert len(outcome.reply) <= LONGEST_REPLY == 500
    assert outcome.kind not in _impossible(phase)
    assert outcome.kind == OutcomeKind.SOFT or not outcome.pauses_lane


def _impossible(phase: Phase) -> set[OutcomeKind]:
    """Name what no reply at a phase may come to."""
    impossible = set() if phase == CONTENT else {SENT, AMBIGUOUS}
    if phase < Phase.MAIL:
        return impossible | {HARD, REFUSED}
    return impossible | {UNREACHABLE}
