"""What a mail that came in is and says, in words of our own."""

from dataclasses import dataclass, field

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from quarantine.qualification import Qualification


class MailKind(TextChoices):
    """What a mail is."""

    BOUNCE = "bounce", _("Bounce")
    COMPLAINT = "complaint", _("Complaint")
    AUTO_REPLY = "auto_reply", _("Automatic reply")
    # Not delivered yet; nothing follows from it.
    DELAYED = "delayed", _("Delayed")
    # Delivered, relayed or expanded (RFC 3464 section 2.3.3).
    DELIVERED = "delivered", _("Delivered")
    OTHER = "other", _("Other")


@dataclass(frozen=True, slots=True)
class ReadRecipient:
    """What a mail says of one recipient."""

    # As reported, without a type prefix (`rfc822;`) and brackets; never empty.
    recipient: str
    qualification: Qualification
    # The address as it was given to the reporting server, when it says so.
    original: str = ""
    # failed, delayed, delivered, relayed, expanded; empty when not said.
    action: str = ""
    # The enhanced status code, and the reply code; empty when not said.
    status: str = ""
    reply: str = ""
    # The words of the server, one line, cut.
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class OriginalMail:
    """Header fields of the mail that was returned, where tokens of ours may be.

    As they stand there; empty when they were not returned.
    """

    return_path: str = ""
    message_id: str = ""
    list_unsubscribe: str = ""
    feedback_id: str = ""
    to: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class ReadMail:
    """What a mail is and says."""

    kind: MailKind
    recipients: tuple[ReadRecipient, ...] = ()
    # Each address that the mail came to, most reliable first: Delivered-To,
    # X-Original-To, Envelope-To and the like, then To and Cc. Lower case, no repeats.
    came_to: tuple[str, ...] = ()
    original: OriginalMail = field(default_factory=OriginalMail)
    # Of a complaint: abuse, fraud, not-spam, auth-failure, opt-out ...; lower case.
    feedback_type: str = ""
    # The address in From, lower case; empty when there is none.
    sender: str = ""
    subject: str = ""
    message_id: str = ""
    # The ids in In-Reply-To and References: a reply names the message it answers.
    answers_to: tuple[str, ...] = ()
    # What a person wrote or a server said, without quoted and returned mail, cut.
    text: str = ""
    # Somebody typed it: no bounce, no complaint, no automatic reply.
    is_human: bool = False
    # It is damaged or contradicts itself, so a person should look at it.
    needs_review: bool = False
