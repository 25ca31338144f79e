from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from profiles.channels import Channel
from quarantine.reasons import EXCLUDING, Reason, Source, Status


class QuarantinedAddressQuerySet(models.QuerySet["QuarantinedAddress"]):
    def excluding(self) -> "QuarantinedAddressQuerySet":
        """Keep the addresses that no delivery may reach."""
        return self.filter(status__in=EXCLUDING)


class QuarantinedAddress(models.Model):
    """What is known of one address on one channel, whichever profiles carry it."""

    channel = models.SmallIntegerField(_("channel"), choices=Channel.choices)
    digest = models.UUIDField(_("digest"), editable=False)
    # Empty once the person was erased: the digest alone keeps the promise.
    address = models.TextField(_("address"), blank=True)
    domain = models.CharField(_("domain"), max_length=255, blank=True)
    status = models.SmallIntegerField(_("status"), choices=Status.choices)
    is_provisional = models.BooleanField(_("provisional"), default=False)
    reason = models.CharField(
        _("reason"), max_length=30, choices=Reason.choices, blank=True
    )
    error_text = models.TextField(
        _("error text"),
        blank=True,
        help_text=_("What the server said last, or a note of the operator."),
    )
    significant_error_count = models.PositiveIntegerField(
        _("significant errors"), default=0
    )
    first_error_at = models.DateTimeField(_("first error"), null=True, blank=True)
    last_error_at = models.DateTimeField(_("last error"), null=True, blank=True)
    last_delivery_label = models.CharField(
        _("last delivery"), max_length=200, blank=True
    )
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    updated_by = models.CharField(_("changed by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = QuarantinedAddressQuerySet.as_manager()

    class Meta:
        verbose_name = _("quarantined address")
        verbose_name_plural = _("quarantined addresses")
        permissions = [
            (
                "release_quarantinedaddress",
                _("Can release an address from quarantine"),
            ),
            (
                "release_many",
                _("Can release many addresses at once"),
            ),
            (
                "release_denylisted",
                _("Can release a denylisted address"),
            ),
            (
                "import_quarantinedaddress",
                _("Can import quarantined addresses from a file"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "digest"],
                name="quarantine_quarantinedaddress_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values),
                name="quarantine_quarantinedaddress_status",
            ),
        ]
        indexes = [
            models.Index(fields=["-updated_at"], name="quarantine_address_updated"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} #{self.pk}"


class QuarantineEvent(models.Model):
    """One change of what is known of an address. Outlives the row it speaks of."""

    channel = models.SmallIntegerField(_("channel"), choices=Channel.choices)
    digest = models.UUIDField(_("digest"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    event = models.CharField(_("event"), max_length=30)
    # Null where there was, or is, no row.
    from_status = models.SmallIntegerField(
        _("from"), choices=Status.choices, null=True, blank=True
    )
    to_status = models.SmallIntegerField(
        _("to"), choices=Status.choices, null=True, blank=True
    )
    reason = models.CharField(
        _("reason"), max_length=30, choices=Reason.choices, blank=True
    )
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    note = models.TextField(_("note"), blank=True)
    actor = models.CharField(_("by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("quarantine event")
        verbose_name_plural = _("quarantine events")
        indexes = [
            models.Index(
                fields=["digest", "channel", "at"], name="quarantine_event_address"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.at:%Y-%m-%d %H:%M}"


class BlockedDomain(models.Model):
    """A domain, with its sub-domains, that no delivery may write to."""

    domain = models.CharField(
        _("domain"),
        max_length=255,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9.-]+$", _("Lower-case letters only."))],
        help_text=_("The domain and every sub-domain of it are excluded."),
    )
    note = models.TextField(_("note"), blank=True)
    created_by = models.CharField(_("by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("blocked domain")
        verbose_name_plural = _("blocked domains")

    def __str__(self) -> str:
        return self.domain
