"""Mails about consent itself: asking to confirm, and that it was done.

They carry nothing that a stranger typed, and no advertising. None of them is part of
a delivery, so no analysis stands before them; who may get one is asked by the caller.
"""

from collections.abc import Mapping
from email.utils import make_msgid

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone, translation

from optout import confirmation

_HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


def ask_to_confirm(sign_up_id: int) -> bool:
    """Send the mail of a sign-up, once; says whether it was sent."""
    message_id = make_msgid(domain=sender_domain())
    sign_up = confirmation.claim_mail(
        sign_up_id, message_id=message_id, now=timezone.now()
    )
    if sign_up is None:
        return False
    with translation.override(sign_up.language or settings.LANGUAGE_CODE):
        about = {
            "services": confirmation.subjects_of(sign_up),
            "url": confirmation.url_of(sign_up),
            "hours": int(confirmation.LIFETIME.total_seconds() // 3600),
        }
        _send("confirm", sign_up.address, about, message_id=message_id)
    return True


def sender_domain() -> str:
    """Give the domain that our mails come from."""
    address = settings.DEFAULT_SENDER.rpartition("<")[2].rstrip("> ")
    return str(address.rpartition("@")[2])


def _send(
    name: str, address: str, about: Mapping[str, object], *, message_id: str
) -> None:
    subject = render_to_string(f"public/mail/{name}_subject.txt", dict(about))
    EmailMessage(
        " ".join(subject.split()),
        render_to_string(f"public/mail/{name}.txt", dict(about)).strip() + "\n",
        to=[address],
        headers={**_HEADERS, "Message-ID": message_id},
    ).send()
