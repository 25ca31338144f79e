"""How far a dialogue had come, from the words of a report."""

import pytest

from delivery.inbound.stages import stage_of
from quarantine.qualification import Stage


@pytest.mark.parametrize(
    ("text", "about", "stage"),
    [
        ("", "550 No (in reply to RCPT TO command)", Stage.RECIPIENT),
        ("", "550 No (in reply to end of DATA command)", Stage.MESSAGE),
        ("", "554 No (in reply to MAIL FROM command)", Stage.SENDER),
        ("", "192.0.2.1 does not like recipient.", Stage.RECIPIENT),
        ("", "192.0.2.1 failed after I sent the message.", Stage.MESSAGE),
        (">>> RCPT To:<anna@example.com>\n<<< 550 No", "", Stage.RECIPIENT),
        (">>> DATA\n<<< 550 No", "", Stage.MESSAGE),
        (">>> MAIL From:<us@example.org>\n<<< 550 No", "", Stage.SENDER),
        ("Your message could not be delivered.", "550 User unknown", None),
        ("In the header X-Envelope-rcpt", "", None),
    ],
)
def test_stage_is_told_by_the_words_of_each_program(text, about, stage):
    assert stage_of(text, about) == stage


def test_refused_recipients_read_at_the_data_are_of_the_recipient():
    text = (
        ">>> RCPT To:<anna@example.com>\n<<< 550 No such user\n"
        ">>> DATA\n<<< 503 No recipients"
    )

    assert stage_of(text, "") == Stage.RECIPIENT
