import hashlib
from typing import Any
from urllib.parse import quote

from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from optout import contrast
from optout.logos import EXTENSIONS, Logo

is_colour = RegexValidator(
    contrast.COLOUR, _("Write a colour as # and six digits or letters: #0a5c68.")
)
is_https = URLValidator(
    ["https"], message=_("Write a whole address that begins with https://.")
)


def _colour(name: Any, default: str) -> "models.CharField[str, str]":
    return models.CharField(name, max_length=7, default=default, validators=[is_colour])


class BrandQuerySet(models.QuerySet["Brand"]):
    def default(self) -> "Brand":
        """Give the brand of pages that choose none; the first call makes it."""
        brand, _is_new = self.get_or_create(
            is_default=True, defaults={"name": "Default"}
        )
        return brand


class Brand(models.Model):
    """Who speaks on a landing page, and in which colours."""

    name = models.CharField(
        _("name"), max_length=128, help_text=_("What operators call it.")
    )
    sender_name = models.CharField(
        _("sender"),
        max_length=128,
        blank=True,
        help_text=_("Who visitors know you as; stands at the top of each page."),
    )
    # In the database, so that no copy of it goes without them.
    logo = models.BinaryField(_("logo"), default=b"", blank=True)
    logo_digest = models.CharField(max_length=32, blank=True, editable=False)
    logo_type = models.CharField(max_length=20, blank=True, editable=False)
    postal_address = models.TextField(
        _("postal address"),
        max_length=500,
        blank=True,
        help_text=_(
            "Stands at the foot of each page. Without it nothing is published."
        ),
    )
    contact = models.CharField(
        _("contact"),
        max_length=254,
        blank=True,
        help_text=_("An email address, or an address that begins with https://."),
    )
    privacy_url = models.URLField(
        _("privacy notice"),
        max_length=500,
        blank=True,
        validators=[is_https],
        help_text=_("Begins with https://."),
    )
    light_text = _colour(_("text, light"), "#1c2127")
    light_background = _colour(_("background, light"), "#ffffff")
    light_button = _colour(_("button, light"), "#0a5c68")
    light_button_text = _colour(_("label of the button, light"), "#ffffff")
    dark_text = _colour(_("text, dark"), "#e9ebee")
    dark_background = _colour(_("background, dark"), "#1b2026")
    dark_button = _colour(_("button, dark"), "#7fd0da")
    dark_button_text = _colour(_("label of the button, dark"), "#0b2226")
    is_default = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)
    updated_by = models.CharField(_("by"), max_length=150, blank=True)

    objects = BrandQuerySet.as_manager()

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["name", "pk"]
        default_permissions = ("add", "change", "view")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="optout_brand_one_default",
            ),
            models.CheckConstraint(
                condition=Q(logo_type__in=["", *EXTENSIONS]),
                name="optout_brand_logo_type",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def colours(self, scheme: str) -> dict[str, str]:
        """Give the colours of a scheme, `light` or `dark`, by what they are for."""
        return {
            part: getattr(self, f"{scheme}_{part}")
            for part in ("text", "background", "button", "button_text")
        }

    def contrast_faults(self) -> dict[str, str]:
        """Give a sentence for each pair of colours too faint, by the field's name."""
        return {
            f"{scheme}_{part}": sentence
            for scheme, name in (("light", _("Light")), ("dark", _("Dark")))
            for part, sentence in contrast.faults(
                self.colours(scheme), str(name)
            ).items()
        }

    def set_logo(self, logo: Logo | None) -> None:
        """Put a logo in the place of the one there, or none; does not save."""
        self.logo = logo.data if logo else b""
        self.logo_type = logo.content_type if logo else ""
        self.logo_digest = hashlib.sha256(logo.data).hexdigest()[:32] if logo else ""

    @property
    def digest(self) -> str:
        """Give the part of public addresses that changes with colours and logo."""
        colours = [*self.colours("light").values(), *self.colours("dark").values()]
        source = " ".join([*colours, self.logo_digest])
        return hashlib.sha256(source.encode()).hexdigest()[:12]

    @property
    def contact_url(self) -> str:
        """Give where the contact leads: an https address, else a mailbox."""
        is_page = self.contact.startswith("https://")
        return self.contact if is_page else f"mailto:{quote(self.contact)}"

    @property
    def logo_extension(self) -> str:
        return EXTENSIONS.get(self.logo_type, "")
