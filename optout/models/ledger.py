from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from optout.models.flags import OPT_OUT_SCOPES


class Direction(models.IntegerChoices):
    OUT = 0, _("Opt-out")
    IN = 1, _("Opt-in")
    MERGE = 2, _("Merge")


class ConsentSource(models.TextChoices):
    OPERATOR = "operator", _("Operator")
    IMPORT = "import", _("Import")
    ERASURE = "erasure", _("Erasure")
    LANDING_PAGE = "landing_page", _("Landing page")
    ONE_CLICK = "one_click", _("One click in the mail client")
    MAILTO = "mailto", _("Mail to the unsubscribe address")
    KEYWORD = "keyword", _("Keyword by SMS")
    API = "api", _("API client")
    # A mailbox that belongs to somebody else now: consent was given by its old owner.
    BOUNCE = "bounce", _("Owner of the address changed")


class ConsentReason(models.TextChoices):
    """Why an operator acted. The free text is in the evidence."""

    NONE = "", _("No reason given")
    ASKED_BY_PHONE = "asked_by_phone", _("The person asked by telephone")
    ASKED_BY_EMAIL = "asked_by_email", _("The person asked by email")
    ASKED_BY_LETTER = "asked_by_letter", _("The person asked by letter")
    ASKED_IN_PERSON = "asked_in_person", _("The person asked in person")
    SIGNED_FORM = "signed_form", _("The person signed a form")
    MISTAKE = "mistake", _("The opt-out was recorded by mistake")
    NOT_THEIRS = "not_theirs", _("Not the person’s own act")
    ERASURE = "erasure", _("The person asked to be erased")


class ConsentEvent(models.Model):
    """One change of consent, for ever. Triggers refuse to change or delete a row.

    Holds codes, ids, digests and hashes as plain values, without foreign keys, so
    that no later change elsewhere can rewrite it. Free text is in ConsentEvidence.
    """

    at = models.DateTimeField(_("when"), default=timezone.now)
    profile_id = models.BigIntegerField(_("profile"))
    # Of a merge: the profile that lives on.
    other_profile_id = models.BigIntegerField(_("other profile"), null=True)
    # The preferred address on the channel at that time, if there was one.
    address_digest = models.UUIDField(_("address digest"), null=True)
    direction = models.SmallIntegerField(_("direction"), choices=Direction.choices)
    channel = models.SmallIntegerField(_("channel"), choices=OPT_OUT_SCOPES, null=True)
    service_id = models.BigIntegerField(_("service"), null=True)
    source = models.CharField(_("source"), max_length=20, choices=ConsentSource.choices)
    landing_page_version_id = models.BigIntegerField(_("page version"), null=True)
    wording_hash = models.CharField(_("wording"), max_length=64, blank=True)
    language = models.CharField(_("language"), max_length=35, blank=True)
    delivery_id = models.BigIntegerField(_("delivery"), null=True)
    actor = models.CharField(_("by"), max_length=150, blank=True)
    reason = models.CharField(
        _("reason"), max_length=30, choices=ConsentReason.choices, blank=True
    )
    evidence_hash = models.CharField(_("evidence"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("consent event")
        verbose_name_plural = _("consent events")
        default_permissions = ("view",)
        permissions = [
            ("export_consentevent", _("Can download the proof of a person’s consent")),
        ]
        indexes = [
            models.Index(fields=["profile_id", "at"], name="optout_event_profile"),
            models.Index(
                fields=["service_id", "at"],
                condition=Q(service_id__isnull=False),
                name="optout_event_service",
            ),
            models.Index(
                fields=["landing_page_version_id", "at"],
                condition=Q(landing_page_version_id__isnull=False),
                name="optout_event_page",
            ),
            # What a profile has taken over.
            models.Index(
                fields=["other_profile_id", "at"],
                condition=Q(other_profile_id__isnull=False),
                name="optout_event_merge",
            ),
            # For bursts: the newest opt-outs that deliveries led to.
            models.Index(
                fields=["at"],
                condition=Q(delivery_id__isnull=False, direction=Direction.OUT),
                name="optout_event_delivered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()} {self.at:%Y-%m-%d %H:%M}"


class ConsentEvidence(models.Model):
    """The free text behind a consent event. Can be erased; its hash stays."""

    hash = models.CharField(_("hash"), max_length=64, unique=True)
    text = models.TextField(_("text"), blank=True)
    profile_id = models.BigIntegerField(_("profile"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    erased_at = models.DateTimeField(_("erased"), null=True)

    class Meta:
        verbose_name = _("consent evidence")
        verbose_name_plural = _("consent evidence")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["profile_id"], name="optout_evidence_profile"),
        ]

    def __str__(self) -> str:
        return self.hash[:12]
