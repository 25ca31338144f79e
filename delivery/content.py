"""What a delivery says, before and after merging."""

from collections.abc import Mapping
from dataclasses import dataclass

from delivery.channels.transport import BY_FILE
from profiles.channels import Channel


class ContentError(ValueError):
    """The content as the operator wrote it cannot be sent; says what to change."""


class RenderingError(ValueError):
    """The content cannot be made for this one recipient; others may still get it."""


@dataclass(frozen=True)
class Content:
    """What operators write for a delivery; Liquid in subject, html and text.

    `sender` and `reply_to` are mailboxes such as `Shop <news@shop.example>`;
    an empty `text` is made from the HTML; `postal_address` is the brand's, in lines;
    `columns` are merge fields of a file, one a line.
    """

    channel: int
    subject: str = ""
    html: str = ""
    text: str = ""
    sender: str = ""
    reply_to: str = ""
    is_marketing: bool = True
    has_address_in_content: bool = False
    postal_address: str = ""
    sender_name: str = ""
    label: str = ""
    columns: str = ""

    @property
    def is_email(self) -> bool:
        return self.channel == Channel.EMAIL

    @property
    def is_file(self) -> bool:
        return self.channel in BY_FILE


@dataclass(frozen=True)
class Recipient:
    """Whom a message is made for: the values of their merge fields."""

    profile: Mapping[str, object]
    unsubscribe_url: str
    preferences_url: str


@dataclass(frozen=True)
class Rendered:
    """The parts of one message; what its channel has not is empty."""

    subject: str
    html: str
    text: str
