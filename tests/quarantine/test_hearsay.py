"""What another server only said of an address, and prose that contradicts a code."""

import pytest

from quarantine.qualification import Stage, contradicted, qualify
from quarantine.reasons import Reason, Verdict


@pytest.mark.parametrize(
    "words",
    [
        "550 User unknown",
        "550 <anna@example.com>: Recipient address rejected: no such user",
        "554 invalid mailbox",
        "no such user",
    ],
)
def test_words_that_any_filter_may_say_are_soft_as_hearsay(words):
    assert qualify(words, is_hearsay=False).verdict in {Verdict.HARD, Verdict.UNSURE}
    made = qualify(words, is_hearsay=True)

    assert (made.verdict, made.reason) == (Verdict.SOFT, Reason.USER_UNKNOWN)


@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 User unknown",
        "550 No such user here by that name",
        "The recipient name is not recognized",
        "550 user unknown: not listed in the address book",
    ],
)
def test_a_code_or_a_look_into_the_directory_stays_hard_as_hearsay(words):
    made = qualify(words, is_hearsay=True)

    assert made.verdict in {Verdict.HARD, Verdict.UNSURE}
    assert made.reason == Reason.USER_UNKNOWN


def test_hearsay_of_other_matters_stays_what_it_is():
    for words in ("552 Mailbox full", "550 Blocked by policy", "550 Host unknown"):
        assert qualify(words, is_hearsay=True) == qualify(words)


def test_prose_of_a_full_mailbox_is_believed_against_a_code():
    made = contradicted(qualify("550 5.1.1 User unknown"), "the mailbox is full")

    assert (made.verdict, made.reason) == (Verdict.SOFT, Reason.MAILBOX_FULL)
    assert made.code == "5.1.1"


def test_prose_of_a_disabled_account_is_believed_without_a_code():
    prose = "the account is disabled"

    made = contradicted(qualify("550 User unknown"), prose)
    coded = contradicted(qualify("550 5.1.1 User unknown"), prose)

    assert (made.verdict, made.reason) == (Verdict.SOFT, Reason.ACCOUNT_DISABLED)
    assert coded.verdict == Verdict.HARD


def test_prose_that_names_several_causes_contradicts_nothing():
    hard = qualify("550 5.1.1 User unknown")

    assert contradicted(hard, "no such user, or the mailbox is full") == hard


def test_prose_says_nothing_of_what_was_not_of_the_address():
    policy = qualify("550 5.7.1 Blocked by policy")

    assert contradicted(policy, "the mailbox is full") == policy


def test_a_filter_of_a_carrier_that_refuses_the_recipient_means_nobody():
    words = "550 Unknown user"

    assert qualify(words, stage=Stage.RECIPIENT).verdict in {
        Verdict.HARD,
        Verdict.UNSURE,
    }
