from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ActionOutcome(models.TextChoices):
    """What became of an action in the console."""

    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")
    DENIED = "denied", _("No right")
    FAILED = "failed", _("Failed")
    BEGUN = "begun", _("Begun")
    SEEN = "seen", _("Seen")


class ConsoleAction(models.Model):
    """One action in the console, for ever. Triggers refuse to change or delete a row.

    Holds codes, ids and counts as plain values; no address, no token, no free text.
    """

    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.CharField(_("by"), max_length=150)
    actor_id = models.BigIntegerField(_("account"))
    # The name of the URL, with the act where one URL has several.
    action = models.CharField(_("action"), max_length=100)
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=ActionOutcome.choices
    )
    about = models.JSONField(_("about"), default=dict)
    counts = models.JSONField(_("counts"), default=dict)
    reason = models.CharField(_("reason"), max_length=30, blank=True)
    # IPv4 /24, IPv6 /48: enough to see a stranger, too little to follow a colleague.
    network = models.CharField(_("network"), max_length=50, blank=True)

    class Meta:
        verbose_name = _("action in the console")
        verbose_name_plural = _("actions in the console")
        default_permissions = ("view",)
        permissions = [
            ("export_consoleaction", _("Can download the audit trail")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=ActionOutcome.values),
                name="delivery_consoleaction_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["at", "id"], name="delivery_action_at"),
            models.Index(fields=["actor", "at"], name="delivery_action_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.at:%Y-%m-%d %H:%M}"


class RecoveryCode(models.Model):
    """A code that opens an account once when its telephone is lost; only its hash."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="recovery_codes",
    )
    hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        default_permissions = ()
        permissions = [
            ("reset_secondfactor", _("Can take the second factor from an account")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "hash"], name="delivery_recoverycode_once"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
