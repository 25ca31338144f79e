"""Forms of the console's inbound pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from delivery.inbound.browsing import MEANINGS
from delivery.models import InboundState

_ANY = ("", _("Any"))


class InboundFilterForm(forms.Form):
    """What the list of reports is narrowed by; all are optional."""

    state = forms.ChoiceField(
        label=_("State"), choices=[_ANY, *InboundState.choices], required=False
    )
    meaning = forms.ChoiceField(
        label=_("Meaning"), choices=[_ANY, *MEANINGS.items()], required=False
    )
    source = forms.CharField(label=_("Source"), required=False, max_length=60)
    # Of a quarantined address, from its page.
    address = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput
    )
