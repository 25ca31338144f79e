"""Plain mails about consent itself, to one address each.

They carry nothing that a stranger typed, and no advertising. None of them is part of
a delivery, so no analysis stands before them; who may get one is asked by the caller.
"""

from email.utils import make_msgid
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

# RFC 3834 section 5: lest programs answer them.
_HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


class MailNotSent(Exception):
    """The mail server took no mail. Says nothing of the address, as logs keep it."""


def send(address: str, subject: str, body: str, *, message_id: str = "") -> None:
    """Send one mail; the subject becomes one line. Raises MailNotSent."""
    message = EmailMessage(
        " ".join(subject.split()),
        body.strip() + "\n",
        from_email=settings.DEFAULT_SENDER,
        to=[address],
        headers={**_HEADERS, "Message-ID": message_id or new_message_id()},
    )
    try:
        message.send()
    except (SMTPException, OSError) as error:
        raise MailNotSent(type(error).__name__) from None


def new_message_id() -> str:
    """Make an identifier that no other mail has, in the sender's domain."""
    address = settings.DEFAULT_SENDER.rpartition("<")[2].rstrip("> ")
    return make_msgid(domain=address.rpartition("@")[2])
