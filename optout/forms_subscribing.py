"""Forms of the console for services and subscriptions."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from optout.forms import REASONS
from optout.models import LandingPage, Service, ServiceText
from optout.models.pages import PageType
from optout.models.subscribing import ConfirmationMode
from optout.page_states import PageState

OWN_TEXTS = {
    "subscribe_confirmation": ("subscribed_subject", "subscribed_body"),
    "unsubscribe_confirmation": ("unsubscribed_subject", "unsubscribed_body"),
}

PAGE_TYPES = {
    "subscribe_page": PageType.SUBSCRIBE,
    "unsubscribe_page": PageType.UNSUBSCRIBE,
}


class ServiceForm(forms.ModelForm[Service]):
    class Meta:
        model = Service
        fields = (
            "label",
            "name",
            "channel",
            "is_open",
            "validity_days",
            "subscribe_confirmation",
            "unsubscribe_confirmation",
            "subscribe_page",
            "unsubscribe_page",
        )
        help_texts = {"channel": _("Only deliveries on this channel can belong to it.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, type_ in PAGE_TYPES.items():
            pages = LandingPage.objects.filter(type=type_, state=PageState.PUBLISHED)
            field = cast(forms.ModelChoiceField[LandingPage], self.fields[name])
            field.queryset = pages.select_related("published_version").order_by("name")
            field.empty_label = gettext("The built-in page")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name in PAGE_TYPES:
            page = self.cleaned_data.get(name)
            if page is not None and not self._is_offered_by(page):
                text = gettext(
                    "“%(page)s” does not offer this service. Add it there, publish"
                    " the page, and choose it then."
                )
                self.add_error(name, text % {"page": page})
        return cleaned

    def _is_offered_by(self, page: LandingPage) -> bool:
        version = page.published_version
        return version is not None and self.instance.pk in version.read().services

    def clean_channel(self) -> int:
        channel = int(self.cleaned_data["channel"])
        service = self.instance
        is_used = service.pk and service.deliveries.exists()
        if is_used and channel != Service.objects.get(pk=service.pk).channel:
            raise forms.ValidationError(
                gettext(
                    "Deliveries use this service on another channel. Make a new"
                    " service for this one."
                )
            )
        return channel

    @property
    def own_texts(self) -> list[str]:
        """Name the text fields that the chosen modes need in every language."""
        return [
            name
            for mode, names in OWN_TEXTS.items()
            if self.cleaned_data.get(mode) == ConfirmationMode.OWN
            for name in names
        ]


class ServiceTextForm(forms.ModelForm[ServiceText]):
    """What recipients read in one language; without a public name there is none."""

    class Meta:
        model = ServiceText
        fields = (
            "public_name",
            "description",
            "subscribed_subject",
            "subscribed_body",
            "unsubscribed_subject",
            "unsubscribed_body",
        )
        help_texts = {
            "public_name": _(
                "How recipients know it. Empty: they get another language."
            ),
            "description": _("Stands below the name on pages: what comes, how often."),
            "subscribed_subject": _("Of the mail that confirms a subscription."),
            "subscribed_body": _("What that mail says, as plain text."),
            "unsubscribed_subject": _("Of the mail that confirms the end of one."),
            "unsubscribed_body": _("What that mail says, as plain text."),
        }

    def __init__(
        self, language: str, name: str, *, post: Any, text: ServiceText | None
    ) -> None:
        super().__init__(post, prefix=f"text-{language}", instance=text)
        self.language, self.language_name = language, name
        self.fields["public_name"].required = False
        for each in self.fields.values():
            if isinstance(each.widget, forms.Textarea):
                each.widget.attrs["rows"] = 4

    @property
    def is_filled(self) -> bool:
        return bool(self.cleaned_data.get("public_name"))

    def require(self, names: list[str]) -> bool:
        """Mark what is missing of these fields; says whether all are there."""
        if not self.is_filled:
            rest = [name for name, text in self.cleaned_data.items() if text]
            if rest:
                self.add_error(
                    "public_name", gettext("Write the name of the service here, too.")
                )
            return not rest
        missing = [name for name in names if not self.cleaned_data.get(name)]
        for name in missing:
            self.add_error(name, gettext("The service sends a text of its own."))
        return not missing


class SubscriptionForm(forms.Form):
    """Which service an operator subscribes a person to, and why."""

    service = forms.ModelChoiceField(
        label=_("Service"),
        queryset=Service.objects.all(),
        empty_label=None,
        help_text=_("The person is its subscriber as soon as you save."),
    )
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=REASONS,
        required=False,
        help_text=_("Kept in the ledger with the subscription."),
    )
    evidence = forms.CharField(
        label=_("Evidence"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Needed, with a reason, for somebody who unsubscribed before."),
    )


def text_forms(service: Service | None, post: Any = None) -> list[ServiceTextForm]:
    """Give a form of texts for each language, filled with what there is."""
    known = {text.language: text for text in service.texts.all()} if service else {}
    return [
        ServiceTextForm(language, str(name), post=post, text=known.get(language))
        for language, name in settings.LANGUAGES
    ]


def are_valid(form: ServiceForm, texts: list[ServiceTextForm]) -> bool:
    """Judge a service with its texts: one language at least, each complete."""
    if not all([form.is_valid(), *(text.is_valid() for text in texts)]):
        return False
    # Every one is asked, so that each mark is set.
    incomplete = [text for text in texts if not text.require(form.own_texts)]
    if not any(text.is_filled for text in texts):
        texts[0].add_error(
            "public_name", gettext("Recipients need a name in one language at least.")
        )
        return False
    return not incomplete
