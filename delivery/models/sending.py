from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from delivery.channels.outcomes import OutcomeKind, Phase
from delivery.models.deliveries import Analysis, Delivery


class Slot(models.Model):
    """One connection that gates messages. Its number is never used again.

    While it lives it holds an advisory lock of this number, so whether it lives is
    known at once and exactly, without a time-out.
    """

    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.pk} ({self.host}, {self.pid})"


class Part(models.Model):
    """A range of the profiles of an analysis that one slot at a time works on."""

    analysis = models.ForeignKey(
        Analysis, on_delete=models.CASCADE, related_name="parts"
    )
    first_profile_id = models.BigIntegerField()
    last_profile_id = models.BigIntegerField()
    slot = models.ForeignKey(
        Slot, on_delete=models.PROTECT, null=True, related_name="parts"
    )
    # When there is something to do in it.
    due_at = models.DateTimeField()
    is_done = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(is_done=False),
                name="delivery_part_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.analysis_id}: {self.first_profile_id}-{self.last_profile_id}"


class Attempt(models.Model):
    """One time that a message was begun, and what came of it. Only ever appended."""

    id = models.BigAutoField(primary_key=True)
    analysis_id = models.BigIntegerField()
    profile_id = models.BigIntegerField()
    number = models.SmallIntegerField(_("attempt"))
    slot_id = models.BigIntegerField()
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    outcome = models.SmallIntegerField(_("outcome"), choices=OutcomeKind.choices)
    phase = models.SmallIntegerField(_("phase"), choices=Phase.choices)
    reply_code = models.SmallIntegerField(_("reply code"), default=0)
    enhanced = models.CharField(_("status code"), max_length=16, blank=True)
    # Ours, where no reply says it, such as smtputf8_not_offered.
    code = models.CharField(max_length=40, blank=True)
    reply = models.TextField(_("reply"), blank=True)
    # A refusal of which it is still to be seen what it makes of the address.
    is_unread = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["analysis_id", "profile_id"], name="delivery_attempt_message"
            ),
            models.Index(
                fields=["id"],
                condition=Q(is_unread=True),
                name="delivery_attempt_unread",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.analysis_id}/{self.profile_id} #{self.number}"


class Proof(models.Model):
    """A proof that went to a test address; never counted."""

    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="proofs"
    )
    address = models.CharField(_("address"), max_length=320)
    profile_id = models.BigIntegerField(null=True)
    sent_at = models.DateTimeField(_("sent"))
    sent_by = models.CharField(_("by"), max_length=150)
    outcome = models.SmallIntegerField(_("outcome"), choices=OutcomeKind.choices)
    reply = models.TextField(_("reply"), blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.sent_at:%Y-%m-%d %H:%M}"


class Lane(models.Model):
    """The mail of one recipient domain, while the domain asks us to slow down."""

    domain = models.CharField(max_length=255, unique=True)
    paused_until = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=1)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.domain
