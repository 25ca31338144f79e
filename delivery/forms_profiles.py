"""Forms of the profile pages."""

from collections.abc import Collection
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from delivery.models import Delivery
from delivery.timeline import Kind
from profiles.models import Profile


class SearchForm(forms.Form):
    """What an operator has at hand of a person."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=500,
        help_text=_(
            "External id, name, or a whole email address, telephone number or other"
            " address."
        ),
        widget=forms.TextInput(attrs={"type": "search"}),
    )


class QuarantineAllForm(forms.Form):
    """Why all addresses of a profile go to quarantine."""

    # Other forms on the page have fields of the same name.
    prefix = "quarantine"

    note = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        help_text=_("Kept in the history. No delivery writes to these addresses."),
        error_messages={
            "required": _("Nothing was quarantined: write why, for those who ask.")
        },
    )


class EraseForm(forms.Form):
    """The typed confirmation of an erasure, and its reason."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        help_text=_("Such as the date and number of the person's request."),
    )
    confirmation = forms.CharField(label=_("Confirmation"), max_length=200)

    def __init__(self, profile: Profile, post: Any = None) -> None:
        super().__init__(post, prefix="erase")
        self.word = profile.external_id or f"#{profile.pk}"
        self.fields["confirmation"].help_text = gettext(
            "Type %(word)s to show that you mean this person."
        ) % {"word": self.word}

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"]).strip()
        if typed != self.word:
            raise forms.ValidationError(
                gettext("Nothing was erased: this is not %(word)s. Type it exactly.")
                % {"word": self.word}
            )
        return typed


class MergeForm(forms.Form):
    """Why two profiles are one person."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        help_text=_("What shows that both are the same person. Kept as evidence."),
        error_messages={
            "required": _(
                "Nothing was merged: write why these two are one person, as evidence."
            )
        },
    )


class TimelineForm(forms.Form):
    """Which entries of the timeline to show."""

    kind = forms.ChoiceField(label=_("Show"), required=False)

    def __init__(self, query: Any, *, kinds: Collection[str]) -> None:
        super().__init__(query)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)
        shown = [each for each in Kind.choices if each[0] in kinds]
        field.choices = [("", gettext("Everything")), *shown]


class ExplanationForm(forms.Form):
    """The delivery that a person asks about, and the day."""

    delivery = forms.ModelChoiceField(
        label=_("Delivery"),
        queryset=Delivery.objects.none(),
        empty_label=_("Choose a delivery"),
        help_text=_("Whether this person would get it or got it, and why."),
    )
    on = forms.DateField(
        label=_("On"),
        required=False,
        help_text=_("Empty: as things are now."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, query: Any = None) -> None:
        super().__init__(query)
        field = self.fields["delivery"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Delivery.objects.order_by("-pk")
        # The newest only are offered; an older one is reached from its own page.
        newest = Delivery.objects.order_by("-pk").values_list("pk", "label")[:100]
        field.choices = [("", field.empty_label), *newest]

    def clean_on(self) -> date | None:
        day: date | None = self.cleaned_data["on"]
        if day is not None and not date(1990, 1, 1) <= day <= timezone.localdate():
            raise forms.ValidationError(
                gettext("Nobody knows anything of this day. Choose one that has begun.")
            )
        return day
