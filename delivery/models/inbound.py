from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class InboundKind(models.TextChoices):
    """What came in, which decides who reads it."""

    MAIL = "mail", _("Mail")
    EVENT = "event", _("Event of a provider")
    TEXT = "text", _("Text message")
    RECEIPT = "receipt", _("Delivery receipt")


class InboundState(models.TextChoices):
    """What became of what came in."""

    STORED = "stored", _("To be read")
    APPLIED = "applied", _("Applied")
    # It was read, and changes nothing.
    RECORDED = "recorded", _("Recorded only")
    # It carries no token of ours.
    FOREIGN = "foreign", _("Not ours")
    # It carries a token that we did not make.
    FORGED = "forged", _("Forged")
    TRIAGE = "triage", _("For a person to read")
    FAILED = "failed", _("Cannot be read")


class Inbound(models.Model):
    """Something that came in, stored whole before anything is made of it.

    `key` is what makes it one thing: the hash of a mail, or the id that a provider
    gave to its event. So it is stored once however often it is handed over.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=InboundKind.choices)
    # Which mailbox, provider or gateway handed it over.
    source = models.CharField(_("source"), max_length=60)
    key = models.CharField(_("key"), max_length=200)
    # Null once the evidence was erased or has served its time.
    raw = models.BinaryField(_("as it came"), null=True)
    # Whom its envelope was addressed to, where the source says so apart from the bytes.
    recipient = models.CharField(max_length=320, blank=True)
    received_at = models.DateTimeField(_("received"))
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=InboundState.choices,
        default=InboundState.STORED,
    )
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    # What it was found to be, such as bounce, complaint, stop, auto_reply.
    meaning = models.CharField(_("meaning"), max_length=30, blank=True)
    # Of the message that it is about, known by its token and by nothing else.
    delivery_id = models.BigIntegerField(null=True, blank=True)
    profile_id = models.BigIntegerField(null=True, blank=True)
    digest = models.UUIDField(null=True, blank=True)
    # One sentence on what was made of it; never an address.
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("inbound report")
        verbose_name_plural = _("inbound reports")
        default_permissions = ("view", "change")
        permissions = [
            ("view_inbound_raw", _("Can read inbound reports as they came")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source", "key"], name="delivery_inbound_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=InboundState.values),
                name="delivery_inbound_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"],
                condition=Q(state="stored"),
                name="delivery_inbound_waiting",
            ),
            models.Index(fields=["digest"], name="delivery_inbound_address"),
            models.Index(
                fields=["profile_id"],
                condition=Q(profile_id__isnull=False),
                name="delivery_inbound_person",
            ),
            models.Index(fields=["received_at", "id"], name="delivery_inbound_listed"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
