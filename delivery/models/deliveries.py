from datetime import timedelta

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from delivery.models.audiences import Audience
from delivery.states import AnalysisStatus, DeliveryStatus
from optout.models import Service
from profiles.channels import Channel


class Delivery(models.Model):
    """A message to an audience on one channel."""

    label = models.CharField(
        _("label"), max_length=200, help_text=_("What you call this delivery.")
    )
    channel = models.SmallIntegerField(_("channel"), choices=Channel.choices)
    audience = models.OneToOneField(
        Audience, on_delete=models.PROTECT, verbose_name=_("audience")
    )
    service = models.ForeignKey(
        Service,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="deliveries",
        verbose_name=_("service"),
        help_text=_("Only its subscribers are reached, and it is what they stop."),
    )
    excludes_shared_opt_outs = models.BooleanField(
        _("exclude addresses that opted out on another profile"),
        default=False,
        help_text=_(
            "When one person has two profiles with one address, an opt-out on either"
            " of them excludes both."
        ),
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=DeliveryStatus.choices,
        default=DeliveryStatus.DRAFT,
    )
    # Counts the changes of content, audience and schedule: an analysis is of one.
    version = models.PositiveIntegerField(default=1)
    contact_at = models.DateTimeField(
        _("contact date"),
        null=True,
        blank=True,
        help_text=_("When sending begins. Empty: as soon as it is confirmed."),
    )
    is_in_local_time = models.BooleanField(
        _("in each recipient’s time zone"),
        default=False,
        help_text=_(
            "The contact date is read as the time of day where the recipient lives."
        ),
    )
    validity = models.DurationField(
        _("validity"),
        default=timedelta(days=3, hours=12),
        help_text=_("What is not sent so long after the contact date expires."),
    )
    starts_within = models.DurationField(
        _("starts within"),
        default=timedelta(days=1),
        help_text=_(
            "When it could not begin so long after the contact date, it waits for a"
            " person instead."
        ),
    )
    is_strict = models.BooleanField(
        _("strict"),
        default=False,
        help_text=_(
            "Whoever opts out is answered when no message to them is on its way any"
            " more. Needs PostgreSQL."
        ),
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    confirmed_by = models.CharField(_("confirmed by"), max_length=150, blank=True)
    started_at = models.DateTimeField(_("sending began"), null=True, blank=True)
    finished_at = models.DateTimeField(_("sending ended"), null=True, blank=True)
    # Why it waits for a person, or failed: a sentence.
    stop_note = models.TextField(_("why it stopped"), blank=True)
    current_analysis = models.ForeignKey(
        "delivery.Analysis",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("by"),
    )

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        permissions = [
            ("analyse_delivery", _("Can analyse a delivery")),
            ("export_log", _("Can export the log of a delivery")),
            ("confirm_delivery", _("Can confirm a delivery")),
            ("pause_delivery", _("Can pause a delivery")),
            ("send_proof", _("Can send proofs")),
            ("download_extraction", _("Can download the file of a delivery")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=DeliveryStatus.values),
                name="delivery_delivery_status",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def tone(self) -> str:
        """Give how its status looks."""
        return _TONES.get(DeliveryStatus(self.status), "quiet")

    @property
    def has_begun(self) -> bool:
        return self.started_at is not None


_TONES = {
    DeliveryStatus.ANALYSING: "info",
    DeliveryStatus.CONFIRMED: "info",
    DeliveryStatus.SENDING: "info",
    DeliveryStatus.FINISHED: "good",
    DeliveryStatus.PAUSED: "warn",
    DeliveryStatus.FAILED: "bad",
}


class Analysis(models.Model):
    """One run of the analysis of one delivery.

    Its messages count only while the delivery points to it; a run that stopped or
    failed has none.
    """

    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="analyses"
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=AnalysisStatus.choices,
        default=AnalysisStatus.RUNNING,
    )
    # The version of the delivery that it looked at.
    version = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    started_by = models.CharField(_("by"), max_length=150, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True)
    stop_requested_at = models.DateTimeField(_("stop asked for"), null=True)
    profiles_total = models.PositiveBigIntegerField(_("profiles"), default=0)
    profiles_done = models.PositiveBigIntegerField(_("profiles done"), default=0)
    targeted_count = models.PositiveBigIntegerField(_("targeted"), default=0)
    to_send_count = models.PositiveBigIntegerField(_("to send"), default=0)
    # External ids of the audience that no profile has.
    unknown_count = models.PositiveBigIntegerField(_("unknown"), default=0)
    # {reason code: count}, by primary reason and by every reason that applies.
    excluded_counts = models.JSONField(_("excluded"), default=dict)
    all_reason_counts = models.JSONField(_("all reasons"), default=dict)
    # What differs from the analysis before: see delivery.figures.Changes.
    changes = models.JSONField(
        _("changes"), null=True, blank=True, encoder=DjangoJSONEncoder
    )
    seconds = models.FloatField(_("seconds"), null=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("analysis")
        verbose_name_plural = _("analyses")
        constraints = [
            models.UniqueConstraint(
                fields=["delivery"],
                condition=Q(status=AnalysisStatus.RUNNING),
                name="delivery_analysis_one_running",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def excluded_count(self) -> int:
        return int(sum(self.excluded_counts.values()))

    @property
    def excluded_percent(self) -> float:
        return self.percent_of_target(self.excluded_count)

    def percent_of_target(self, count: int) -> float:
        return 100 * count / self.targeted_count if self.targeted_count else 0.0
