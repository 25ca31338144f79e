from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class BurstState(models.TextChoices):
    FLAGGED = "flagged", _("To be looked at")
    REVERSED = "reversed", _("Reversed")
    DISMISSED = "dismissed", _("Left as it is")


class Burst(models.Model):
    """Many opt-outs of one delivery within seconds, as machines make them.

    A flag only: the opt-outs hold until somebody with the right reverses them.
    """

    # A plain value: deliveries stand above this app, and may be gone.
    delivery_id = models.BigIntegerField(_("delivery"))
    began_at = models.DateTimeField(_("first opt-out"))
    ended_at = models.DateTimeField(_("last opt-out"))
    count = models.PositiveIntegerField(_("opt-outs"))
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=BurstState.choices,
        default=BurstState.FLAGGED,
    )
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    reversed_count = models.PositiveIntegerField(_("reversed"), default=0)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    note = models.TextField(_("evidence"), blank=True)

    class Meta:
        verbose_name = _("burst of opt-outs")
        verbose_name_plural = _("bursts of opt-outs")
        default_permissions = ("view",)
        permissions = [
            ("reverse_burst", _("Can reverse a burst of opt-outs, with evidence")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["delivery_id", "began_at"], name="optout_burst_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=BurstState.values), name="optout_burst_state"
            ),
            models.CheckConstraint(
                condition=Q(state=BurstState.FLAGGED, decided_at__isnull=True)
                | (~Q(state=BurstState.FLAGGED) & Q(decided_at__isnull=False)),
                name="optout_burst_decided",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.began_at:%Y-%m-%d %H:%M}"


class RepeatedStop(models.Model):
    """A stop that was asked for a second time; reversing a burst leaves it alone."""

    # A plain value, as the ledger has no rows pointing to it.
    event_id = models.BigIntegerField(_("row of the ledger"), unique=True)
    at = models.DateTimeField(_("asked again"))

    class Meta:
        verbose_name = _("repeated stop")
        verbose_name_plural = _("repeated stops")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.event_id} {self.at:%Y-%m-%d %H:%M}"
