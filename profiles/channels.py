"""The channels, with the field's own codes. No imports from our own apps."""

from django.db.models import IntegerChoices
from django.utils.translation import gettext_lazy as _


class Channel(IntegerChoices):
    """A way to reach a profile."""

    EMAIL = 0, _("Email")
    SMS = 1, _("SMS")
    PHONE = 2, _("Phone")
    DIRECT_MAIL = 3, _("Direct mail")
    FAX = 4, _("Fax")
    PUSH = 40, _("Push notification")

    @property
    def code(self) -> str:
        """Give the name that files and commands use, such as `direct_mail`."""
        return self.name.lower()


# Opt-outs only: every channel at once.
ANY_CHANNEL = -1

TELEPHONE_CHANNELS = frozenset({Channel.SMS, Channel.PHONE, Channel.FAX})


def channel_of(code: str) -> Channel:
    """Find a channel by the name that files and commands use.

    Takes `email`, `sms`, `phone`, `direct_mail`, `fax` or `push`, in any case.
    Raises KeyError for any other name.
    """
    return Channel[code.strip().upper()]
