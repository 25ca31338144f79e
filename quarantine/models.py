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
    # When an error last counted, and when the mailbox was last known to work.
    last_significant_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    # The first of two errors that together are a hard one.
    unsure_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(
        _("error code"), max_length=20, blank=True, default="", db_default=""
    )
    last_delivery_label = models.CharField(
        _("last delivery"), max_length=200, blank=True
    )
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    # What the row is part of until anything else changes it: it is held by it as
    # provisional, or was released by it.
    batch = models.ForeignKey(
        "QuarantineBatch",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="addresses",
        verbose_name=_("batch"),
    )
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
            models.Index(
                fields=["domain", "last_error_at"],
                condition=Q(status=Status.QUARANTINE, source=Source.BOUNCE),
                name="quarantine_address_bounced",
            ),
            models.Index(
                fields=["batch"],
                condition=Q(batch__isnull=False),
                name="quarantine_address_batch",
            ),
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
    domain = models.CharField(
        _("domain"), max_length=255, blank=True, default="", db_default=""
    )
    code = models.CharField(
        _("error code"), max_length=20, blank=True, default="", db_default=""
    )
    # Of another app, so by value.
    delivery_id = models.BigIntegerField(_("delivery"), null=True, blank=True)
    delivery_label = models.CharField(
        _("delivery"), max_length=200, blank=True, default="", db_default=""
    )
    # Of the address: before it was released or held as one of many, else afterwards.
    is_provisional = models.BooleanField(
        _("provisional"), default=False, db_default=False
    )
    error_count = models.PositiveIntegerField(
        _("significant errors"), default=0, db_default=0
    )
    batch = models.ForeignKey(
        "QuarantineBatch",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="events",
        verbose_name=_("batch"),
    )

    class Meta:
        verbose_name = _("quarantine event")
        verbose_name_plural = _("quarantine events")
        indexes = [
            models.Index(
                fields=["digest", "channel", "at"], name="quarantine_event_address"
            ),
            models.Index(fields=["at"], name="quarantine_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.at:%Y-%m-%d %H:%M}"


class BatchState(models.TextChoices):
    """What was decided about many addresses of a domain that failed together."""

    OPEN = "open", _("Provisional")
    CONFIRMED = "confirmed", _("Definite")
    RELEASED = "released", _("Released")
    UNDONE = "undone", _("Release undone")


class QuarantineBatch(models.Model):
    """Addresses of one domain that went into quarantine together, and what followed.

    Open, it holds them as provisional. Released, it says how it can be undone.
    """

    channel = models.SmallIntegerField(_("channel"), choices=Channel.choices)
    domain = models.CharField(_("domain"), max_length=255)
    # Which errors it is about, by when they happened; the code is empty for any.
    began_at = models.DateTimeField(_("first error"))
    ended_at = models.DateTimeField(_("last error"))
    code = models.CharField(_("error code"), max_length=20, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=BatchState.choices)
    count = models.PositiveIntegerField(_("addresses"), default=0)
    created_at = models.DateTimeField(_("found"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    # Empty where time decided.
    decided_by = models.CharField(_("by"), max_length=150, blank=True)
    note = models.TextField(_("reason"), blank=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone_by = models.CharField(_("undone by"), max_length=150, blank=True)
    undone_count = models.PositiveIntegerField(_("taken back"), default=0)

    class Meta:
        verbose_name = _("quarantine batch")
        verbose_name_plural = _("quarantine batches")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "domain"],
                condition=Q(state="open"),
                name="quarantine_quarantinebatch_one_open",
            ),
            models.CheckConstraint(
                condition=Q(state__in=BatchState.values),
                name="quarantine_quarantinebatch_state",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="quarantine_batch_created"),
        ]

    def __str__(self) -> str:
        return f"{self.domain} {self.began_at:%Y-%m-%d %H:%M}"


class Cleaning(models.Model):
    """The cleaning of one night: which worker's turn it was, and what it did."""

    day = models.DateField(_("day"), unique=True)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    released_count = models.PositiveIntegerField(_("released"), default=0)

    class Meta:
        verbose_name = _("nightly cleaning")
        verbose_name_plural = _("nightly cleanings")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.day}"


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
