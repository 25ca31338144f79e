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
_POINTLESS: Final = {
    PageType.DENYLIST: {
        "channels", "services", "fields", "agreement_count", "after",
        "has_double_opt_in",
    },
    PageType.PREFERENCES: set(),
    PageType.SUBSCRIBE: {"channels", "scope"},
    PageType.UNSUBSCRIBE: {
        "channels", "fields", "agreement_count", "has_double_opt_in"
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
        label=_("Type"), choices=PageType.choices, widget=forms.RadioSelect
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
    )


class SettingsForm(forms.Form):
    """What of a page applies at once."""

    name = NewPageForm.base_fields["name"]
    brand = forms.ModelChoiceField(
        label=_("Brand"), queryset=Brand.objects.defer("logo"), empty_label=None
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


class TextsForm(forms.Form):
    """What a page says in one language."""

    title = forms.CharField(label=_("Title"), required=False, max_length=LONGEST_LINE)
    intro = _text(_("Introduction"))
    button = forms.CharField(label=_("Button"), required=False, max_length=LONGEST_LINE)
    confirmation = _text(_("After it was pressed"))
    error = _text(_("When it failed"), rows=2)
    closed = _text(_("While the page is not open"), rows=2)

    def __init__(self, texts: Texts, agreement_count: int, post: Any = None) -> None:
        names = ("title", "intro", "button", "confirmation", "error", "closed")
        initial = {name: getattr(texts, name) for name in names}
        self.agreements = [f"agreement_{number}" for number in range(agreement_count)]
        initial |= dict(zip(self.agreements, texts.agreements, strict=False))
        super().__init__(post, initial=initial)
        for number, name in enumerate(self.agreements, 1):
            self.fields[name] = _text(
                _("Agreement %(number)d") % {"number": number}, rows=2
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
        label=_("Who may use it"), choices=Access.choices, widget=forms.RadioSelect
    )
    channels = forms.TypedMultipleChoiceField(
        label=_("Channels offered"),
        choices=Channel.choices,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    services = forms.ModelMultipleChoiceField(
        label=_("Services offered"),
        queryset=Service.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
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
    after = forms.ChoiceField(label=_("What follows"), choices=After.choices)
    on_several = forms.ChoiceField(
        label=_("When several profiles have the address"), choices=OnSeveral.choices
    )
    scope = forms.ChoiceField(label=_("What stops"), choices=StopScope.choices)

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

    language = forms.ChoiceField(label=_("Language"))

    def __init__(self, content: PageContent, post: Any = None) -> None:
        super().__init__(post)
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            each for each in LANGUAGE_CHOICES if each[0] not in content.languages
        ]


class DryRunForm(forms.Form):
    """Whose visit is tried, and what they tick and type."""

    external_id = forms.CharField(label=_("External id"), max_length=200)
    page_language = forms.ChoiceField(label=_("Language"))
    is_identified = forms.BooleanField(
        label=_("Comes by a link in our message"), required=False, initial=True
    )

    def __init__(
        self,
        content: PageContent,
        page_type: str,
        data: Any = None,
        *,
        services: Mapping[int, str],
    ) -> None:
        super().__init__(data)
        self.fields["page_language"].choices = [  # type: ignore[attr-defined]
            each for each in LANGUAGE_CHOICES if each[0] in content.languages
        ]
        if page_type != PageType.DENYLIST:
            self._add_boxes(content, services)
            for each in content.fields:
                self.fields[each.name.value] = forms.CharField(
                    label=each.name.label, required=False, max_length=500
                )
        if page_type == PageType.PREFERENCES:
            self.fields["start_all"] = forms.BooleanField(
                label=_("Messages may come again"), required=False
            )

    def _add_boxes(self, content: PageContent, services: Mapping[int, str]) -> None:
        channels = [(int(each), each.label) for each in content.channels]
        names = [(each, services.get(each, each)) for each in content.services]
        if channels:
            self.fields["channel"] = _boxes(_("Ticked channels"), channels)
        if names:
            self.fields["service"] = _boxes(_("Ticked services"), names)


def _boxes(label: Any, choices: Any) -> forms.TypedMultipleChoiceField:
    return forms.TypedMultipleChoiceField(
        label=label,
        choices=choices,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
