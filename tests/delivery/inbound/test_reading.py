"""Reading whole mails: what they are, whom they name, and what that means."""

import json
from pathlib import Path

import pytest

from delivery.inbound.reading import Kind, ReadMail, read
from quarantine.reasons import Verdict

FOLDER = Path(__file__).parents[2] / "data/bounces"
ANNA = "anna@example.org"
ORIGINAL_SENDER = "<b-abcdefghijklm-abcdefghijklmnop@bounce.example.com>"
# Of each file: its kind, and of each recipient the local part, enhanced code, basic
# reply, verdict and reason.
EXPECTED = {
    "arf-abuse": ("complaint", "anna - - ignored complaint"),
    "arf-auth-failure": ("complaint", "anna - - ignored error_ignored"),
    "arf-not-spam": ("complaint", "anna - - ignored error_ignored"),
    "arf-opt-out": ("complaint", "anna - - ignored error_ignored"),
    "arf-redacted": ("complaint",),
    "arf-twice": ("complaint", "anna - - ignored complaint"),
    "arf-without-original": ("complaint", "anna - - ignored complaint"),
    "arf-without-report": ("complaint",),
    "courier-unknown": ("bounce", "anna 5.0.0 550 hard user_unknown"),
    "domino-unknown": ("bounce", "anna 5.1.1 - hard user_unknown"),
    "exchange-unknown": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "exim-delayed": ("delayed", "anna - - ignored error_ignored"),
    "exim-unknown": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "exim-unrouteable": ("bounce", "anna - - hard user_unknown"),
    "german": ("bounce", "anna - - hard user_unknown"),
    "gmail-full": ("bounce", "anna 5.2.2 552 soft mailbox_full"),
    "gmail-inactive": ("bounce", "anna 5.2.1 550 soft account_disabled"),
    "gmail-too-fast": ("bounce", "anna 5.2.1 550 transient unreachable"),
    "gmail-unknown": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "jmrp": ("complaint", "anna - - ignored complaint"),
    "office365-authentication": ("bounce", "anna 5.7.515 550 ours refused"),
    "office365-restricted": ("bounce", "anna 5.7.133 550 ours refused"),
    "office365-unknown": ("bounce", "anna 5.1.10 550 hard user_unknown"),
    "opensmtpd-unknown": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "postfix-content": ("bounce", "anna 5.0.0 554 policy refused"),
    "postfix-delayed": ("delayed", "anna 4.4.1 - ignored error_ignored"),
    "postfix-expired": ("bounce", "anna 4.4.1 - soft unreachable"),
    "postfix-no-host": ("bounce", "anna 5.4.4 - unsure invalid_domain"),
    "postfix-several": (
        "bounce",
        "anna 5.1.1 550 hard user_unknown",
        "bo 5.2.2 552 soft mailbox_full",
        "cia 5.7.1 554 policy refused",
    ),
    "postfix-unknown": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "qmail-no-host": ("bounce", "anna 5.1.2 - unsure invalid_domain"),
    "qmail-remote": (
        "bounce",
        "anna - 552 soft mailbox_full",
        "bo 5.7.1 554 policy refused",
    ),
    "qmail-unknown": ("bounce", "anna 5.1.1 - hard user_unknown"),
    "reply": ("other",),
    "reply-about-mail": ("other",),
    "report-as-text": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "report-bare": ("bounce", "anna 5.0.0 - soft not_defined"),
    "report-base64": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "report-crlf": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "report-cut": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "report-delivered": ("delivered", "anna 2.1.5 250 ignored error_ignored"),
    "report-disagrees": ("bounce", "anna 4.2.2 452 soft mailbox_full"),
    "report-expanded": ("delivered", "anna 2.1.5 250 ignored error_ignored"),
    "report-global": ("bounce", "åsa 5.1.1 550 hard user_unknown"),
    "report-html": ("bounce", "anna - 550 soft user_unknown"),
    "report-relayed": ("delivered", "anna 2.1.5 250 ignored error_ignored"),
    "report-stray": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "report-utf16": ("bounce", "anna 5.1.1 - hard user_unknown"),
    "sendmail-full": ("bounce", "anna 5.2.2 552 soft mailbox_full"),
    "sendmail-old": ("bounce", "anna - 550 hard user_unknown"),
    "sendmail-unknown": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "ses-bounce": ("bounce", "anna 5.1.1 550 hard user_unknown"),
    "ses-complaint": ("complaint", "anna - - ignored complaint"),
    "ses-delivery": ("delivered", "anna - - ignored error_ignored"),
    **{
        f"vacation-{language}": ("auto_reply",)
        for language in ("da", "de", "en", "es", "fi", "fr", "nb", "sv")
    },
    "yahoo-policy": ("bounce", "anna 5.7.1 553 policy refused"),
    "yahoo-unknown": ("bounce", "anna - 554 hard user_unknown"),
}


def mail(name: str) -> ReadMail:
    return read((FOLDER / f"{name}.eml").read_bytes())


