from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class WhyCode(models.TextChoices):
    """What people may say about why they stopped, if they want to."""

    TOO_MANY = "too_many", _("There were too many")
    NOT_RELEVANT = "not_relevant", _("They were not about what I want to know")
    NEVER_ASKED = "never_asked", _("I never asked for them")
    OTHER_WAY = "other_way", _("I follow you in another way")
    OTHER = "other", _("Another reason")


class OptOutReason(models.Model):
    """Why somebody stopped, told after the effect. Beside the ledger, never in it."""

    # A plain value, as the ledger has no row that points to it.
    event_id = models.BigIntegerField(_("consent event"), unique=True)
    code = models.CharField(_("reason"), max_length=20, choices=WhyCode.choices)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("reason of an opt-out")
        verbose_name_plural = _("reasons of opt-outs")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(code__in=WhyCode.values), name="optout_optoutreason_code"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_code_display()} #{self.event_id}"
