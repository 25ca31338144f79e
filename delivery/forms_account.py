"""Forms of one's own account, and of the audit trail."""

from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from delivery.models.console import ActionOutcome

ANY: tuple[str, Promise] = ("", _("Any"))


class CodeForm(forms.Form):
    """A code of the telephone, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none"}
        ),
        help_text=_("Six digits from the app on your telephone, or a recovery code."),
    )


class SetUpForm(CodeForm):
    """The first code, which shows that the telephone has the secret."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}
        ),
        help_text=_("The six digits that the app shows now."),
    )


class TrailForm(forms.Form):
    """What the audit trail is narrowed by; all are optional."""

    actor = forms.CharField(label=_("By"), required=False, max_length=150)
    action = forms.CharField(
        label=_("Action, or its beginning"), required=False, max_length=100
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"), choices=[ANY, *ActionOutcome.choices], required=False
    )
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput({"type": "date"})
    )

    @property
    def chosen(self) -> dict[str, Any]:
        """Give the filters for delivery.audit; days begin at midnight UTC."""
        return {
            name: _midnight(value) if isinstance(value, date) else value
            for name, value in self.cleaned_data.items()
        }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
