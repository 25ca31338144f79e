"""Forms of incidents and figures: which errors, why they are released, which period."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from profiles.channels import Channel
from quarantine.figures import PERIODS, Grouping
from quarantine.incidents import Window

_TIME = forms.DateTimeInput(attrs={"type": "datetime-local"})
# As the browser writes what was chosen, and as links of ours do.
_FORMATS = ["%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]


class WindowForm(forms.Form):
    """The errors of a domain in a stretch of time (UTC). Only email has domains."""

    domain = forms.CharField(
        label=_("Domain"),
        max_length=255,
        help_text=_("Such as example.com, without its sub-domains."),
    )
    began_at = forms.DateTimeField(
        label=_("From (UTC)"),
        widget=_TIME,
        input_formats=_FORMATS,
        help_text=_("When the trouble began; earlier errors stay as they are."),
    )
    ended_at = forms.DateTimeField(
        label=_("To (UTC)"),
        widget=_TIME,
        input_formats=_FORMATS,
        help_text=_("When it was over. This minute counts as a whole."),
    )
    code = forms.CharField(
        label=_("Error code"),
        required=False,
        max_length=20,
        help_text=_("Only errors with this code, such as 5.1.1. Empty for all."),
    )

    def clean_domain(self) -> str:
        return str(self.cleaned_data["domain"]).strip().lstrip("@").lower()

    def clean_ended_at(self) -> datetime:
        """Take a minute that was chosen as a whole."""
        ended: datetime = self.cleaned_data["ended_at"]
        if ended.second or ended.microsecond:
            return ended
        return ended + timedelta(minutes=1, microseconds=-1)

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or {}
        began, ended = chosen.get("began_at"), chosen.get("ended_at")
        if began and ended and ended < began:
            self.add_error(
                "ended_at", _("The end is before the beginning. Exchange the two.")
            )
        return chosen

    @property
    def window(self) -> Window:
        """Give what was chosen; only after the form was found valid."""
        chosen = self.cleaned_data
        return Window(
            Channel.EMAIL,
            chosen["domain"],
            chosen["began_at"],
            chosen["ended_at"],
            chosen["code"],
        )


class NoteForm(forms.Form):
    """Why many addresses are released."""

    note = forms.CharField(
        label=_("Reason for the release"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept in the history of every address that is released."),
        error_messages={
            "required": _(
                "Nothing was released: write why, so that it can be understood later."
            )
        },
    )


class ConfirmForm(forms.Form):
    """What shows that an outage was none."""

    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What shows that these addresses are gone."),
    )


class FiguresForm(forms.Form):
    """What errors are counted by, and of which period."""

    by = forms.ChoiceField(choices=Grouping.choices, initial=Grouping.REASON)
    days = forms.TypedChoiceField(
        choices=[(str(days), str(days)) for days in PERIODS], coerce=int, initial="30"
    )
