"""Forms of the console's quarantine pages."""

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from profiles.addresses import parse
from profiles.channels import Channel
from quarantine.browsing import PROVISIONAL, choosable_reasons
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Reason, Status

ANY: tuple[str, Promise] = ("", _("Any"))
REASONS = [
    ("", _("No reason given")),
    *[(reason.value, reason.label) for reason in choosable_reasons()],
]


def _number(value: object) -> int | None:
    return None if value in (None, "") else int(str(value))


class FilterForm(forms.Form):
    """What a list of quarantined addresses is narrowed by; all are optional."""

    text = forms.CharField(
        label=_("Address, or part of it"), required=False, max_length=500
    )
    channel = forms.TypedChoiceField(
        label=_("Channel"),
        choices=[ANY, *Channel.choices],
        required=False,
        coerce=_number,
        empty_value=None,
    )
    status = forms.TypedChoiceField(
        label=_("Status"),
        choices=[ANY, *Status.choices, (PROVISIONAL, _("Quarantine, provisional"))],
        required=False,
        coerce=_number,
        empty_value=None,
    )
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[ANY, *[(each.value, each.label) for each in Reason if each.value]],
        required=False,
    )
    domain = forms.CharField(label=_("Domain"), required=False, max_length=255)


class StatusForm(forms.Form):
    """The status of an address by hand, with why."""

    status = forms.TypedChoiceField(
        label=_("Status"),
        choices=Status.choices,
        coerce=int,
        initial=Status.QUARANTINE,
        help_text=_(
            "Quarantine and denylisted exclude the address from every delivery. An"
            " allowlisted address ignores bounces."
        ),
    )
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=REASONS,
        required=False,
        help_text=_("Shown in lists and figures, and kept in the history."),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For those who read the history of the address later."),
    )


class AddForm(StatusForm):
    """An address that an operator puts on the list."""

    channel = forms.TypedChoiceField(
        label=_("Channel"),
        choices=Channel.choices,
        coerce=int,
        help_text=_("The address is held on this channel only."),
    )
    address = forms.CharField(
        label=_("Address"),
        max_length=2000,
        help_text=_("A telephone number begins with + and its country code."),
    )
    field_order = ["channel", "address", "status", "reason", "note"]

    @property
    def known_row(self) -> QuarantinedAddress | None:
        """Find what is known of the address; only after the form was found valid."""
        parsed = parse(
            Channel(self.cleaned_data["channel"]), self.cleaned_data["address"]
        )
        return QuarantinedAddress.objects.filter(
            channel=parsed.channel, digest=parsed.digest
        ).first()


class ReleaseForm(forms.Form):
    """Why addresses are released."""

    note = forms.CharField(
        label=_("Reason for the release"),
        max_length=2000,
        help_text=_("Kept in the history. Deliveries write to the address again."),
        error_messages={
            "required": _(
                "Nothing was released: write why, so that it can be understood later."
            )
        },
    )


class BlockForm(forms.Form):
    """A domain for the block list."""

    domain = forms.CharField(
        label=_("Domain"),
        max_length=255,
        help_text=_("Such as example.com. Its sub-domains are blocked with it."),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        help_text=_("Why nobody there should be written to."),
    )
