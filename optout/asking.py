"""Asking without a link: to stop messages to an address, or for one's own link.

Whoever types an address has not shown that it is theirs, and could silence somebody
else. So a mail goes to the address, and its button decides; a telephone number is
noted for an operator (docs/decisions/0010). Whoever asks learns nothing: whether an
address is known is looked at afterwards, by the worker, and never here.
"""

from collections.abc import Collection
from datetime import datetime
from enum import Enum

from optout import limiting, tasks
from profiles.addresses import ParsedAddress, parse
from profiles.channels import Channel


class Answer(Enum):
    """What the one who asks is told; nothing of it depends on what is known."""

    TAKEN = "taken"
    NOT_AN_ADDRESS = "not_an_address"
    TOO_OFTEN = "too_often"


def ask(
    typed: str, *, network: str, channels: Collection[Channel], now: datetime
) -> Answer:
    """Take an address of these channels that somebody typed."""
    if not limiting.allow(limiting.REQUESTS_OF_NETWORK, network, now=now):
        return Answer.TOO_OFTEN
    parsed = read(typed)
    if not parsed.is_deliverable or parsed.channel not in channels:
        return Answer.NOT_AN_ADDRESS

    mailbox = limiting.mailbox_of(parsed.canonical)
    if limiting.allow(limiting.REQUESTS_FOR_MAILBOX, mailbox, now=now):
        # The digest only: tasks are kept for a while, typed addresses are not.
        tasks.answer_request.enqueue(parsed.channel.value, str(parsed.digest))
    return Answer.TAKEN


def read(typed: str) -> ParsedAddress:
    """Read what is an email address if it has an @, else a mobile number."""
    return parse(Channel.EMAIL if "@" in typed else Channel.SMS, typed)
