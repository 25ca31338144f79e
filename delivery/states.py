"""States of deliveries, analyses and messages. No imports from our own apps."""

from typing import Final

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AnalysisStatus(TextChoices):
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")


class DeliveryStatus(TextChoices):
    """Where a delivery stands; what leads where: delivery.lifecycle."""

    DRAFT = "draft", _("Draft")
    ANALYSING = "analysing", _("Being analysed")
    ANALYSED = "analysed", _("Analysed")
    CONFIRMED = "confirmed", _("Confirmed")
    SENDING = "sending", pgettext_lazy("delivery", "Sending")
    PAUSED = "paused", _("Paused")
    FINISHED = "finished", pgettext_lazy("delivery", "Finished")
    CANCELLED = "cancelled", pgettext_lazy("delivery", "Cancelled")
    FAILED = "failed", pgettext_lazy("delivery", "Failed")


# How the states of messages look, by name.
_TONES: Final = {
    "READY": "good",
    "SENT": "good",
    "FAILED": "bad",
    "UNKNOWN": "bad",
    "EXCLUDED": "warn",
    "EXPIRED": "warn",
    "EXCLUDED_AFTER": "warn",
    "CANCELLED": "quiet",
}


class MessageStatus(IntegerChoices):
    READY = 0, _("To send")
    EXCLUDED = 1, pgettext_lazy("one recipient", "Excluded")
    LEASED = 2, _("Leased")
    SENDING = 3, _("Sending")
    SENT = 4, _("Sent")
    FAILED = 5, _("Failed")
    UNKNOWN = 6, _("Unknown")
    EXPIRED = 7, _("Expired")
    CANCELLED = 8, _("Cancelled")
    # Excluded by the gate; to send when the analysis looked.
    EXCLUDED_AFTER = 9, _("Excluded after the analysis")

    @property
    def tone(self) -> str:
        """Give how it looks; what is on its way has no tone."""
        return _TONES.get(self.name, "")

    @property
    def code(self) -> str:
        """Give the name that files and commands use, such as `sent`."""
        excluded = {MessageStatus.EXCLUDED, MessageStatus.EXCLUDED_AFTER}
        return "excluded" if self in excluded else self.name.lower()


TERMINAL: Final = frozenset(
    {
        MessageStatus.EXCLUDED,
        MessageStatus.EXCLUDED_AFTER,
        MessageStatus.SENT,
        MessageStatus.FAILED,
        MessageStatus.UNKNOWN,
        MessageStatus.EXPIRED,
        MessageStatus.CANCELLED,
    }
)


class ExclusionReason(IntegerChoices):
    """Why a profile is excluded, in rule order; the bit is 1 << (value - 1).

    The order is that of ARCHITECTURE section 4 (docs/reference/eligibility.md):
    the primary reason is the lowest bit that is set.
    """

    ADDRESS_NOT_SPECIFIED = 1, _("Address not specified")
    BAD_QUALITY_ADDRESS = 2, _("Address of bad quality")
    OPTED_OUT_ANY = 3, _("Opted out of every channel")
    OPTED_OUT_CHANNEL = 4, _("Opted out of this channel")
    NOT_SUBSCRIBED = 5, _("Not subscribed")
    QUARANTINED_ADDRESS = 6, _("Quarantined address")
    DENYLISTED_ADDRESS = 7, _("Denylisted address")
    SUPPRESSED_ADDRESS = 8, _("Suppressed domain")
    OPTED_OUT_OTHER_PROFILE = 9, _("Same address opted out on another profile")
    FILTERED = 10, _("Filtering rule")
    DUPLICATE_ADDRESS = 11, _("Duplicate address")
    PRESSURE = 12, _("Pressure rule")
    CONTROL_GROUP = 13, _("Control group")
    SIZE_LIMIT = 14, _("Target limited in size")

    @property
    def bit(self) -> int:
        return int(1 << (self.value - 1))

    @property
    def code(self) -> str:
        """Give the name that files and commands use, such as `duplicate_address`."""
        return self.name.lower()


def reasons_in(bits: int) -> list[ExclusionReason]:
    """List the reasons of a bit set, in rule order; the first is the primary one."""
    return [reason for reason in ExclusionReason if bits & reason.bit]
