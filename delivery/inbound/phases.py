"""How far the dialogue had come, in the words of those who report it."""

import re
from typing import Final

from quarantine.qualification import Phase

# `>>> DATA` is left out: whoever sends its commands ahead of the replies shows the last
# command and the reply to an earlier one.
_MENTIONED: Final = re.compile(
    r"(?:in reply to|\bafter|\bdid not like our|\bfor|response to|\[)\s{1,3}?"
    r"(?:the |our |final |end of ){0,2}"
    r"(initial connection|connect|helo|ehlo|auth|mail from|rcpt to|rcpt_to|rcpt"
    r"|data|text|body|message body|final data)\b",
    re.IGNORECASE,
)
_IN_BRACKETS: Final = re.compile(
    r"\[(rcpt_to|body|mail_from|data|connect|helo)\]", re.I
)
_SENDER_COMMAND: Final = re.compile(r">>> *mail from:", re.IGNORECASE)
_RECIPIENT_COMMAND: Final = re.compile(r">>> *rcpt to:", re.IGNORECASE)
_PHASES: Final = {
    "initial connection": Phase.SESSION,
    "connect": Phase.SESSION,
    "helo": Phase.SESSION,
    "ehlo": Phase.SESSION,
    "auth": Phase.SESSION,
    "mail from": Phase.SENDER,
    "mail_from": Phase.SENDER,
    "rcpt to": Phase.RECIPIENT,
    "rcpt_to": Phase.RECIPIENT,
    "rcpt": Phase.RECIPIENT,
    "data": Phase.CONTENT,
    "final data": Phase.CONTENT,
    "text": Phase.CONTENT,
    "body": Phase.CONTENT,
    "message body": Phase.CONTENT,
}


def phase_of(text: str) -> Phase:
    """Find the phase that a text names; UNKNOWN when it names none."""
    mentioned = _IN_BRACKETS.findall(text) or _MENTIONED.findall(text)
    if mentioned:
        return _PHASES.get(mentioned[-1].lower(), Phase.UNKNOWN)
    if _RECIPIENT_COMMAND.search(text):
        return Phase.RECIPIENT
    if _SENDER_COMMAND.search(text):
        return Phase.SENDER
    return Phase.UNKNOWN
