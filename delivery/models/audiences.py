from django.db import models
from django.utils.translation import gettext_lazy as _


class AudienceKind(models.TextChoices):
    EVERYBODY = "everybody", _("Everybody")
    EXTERNAL_IDS = "external_ids", _("A list of external ids")
    CONDITIONS = "conditions", _("Profiles that meet conditions")


class Audience(models.Model):
    """Whom a delivery is meant for, before anybody is excluded.

    `conditions` is a list of {"field", "operator", "value"}, all of which must hold;
    see delivery.audiences for the fields and operators.
    """

    kind = models.CharField(
        _("kind"),
        max_length=20,
        choices=AudienceKind.choices,
        default=AudienceKind.EVERYBODY,
    )
    conditions = models.JSONField(_("conditions"), default=list, blank=True)

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")

    def __str__(self) -> str:
        return str(self.get_kind_display())


class AudienceEntry(models.Model):
    """One external id of an audience that is a list of them."""

    audience = models.ForeignKey(
        Audience, on_delete=models.CASCADE, related_name="entries", db_index=False
    )
    external_id = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["audience", "external_id"], name="delivery_audienceentry_once"
            ),
        ]

    def __str__(self) -> str:
        return self.external_id
