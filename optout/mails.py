"""The mail that asks the owner of a mailbox to confirm a sign-up."""

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from optout import confirmation, notices


def ask_to_confirm(sign_up_id: int) -> bool:
    """Send the mail of a sign-up, once; says whether it was sent. Raises MailNotSent.

    Counted before it is sent: a worker that dies in between sends none, never two.
    """
    message_id = notices.new_message_id()
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
        notices.send(
            sign_up.address,
            render_to_string("public/mail/confirm_subject.txt", about),
            render_to_string("public/mail/confirm.txt", about),
            message_id=message_id,
        )
    return True
