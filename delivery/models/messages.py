from django.db import models
from django.utils.translation import gettext_lazy as _

from delivery.models.deliveries import Analysis
from delivery.states import ExclusionReason, MessageStatus, reasons_in
from profiles.models import Profile


class Message(models.Model):
    """One targeted profile in one analysis: to send, or excluded and why.

    Rows come by the million, so the database checks no foreign keys here and keeps
    no index but the key. On PostgreSQL every analysis is a partition of its own.
    """

    pk = models.CompositePrimaryKey("analysis_id", "profile_id")
    analysis = models.ForeignKey(
        Analysis,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="messages",
    )
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="messages",
    )
    status = models.SmallIntegerField(_("status"), choices=MessageStatus.choices)
    # A bit set: see delivery.states.ExclusionReason.
    reasons = models.IntegerField(_("reasons"), default=0)
    address = models.TextField(_("address"))
    digest = models.UUIDField(_("digest"), null=True)
    # How often it was begun, and not before when it may be begun (again).
    attempt_count = models.SmallIntegerField(_("attempts"), default=0, db_default=0)
    due_at = models.DateTimeField(_("due"), null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return f"{self.analysis_id}/{self.profile_id}"

    @property
    def tone(self) -> str:
        """Give how its status looks."""
        return MessageStatus(self.status).tone

    @property
    def all_reasons(self) -> list[ExclusionReason]:
        return reasons_in(self.reasons)

    @property
    def primary_reason(self) -> ExclusionReason | None:
        return next(iter(self.all_reasons), None)
