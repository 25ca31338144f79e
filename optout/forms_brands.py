"""The form of a brand."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from optout import logos
from optout.contrast import is_colour as is_readable
from optout.logos import Logo, LogoError
from optout.models import Brand
from optout.models.brands import is_https

COLOURS: Final = tuple(
    f"{scheme}_{part}"
    for scheme in ("light", "dark")
    for part in ("text", "background", "button", "button_text")
)


class BrandForm(forms.ModelForm[Brand]):
    privacy_url = forms.URLField(
        label=_("Privacy notice"),
        required=False,
        max_length=500,
        assume_scheme="https",
        validators=[is_https],
        help_text=_("Begins with https://."),
    )
    logo_file = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_("PNG, JPEG, WebP or GIF, 200 kB or less."),
        widget=forms.FileInput(
            attrs={"accept": "image/png,image/jpeg,image/webp,image/gif"}
        ),
    )
    removes_logo = forms.BooleanField(
        label=_("Take the logo away"),
        required=False,
        help_text=_("Pages show the name of the sender alone."),
    )

    class Meta:
        model = Brand
        fields = (
            "name",
            "sender_name",
            "postal_address",
            "contact",
            "privacy_url",
            *COLOURS,
        )
        widgets = {
            "postal_address": forms.Textarea(attrs={"rows": 3}),
            **{name: forms.TextInput(attrs={"type": "color"}) for name in COLOURS},
        }

    def __init__(self, brand: Brand, post: Any = None, files: Any = None) -> None:
        super().__init__(post, files, instance=brand)
        if not brand.logo_type:
            del self.fields["removes_logo"]

    def clean_contact(self) -> str:
        contact: str = self.cleaned_data["contact"].strip()
        if not contact:
            return ""
        try:
            (is_https if "//" in contact else validate_email)(contact)
        except ValidationError as error:
            raise ValidationError(
                gettext(
                    "Write an email address, or an address that begins with https://."
                )
            ) from error
        return contact

    def clean_logo_file(self) -> Logo | None:
        uploaded = self.cleaned_data["logo_file"]
        if not uploaded:
            return None
        try:
            # One byte more than may be: enough to see that it is too large.
            return logos.read(uploaded.read(logos.MOST_BYTES + 1))
        except LogoError as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or self.cleaned_data
        if all(is_readable(chosen.get(name, "")) for name in COLOURS):
            colours = Brand(**{name: chosen[name] for name in COLOURS})
            for name, sentence in colours.contrast_faults().items():
                self.add_error(name, sentence)
        return chosen

    def filled_brand(self) -> Brand:
        """Give the brand as the form says, not saved; only after it was found valid."""
        brand = self.instance
        logo = self.cleaned_data["logo_file"]
        if logo or self.cleaned_data.get("removes_logo"):
            brand.set_logo(logo)
        return brand

    @property
    def schemes(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Give the colours of each scheme, to be shown together."""
        return [
            (title, [self[name] for name in COLOURS if name.startswith(scheme)])
            for scheme, title in (("light", _("Light")), ("dark", _("Dark")))
        ]

    @property
    def others(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in COLOURS]
