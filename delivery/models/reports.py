from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from delivery.models.inbound import Inbound


class ReportKind(models.TextChoices):
    """What a report says of one message, each of which counts once."""

    BOUNCE = "bounce", _("Bounce")
    COMPLAINT = "complaint", _("Complaint")
    DELIVERED = "delivered", _("Delivered")


class Report(models.Model):
    """A report about one message that took effect: of each kind there is one at most.

    So a genuine report that is handed over again, or made anew by somebody who once
    saw it, changes nothing. Written in the transaction of its effect.
    """

    analysis_id = models.BigIntegerField()
    profile_id = models.BigIntegerField()
    kind = models.CharField(_("kind"), max_length=10, choices=ReportKind.choices)
    at = models.DateTimeField(_("when"))
    # Of the address that the message went to, whatever the profile has now.
    digest = models.UUIDField(null=True)
    inbound = models.ForeignKey(
        Inbound, on_delete=models.SET_NULL, null=True, related_name="reports"
    )

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["analysis_id", "profile_id", "kind"],
                name="delivery_report_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ReportKind.values), name="delivery_report_kind"
            ),
        ]
        indexes = [models.Index(fields=["digest"], name="delivery_report_address")]

    def __str__(self) -> str:
        return f"{self.analysis_id}/{self.profile_id} {self.kind}"


class DomainDay(models.Model):
    """What was sent to one recipient domain on one day, and complained about.

    A complaint counts on the day its message was sent. `forgiven` is what a person
    knew of when they let the domain have its mail again: only what came on top of it
    is judged.
    """

    domain = models.CharField(_("domain"), max_length=255)
    day = models.DateField(_("day"))
    sent = models.PositiveIntegerField(_("sent"), default=0)
    complaints = models.PositiveIntegerField(_("complaints"), default=0)
    forgiven_sent = models.PositiveIntegerField(default=0)
    forgiven_complaints = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["domain", "day"], name="delivery_domainday_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.domain} {self.day}"


class HoldLevel(models.TextChoices):
    """What complaints made of a domain's lane, the mildest first."""

    LIFTED = "lifted", _("Resumed by a person")
    WARNED = "warned", _("Warning")
    PAUSED = "paused", _("Paused for a time")
    STOPPED = "stopped", _("Paused until a person resumes it")


class LaneHold(models.Model):
    """What complaints made of the marketing mail to one recipient domain.

    Apart from Lane, which a domain asks for and which forgives by itself.
    """

    domain = models.CharField(_("domain"), max_length=255, unique=True)
    level = models.CharField(_("state"), max_length=10, choices=HoldLevel.choices)
    since = models.DateTimeField(_("since"))
    # Empty when only a person resumes it.
    until = models.DateTimeField(_("until"), null=True, blank=True)
    # What it was decided by: the figures of one day of sending.
    day = models.DateField(_("day of sending"))
    sent = models.PositiveIntegerField(_("sent"))
    complaints = models.PositiveIntegerField(_("complaints"))
    lifted_at = models.DateTimeField(_("resumed"), null=True, blank=True)
    lifted_by = models.CharField(_("resumed by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("lane")
        verbose_name_plural = _("lanes")
        default_permissions = ("view",)
        permissions = [("lift_lanehold", _("Can resume a paused lane"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(level__in=HoldLevel.values), name="delivery_lanehold_level"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_by="")),
                name="delivery_lanehold_lifted_pair",
            ),
        ]

    def __str__(self) -> str:
        return self.domain

    @property
    def is_holding(self) -> bool:
        return self.level in {HoldLevel.PAUSED, HoldLevel.STOPPED}

    @property
    def tone(self) -> str:
        if self.is_holding:
            return "bad"
        return "warn" if self.level == HoldLevel.WARNED else "quiet"

    @property
    def share(self) -> float:
        """Give the complaints of 100 messages."""
        return 100 * self.complaints / self.sent if self.sent else 0.0
