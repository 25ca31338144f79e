from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from profiles.channels import Channel


class ProfileQuerySet(models.QuerySet["Profile"]):
    def not_erased(self) -> "ProfileQuerySet":
        """Keep who can still be reached: neither erased nor merged into another."""
        return self.filter(erased_at__isnull=True)

    def known_as(self, external_id: str) -> "ProfileQuerySet":
        """Keep who has an external id, or has taken over the profile that has it."""
        if "\0" in external_id:  # PostgreSQL refuses to look for it.
            return self.none()
        is_known = Q(external_id=external_id) | Q(merged__external_id=external_id)
        return self.not_erased().filter(is_known).distinct()


class Profile(models.Model):
    """A person in the marketing database. Its addresses are rows of their own."""

    # Null, not empty, where there is none: many profiles may have none.
    external_id = models.CharField(  # noqa: DJ001
        _("external id"),
        max_length=200,
        null=True,
        blank=True,
        help_text=_("The key of this person in your CRM."),
    )
    first_name = models.CharField(_("first name"), max_length=200, blank=True)
    last_name = models.CharField(_("last name"), max_length=200, blank=True)
    language = models.CharField(
        _("preferred language"),
        max_length=35,
        blank=True,
        help_text=_("A language code, such as sv or en-GB."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        help_text=_("A name such as Europe/Stockholm; empty: that of the delivery."),
    )
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    street = models.CharField(_("street"), max_length=500, blank=True)
    postcode = models.CharField(_("postcode"), max_length=40, blank=True)
    city = models.CharField(_("city"), max_length=200, blank=True)
    country = models.CharField(
        _("country"),
        max_length=100,
        blank=True,
        help_text=_(
            "The two-letter code, such as SE. Telephone numbers without a country"
            " code are read as numbers of this country."
        ),
    )
    attributes = models.JSONField(
        _("attributes"), default=dict, blank=True, encoder=DjangoJSONEncoder
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now)
    # When it was emptied: by erasure, or by a merge if `merged_into` says where to.
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)
    # Always who lives on: a later merge of that one moves this as well.
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        editable=False,
        db_constraint=False,
        db_index=False,
        related_name="merged",
        verbose_name=_("merged into"),
    )

    objects = ProfileQuerySet.as_manager()

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        permissions = [
            ("import_profile", _("Can import profiles from a file")),
            ("export_profile", _("Can export profiles to a file")),
            ("erase_profile", _("Can erase a profile")),
            ("merge_profile", _("Can merge two profiles of one person")),
        ]
        constraints = [
            # Not `unique=True`, which would add a second index for LIKE.
            models.UniqueConstraint(
                fields=["external_id"],
                name="profiles_profile_external_id_once",
                violation_error_message=_("Another profile has this external id."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["erased_at"],
                condition=Q(erased_at__isnull=False),
                name="profiles_profile_erased",
            ),
            models.Index(
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="profiles_profile_merged",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id or f"#{self.pk}"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Address(models.Model):
    """One address of a profile on one channel.

    `digest` is its identity everywhere (see profiles.addresses). A delivery uses
    the preferred address of its channel only.
    """

    # No database constraint: checking it costs more than all else in an import of
    # a million rows. Profiles are never deleted, only emptied (docs/decisions/0004).
    profile = models.ForeignKey(
        Profile,
        on_delete=models.CASCADE,
        related_name="addresses",
        db_constraint=False,
        db_index=False,
    )
    channel = models.SmallIntegerField(_("channel"), choices=Channel.choices)
    value = models.TextField(_("address"))
    digest = models.UUIDField(_("digest"), editable=False)
    domain = models.CharField(_("domain"), max_length=255, blank=True, editable=False)
    is_deliverable = models.BooleanField(_("deliverable"), default=True)
    is_preferred = models.BooleanField(_("preferred"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        permissions = [
            ("view_full_address", _("Can read addresses in full")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "channel", "digest"],
                name="profiles_address_once",
            ),
            models.UniqueConstraint(
                fields=["profile", "channel"],
                condition=Q(is_preferred=True),
                name="profiles_address_one_preferred",
            ),
        ]
        indexes = [
            # Holds all that finding duplicates needs, so it is read alone.
            models.Index(
                fields=[
                    "digest",
                    "profile",
                    "channel",
                    "is_preferred",
                    "is_deliverable",
                ],
                name="profiles_address_digest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} #{self.pk}"


class DomainSuffix(models.Model):
    """A domain that addresses have, with itself and each of its parent domains.

    Lets a block list of domains match sub-domains of any depth by one join.
    """

    suffix = models.CharField(max_length=255)
    domain = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["suffix", "domain"], name="profiles_domainsuffix_once"
            ),
        ]
        # The gate asks for the suffixes of one domain.
        indexes = [models.Index(fields=["domain"], name="profiles_suffix_domain")]

    def __str__(self) -> str:
        return f"{self.domain} < {self.suffix}"
