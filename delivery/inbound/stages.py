"""How far a dialogue had come when a server refused, told from a report. Pure.

Programs say it in words of their own: Postfix and Exim in a phrase, Sendmail and its
kin in a transcript, qmail in a sentence, filters in a line below the reply. A refusal
at the recipient is of the address; before it is of us, and after it of the message.
"""

import re
from typing import Final

from quarantine.qualification import Stage

_NOBODY_LEFT: Final = re.compile(
    r"^<<< (?:503|554 .*no valid recipients)", re.MULTILINE
)
_AT_SENDER: Final = re.compile(
    r"(?:in reply to|after) (?:pipelined )?(?:mail from|ehlo|helo|initial connection)",
    re.IGNORECASE,
)
_SENDER_TRANSCRIPT: Final = re.compile(
    r"^>>> (?:MAIL|EHLO|HELO)[^\n]{0,400}\n<<< 5\d\d", re.MULTILINE | re.IGNORECASE
)
_TRANSCRIPT: Final = re.compile(r"^>>> DATA\s*\n<<< 5\d\d", re.MULTILINE)
# Of Postfix and Exim, of qmail, of 1&1, and of filters.
_AFTER_DATA: Final = re.compile(
    r"end of data|after data|in reply to data|failed after i sent the message"
    r"|for text command|smtp command data",
    re.IGNORECASE,
)
_AT_RECIPIENT: Final = re.compile(
    r"(?<![a-z-])rcpt|does not like recipient|did not like our recipient", re.IGNORECASE
)


def stage_of(text: str, about: str) -> Stage | None:
    """Tell the stage from a report and its words about one recipient, if they do."""
    if _is_before_recipient(text, about):
        return Stage.SENDER
    if _is_after_data(text, about):
        return Stage.MESSAGE
    if _AT_RECIPIENT.search(text) or _AT_RECIPIENT.search(about):
        return Stage.RECIPIENT
    return None


def _is_after_data(text: str, about: str) -> bool:
    if _AFTER_DATA.search(about):
        return True
    # With pipelining the refusal of the recipient is read where the data was due.
    return (
        _TRANSCRIPT.search(text) is not None
        and not _NOBODY_LEFT.search(text)
        and ">>> RCPT" not in text
    )


def _is_before_recipient(text: str, about: str) -> bool:
    if _AT_SENDER.search(about) is not None:
        return True
    has_recipients = ">>> rcpt" in text.lower()
    return not has_recipients and _SENDER_TRANSCRIPT.search(text) is not None
