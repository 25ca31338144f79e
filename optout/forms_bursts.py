from django import forms
from django.utils.translation import gettext_lazy as _

from optout import reversing


class EvidenceForm(forms.Form):
    """What shows who made the opt-outs of a burst."""

    note = forms.CharField(
        label=_("Evidence"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as log lines of the mail scanner. Kept with the decision."),
    )


class ReverseForm(EvidenceForm):
    """Why the opt-outs of a burst are taken back, and what shows it."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[(reason.value, reason.label) for reason in reversing.REASONS],
        help_text=_("Kept in the ledger with every opt-out that is taken back."),
    )
    field_order = ["reason", "note"]
