"""What a transport is: it takes finished messages to their channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from delivery.channels.outcomes import Outcome
from profiles.channels import Channel

# Others reach the people of these: their messages are the rows of a file.
BY_FILE: Final = frozenset(
    {Channel.PHONE, Channel.DIRECT_MAIL, Channel.FAX, Channel.PUSH}
)


@dataclass(frozen=True, slots=True)
class Composition:
    """One message, ready for the wire: the envelope of a mail and its bytes.

    For a channel other than email `sender` is the client id of the message, which
    stays the same when it is tried again, and `content` its text in UTF-8.
    """

    sender: str
    recipient: str
    content: bytes


class Transport(Protocol):
    """Takes messages to their channel over a connection that it keeps.

    `width` is how many messages it takes abreast, each over a connection of its own.
    """

    width: int = 1

    def ready(self) -> Outcome | None:
        """Connect if need be; None when a message can go out at once."""

    def send(self, message: Composition) -> Outcome:
        """Send one message; every trouble is an outcome, never an exception."""

    def send_all(self, messages: Sequence[Composition]) -> list[Outcome]:
        """Send messages, at most `width`; gives what came of each, in their order."""
        return [self.send(message) for message in messages]

    def close(self) -> None:
        """Let the connection go."""
