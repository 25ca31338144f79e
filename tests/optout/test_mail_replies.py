"""A reply by mail: what acts at once, what a person reads, what is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout import keywords
from optout.keywords import MailAnswer
from optout.mail_replies import own_part

ACT, TRIAGE, NOTHING = MailAnswer.ACT, MailAnswer.TRIAGE, MailAnswer.NOTHING
REPLY = "Re: Spring is here"
QUOTED = "> Spring is here.\n> Unsubscribe: http://localhost/u/x"
OUTLOOK = "-----Original Message-----\nFrom: Shop\nUnsubscribe"


@pytest.mark.parametrize(
    ("subject", "body", "answer"),
    [
        (REPLY, "STOP", ACT),
        (REPLY, "Please take me off", ACT),
        (REPLY, "Unsubscribe\n\n-- \nAnna\nHead of Sales", ACT),
        (REPLY, "Please stop sending me emails.\n\nThank you", ACT),
        (REPLY, f"stop\n\nOn Mon, 3 Feb 2025, Shop wrote:\n{QUOTED}", ACT),
        (
            REPLY,
            f"STOPP\n\nDen mån 3 feb. 2025 kl 10:12 skrev Shop:\n{QUOTED}",
            ACT,
        ),
        (
            REPLY,
            f"Bitte abmelden\n\nAm 03.02.2025 um 10:12 schrieb Shop:\n{QUOTED}",
            ACT,
        ),
        (
            REPLY,
            f"Désabonnez-moi\n\nLe 3 févr. 2025, Shop de Paris a\nécrit :\n{QUOTED}",
            ACT,
        ),
        (
            REPLY,
            f"baja\n\nEl lun, 3 feb 2025, Shop\n<a@example.com> escribió:\n{QUOTED}",
            ACT,
        ),
        (REPLY, f"unsubscribe\n{OUTLOOK}", ACT),
        (REPLY, "Avsluta\nSkickat från min iPhone", ACT),
        (REPLY, f"On Mon, 3 Feb 2025, Shop wrote:\n{QUOTED}\n\nSTOP", ACT),
        (REPLY, f"On Mon, Shop\n<a@example.com> wrote:\n\n{QUOTED}\nSTOP", ACT),
        (REPLY, f"Nice weather\nOn Mon, Shop wrote:\n{QUOTED}\nPlease stop", TRIAGE),
        ("unsubscribe", "", ACT),
        ("STOP", "\n\nSent from my phone", ACT),
        (REPLY, "Stop. Your prices are far too high for what you offer.", TRIAGE),
        (REPLY, "Can you stop by on Monday?", TRIAGE),
        (REPLY, "Don't stop!", TRIAGE),
        (
            REPLY,
            "I never asked for this. Remove my data or hear from my lawyer.",
            TRIAGE,
        ),
        (REPLY, "How do I opt out of one of the two letters?", TRIAGE),
        ("unsubscribe", "My order has not come yet.", TRIAGE),
        (REPLY, "cancel my order 17", TRIAGE),
        (REPLY, "Not interested", TRIAGE),
        (REPLY, "Thanks, this is lovely", NOTHING),
        (REPLY, f"Thanks!\n\nOn Mon, 3 Feb 2025, Shop wrote:\n{QUOTED}", NOTHING),
        (REPLY, f"{QUOTED}\n", NOTHING),
        ("Re: Stop wasting money", "Nice offer", NOTHING),
        ("Sv: STOP", "Tack för brevet", NOTHING),
        ("Out of office", "I am away until Monday.", NOTHING),
        (REPLY, "", NOTHING),
        (REPLY, "HELP", NOTHING),
        (REPLY, "START", NOTHING),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_reply_is_acted_upon_only_when_unmistakable(subject, body, answer):
    assert keywords.read_mail(subject, body) is answer


def test_what_the_writer_wrote_is_kept_around_quotes():
    body = "First line\n> quoted STOP\nSecond line\n-- \nAnna STOP"

    assert own_part(body) == "First line\nSecond line"


@given(st.text(max_size=60), st.text(max_size=300))
def test_every_mail_has_an_answer(subject, body):
    assert isinstance(keywords.read_mail(subject, body), MailAnswer)
