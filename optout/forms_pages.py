"""Forms of the console for landing pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from optout.models import Brand, LandingPage, Service
from optout.models.brands import is_https
from optout.models.pages import PageType
from optout.page_content import (
    DEFAULT_LANGUAGE,
    LONGEST_LINE,
    LONGEST_TEXT,
    MOST_AGREEMENTS,
    PAGE_LANGUAGES,
    Access,
    After,
    FieldName,
    OfferedField,
    OnSeveral,
    PageContent,
    StopScope,
    Texts,
)
from optout.pages import Settings
from profiles.channels import Channel

LANGUAGE_CHOICES: Final = [
    (code, name.capitalize()) for code, name in PAGE_LANGUAGES.items()
]
ZONES: Final = ["UTC", *sorted(each for each in available_timezones() if "/" in each)]
FIELD_PREFIX: Final = "ask_"
_ASKED: Final = [
    ("", _("No")),
    ("optional", _("Yes, may be left empty")),
    ("mandatory", _("Yes, must be filled in")),
]
# What a type of page has no use for.
# Whoever types an address on a way out is mailed the links of each profile that has it.
_POINTLESS: Final = {
    PageType.DENYLIST: {
        "channels", "services", "fields", "agreement_count", "after",
        "has_double_opt_in", "on_several",
    },
    PageType.PREFERENCES: {"on_several"},
    PageType.SUBSCRIBE: {"channels", "scope"},
    PageType.UNSUBSCRIBE: {
        "channels", "fields", "agreement_count", "has_double_opt_in", "on_several"
    },
    PageType.ACQUISITION: set(),
}  # fmt: skip


class NewPageForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=128,
        help_text=LandingPage._meta.get_field("name").help_text,
    )
    type = forms.ChoiceField(
        label=_("Type"),
        choices=PageType.choices,
        widget=forms.RadioSelect,
        help_text=_("Says what the page can offer. It stays as it is chosen."),
    )
    language = forms.ChoiceField(
        label=_("Default language"),
        choices=LANGUAGE_CHOICES,
        initial=DEFAULT_LANGUAGE,
        help_text=_("Who reads none of the page’s languages gets this one."),
    )
    brand = forms.ModelChoiceField(
        label=_("Brand"),
        queryset=Brand.objects.defer("logo"),
        required=False,
        empty_label=_("The default one"),
        help_text=_("Whose name, logo, colours and postal address the page shows."),
    )


class SettingsForm(forms.Form):
    """What of a page applies at once."""

    name = NewPageForm.base_fields["name"]
    brand = forms.ModelChoiceField(
        label=_("Brand"),
        queryset=Brand.objects.defer("logo"),
        empty_label=None,
        help_text=_("Whose name, logo, colours and postal address the page shows."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=[(each, each) for each in ZONES],
        help_text=_("Of the two times below."),
    )
    starts_at = forms.DateTimeField(
        label=_("Open from"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("Empty: at once."),
    )
    ends_at = forms.DateTimeField(
        label=_("Open until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("Empty: until it is closed."),
    )
    closed_url = forms.URLField(
        label=_("Address when it is not open"),
        required=False,
        max_length=500,
        assume_scheme="https",
        validators=[is_https],
        help_text=LandingPage._meta.get_field("closed_url").help_text,
    )

    def __init__(self, page: LandingPage, post: Any = None) -> None:
        zone = (post or {}).get("time_zone", page.time_zone)
        self.zone = ZoneInfo(zone if zone in ZONES else "UTC")
        super().__init__(
            post,
            initial={
                "name": page.name,
                "brand": page.brand_id,
                "time_zone": page.time_zone,
                "starts_at": _local(page.starts_at, page.zone),
                "ends_at": _local(page.ends_at, page.zone),
                "closed_url": page.closed_url,
            },
        )

    def full_clean(self) -> None:
        # Times mean those of the page's zone, not of whoever types them.
        with timezone.override(self.zone):
            super().full_clean()

    @property
    def settings(self) -> Settings:
        return Settings(**self.cleaned_data)


def _local(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if moment else ""


def _text(label: Any, **options: Any) -> forms.CharField:
    rows = options.pop("rows", 3)
    return forms.CharField(
        label=label,
        required=False,
        max_length=LONGEST_TEXT,
        strip=True,
        widget=forms.Textarea(attrs={"rows": rows}),
        **options,
    )


def _line(label: Any, *, help_text: Any) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=LONGEST_LINE, help_text=help_text
    )


class TextsForm(forms.Form):
    """What a page says in one language."""

    title = _line(
        _("Title"), help_text=_("The heading of the page, and the name of its tab.")
    )
    intro = _text(
        _("Introduction"),
        help_text=_("Stands below the title: what visitors can do here."),
    )
    button = _line(
        _("Button"),
        help_text=_("What the button says. Nothing is changed until it is pressed."),
    )
    confirmation = _text(
        _("After it was pressed"),
        help_text=_("What visitors read when their wish was saved."),
    )
    error = _text(
        _("When it failed"),
        rows=2,
        help_text=_("What they read when nothing was saved, and what to do."),
    )
    closed = _text(
        _("While the page is not open"),
        rows=2,
        help_text=_("Instead of the page, before it opens and after its end."),
    )

    def __init__(self, texts: Texts, agreement_count: int, post: Any = None) -> None:
        names = ("title", "intro", "button", "confirmation", "error", "closed")
        initial = {name: getattr(texts, name) for name in names}
        self.agreements = [f"agreement_{number}" for number in range(agreement_count)]
        initial |= dict(zip(self.agreements, texts.agreements, strict=False))
        super().__init__(post, initial=initial)
        for number, name in enumerate(self.agreements, 1):
            self.fields[name] = _text(
                _("Agreement %(number)d") % {"number": number},
                rows=2,
                help_text=_("What visitors agree to by their tick."),
            )

    @property
    def texts(self) -> Texts:
        said = dict(self.cleaned_data)
        agreements = tuple(said.pop(name) for name in self.agreements)
        # Line ends as browsers send them would change the hash of the wording.
        plain = {name: text.replace("\r\n", "\n") for name, text in said.items()}
        return Texts(**plain, agreements=agreements)


class OfferForm(forms.Form):
    """What a page offers and what it does with what is sent."""

    default_language = forms.ChoiceField(
        label=_("Default language"),
        help_text=_("Who reads none of the page’s languages gets this one."),
    )
    access = forms.ChoiceField(
        label=_("Who may use it"),
        choices=Access.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "Whoever comes by a link in our message need not say who they are."
        ),
    )
    channels = forms.TypedMultipleChoiceField(
        label=_("Channels offered"),
        choices=Channel.choices,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Each is a box on the page; the others are left as they are."),
    )
    services = forms.ModelMultipleChoiceField(
        label=_("Services offered"),
        queryset=Service.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Visitors see their public names."),
    )
    agreement_count = forms.TypedChoiceField(
        label=_("Agreement boxes"),
        choices=[(number, number) for number in range(MOST_AGREEMENTS + 1)],
        coerce=int,
        help_text=_("Never ticked beforehand; nothing is saved without them."),
    )
    has_double_opt_in = forms.BooleanField(
        label=_("A mail asks for confirmation before anything starts"),
        required=False,
        help_text=_("Not of visitors who come by a link in our message."),
    )
    after = forms.ChoiceField(
        label=_("What follows"),
        choices=After.choices,
        help_text=_("Whether a mail of the service follows the text on the page."),
    )
    on_several = forms.ChoiceField(
        label=_("When several profiles have the address"),
        choices=OnSeveral.choices,
        help_text=_(
            "Which of them changes once a visitor who typed the address confirms it in"
            " the mail."
        ),
    )
    scope = forms.ChoiceField(
        label=_("What stops"),
        choices=StopScope.choices,
        help_text=_("Whom an opt-out on this page covers."),
    )

    def __init__(self, page_type: str, content: PageContent, post: Any = None) -> None:
        self.content = content
        super().__init__(post, initial=_offer(content))
        pointless = _POINTLESS[PageType(page_type)]
        if "fields" not in pointless:
            self._add_fields()
        for name in pointless & set(self.fields):
            del self.fields[name]
        choices = [each for each in LANGUAGE_CHOICES if each[0] in content.languages]
        self.fields["default_language"].choices = choices  # type: ignore[attr-defined]

    def _add_fields(self) -> None:
        for name in FieldName:
            self.fields[f"{FIELD_PREFIX}{name.value}"] = forms.ChoiceField(
                label=name.label, choices=_ASKED, required=False
            )

    @property
    def asked(self) -> list[forms.BoundField]:
        """Give the choices of what is asked for, to be shown together."""
        return [field for field in self if field.name.startswith(FIELD_PREFIX)]

    @property
    def others(self) -> list[forms.BoundField]:
        return [field for field in self if not field.name.startswith(FIELD_PREFIX)]

    @property
    def changes(self) -> dict[str, Any]:
        """Give what was chosen, as the parts of a content."""
        chosen = dict(self.cleaned_data)
        asked = {
            name: chosen.pop(f"{FIELD_PREFIX}{name.value}", "") for name in FieldName
        }
        known = [each.name for each in self.content.fields]
        order = [*known, *(each for each in FieldName if each not in known)]
        converted: Mapping[str, Any] = {
            "access": Access,
            "after": After,
            "on_several": OnSeveral,
            "scope": StopScope,
            "channels": lambda found: tuple(Channel(each) for each in found),
            "services": lambda found: tuple(each.pk for each in found),
        }
        changes = {
            name: converted.get(name, lambda value: value)(value)
            for name, value in chosen.items()
        }
        return changes | {
            "fields": tuple(
                OfferedField(name, asked[name] == "mandatory")
                for name in order
                if asked[name]
            )
        }


def _offer(content: PageContent) -> dict[str, Any]:
    asked = {
        f"{FIELD_PREFIX}{each.name.value}": "mandatory"
        if each.is_mandatory
        else "optional"
        for each in content.fields
    }
    return asked | {
        "default_language": content.default_language,
        "access": content.access,
        "channels": content.channels,
        "services": content.services,
        "agreement_count": content.agreement_count,
        "has_double_opt_in": content.has_double_opt_in,
        "after": content.after,
        "on_several": content.on_several,
        "scope": content.scope,
    }


class LanguageForm(forms.Form):
    """A language for a page that lacks it."""

    language = forms.ChoiceField(
        label=_("Language"),
        help_text=_("Visitors who read it get the page in it, once it is published."),
    )

    def __init__(self, content: PageContent, post: Any = None) -> None:
        super().__init__(post)
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            each for each in LANGUAGE_CHOICES if each[0] not in content.languages
        ]