def written(found: ReadMail) -> tuple[str, ...]:
    rows = []
    for each in found.recipients:
        local = each.recipient.removesuffix("@example.org")
        made = each.qualification
        rows.append(
            f"{local} {each.status or '-'} {each.reply or '-'}"
            f" {made.verdict.value} {made.reason.value}"
        )
    return found.kind.value, *rows


def test_every_file_is_expected():
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_mail_is_read(name):
    assert written(mail(name)) == EXPECTED[name]


@pytest.mark.parametrize(
    ("name", "feedback_type", "is_whole"),
    [
        ("arf-abuse", "abuse", True),
        ("arf-redacted", "abuse", True),
        ("arf-not-spam", "not-spam", True),
        ("arf-auth-failure", "auth-failure", True),
        ("arf-opt-out", "opt-out", True),
        ("jmrp", "abuse", True),
        ("arf-twice", "abuse", False),
        ("arf-without-original", "abuse", False),
        ("arf-without-report", "", False),
        ("postfix-unknown", "", True),
    ],
)
def test_feedback_report_says_its_type_and_whether_it_is_whole(
    name, feedback_type, is_whole
):
    found = mail(name)

    assert (found.feedback_type, found.is_whole) == (feedback_type, is_whole)


@pytest.mark.parametrize(
    "name", ["arf-redacted", "jmrp", "postfix-unknown", "exim-unknown", "report-global"]
)
def test_headers_that_came_back_are_kept(name):
    returned = mail(name).returned

    assert returned["return-path"] == [ORIGINAL_SENDER]
    assert returned["message-id"] == ["<m1.1@bounce.example.com>"]
    assert returned["list-unsubscribe"] == ["<https://news.example.com/u/token>"]


def test_address_that_a_mail_arrived_at_is_kept():
    assert mail("qmail-unknown").arrived_at == (ORIGINAL_SENDER.strip("<>"),)


def test_reply_of_a_person_is_told_from_one_of_a_machine():
    replied = mail("reply")

    assert replied.is_human_reply
    assert (replied.sender, replied.subject) == (ANNA, "Re: Spring")
    assert replied.body == "Please take me off your list.\n\n> Spring is here.\n"
    assert not any(
        mail(name).is_human_reply for name in EXPECTED if "reply" not in name
    )


def test_full_mailbox_for_good_counts_double():
    (recipient,) = mail("gmail-full").recipients

    assert recipient.qualification.weight == 2
    assert recipient.qualification.code == "5.2.2"


def test_status_of_a_report_is_kept_when_the_words_have_no_code():
    (recipient,) = mail("report-bare").recipients

    assert (recipient.status, recipient.action) == ("5.0.0", "failed")


def test_whatever_is_no_mail_is_of_the_kind_other():
    for raw in (b"", b"\0", b"Hello", b"\xff\xfe", b": \n\n"):
        assert read(raw).kind == Kind.OTHER


def test_several_that_fail_and_one_that_does_not_are_a_bounce():
    raw = (FOLDER / "postfix-several.eml").read_bytes()
    found = read(raw.replace(b"Action: failed", b"Action: relayed", 1))

    assert found.kind == Kind.BOUNCE
    assert found.recipients[0].qualification.verdict == Verdict.IGNORED


def test_expectations_hold_for_every_line_end():
    for name, expected in EXPECTED.items():
        raw = (FOLDER / f"{name}.eml").read_bytes()
        if not name.endswith(("utf16", "crlf")):
            assert written(read(raw.replace(b"\n", b"\r\n"))) == expected, name


def test_recipient_of_a_notice_that_is_no_address_is_left_out():
    inner = {
        "notificationType": "Complaint",
        "complaint": {"complainedRecipients": [{"emailAddress": "a;b"}, {}, ANNA]},
    }
    found = read(b"Subject: x\n\n" + json.dumps(inner).encode())

    assert written(found) == ("complaint", "anna - - ignored complaint")


def test_sns_notice_without_its_envelope_is_read():
    inner = {
        "eventType": "Bounce",
        "notificationType": "Bounce",
        "bounce": {"bouncedRecipients": [{"emailAddress": ANNA, "status": "5.1.1"}]},
    }
    found = read(b"Subject: x\n\n" + json.dumps(inner).encode())

    assert written(found) == ("bounce", "anna 5.1.1 - hard user_unknown")


@pytest.mark.parametrize(
    "words",
    [
        "host mx.example.org said: 550 User unknown (in reply to MAIL FROM command)",
        "SMTP error from remote mail server after MAIL FROM:<a@example.com>: 550 No"
        " such user",
        "SMTP error from remote mail server after initial connection: 554 No such user",
    ],
)
def test_refusal_of_the_sender_is_not_taken_for_one_of_the_recipient(words):
    raw = (
        "From: MAILER-DAEMON@mx.example.net\nTo: news@example.com\n"
        "Subject: Undelivered Mail Returned to Sender\n\n"
        f"<jane@example.org>: {words}\n"
    )

    (recipient,) = read(raw.encode()).recipients

    assert recipient.recipient == "jane@example.org"
    assert recipient.qualification.verdict == Verdict.OURS
