"""Forms of the console's opt-out pages."""

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from optout import boxes
from optout.models.flags import OPT_OUT_SCOPES
from optout.models.ledger import ConsentReason
from optout.preferences import Scope
from profiles.models import Profile

# The law knows more reasons; these are those that an operator may give.
REASONS = [
    ("", _("Choose a reason")),
    *[
        (reason.value, reason.label)
        for reason in ConsentReason
        if reason not in {ConsentReason.NONE, ConsentReason.ERASURE}
    ],
]


class BoxesForm(forms.Form):
    """Which channels a person no longer wants, as shown and as ticked."""

    channels = forms.TypedMultipleChoiceField(
        label=_("No longer contact by"),
        choices=OPT_OUT_SCOPES,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "A tick keeps this person out of every delivery on the channel, at once."
        ),
    )
    shown = forms.TypedMultipleChoiceField(
        choices=OPT_OUT_SCOPES,
        coerce=int,
        required=False,
        widget=forms.MultipleHiddenInput,
    )
    scope = forms.ChoiceField(
        label=_("When you tick a box, it counts for"),
        required=False,
        widget=forms.RadioSelect,
        help_text=_("The wider choice is for a mailbox or number that several share."),
    )
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=REASONS,
        required=False,
        help_text=_("Needed when you take a tick away."),
    )
    evidence = forms.CharField(
        label=_("Evidence"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "What shows that the person wants this: when and how they said it, or"
            " the number of their letter. Needed when you take a tick away."
        ),
    )

    def __init__(
        self,
        profile: Profile,
        *,
        may_lift: bool,
        post: Any = None,
        channels: list[int] | None = None,
    ) -> None:
        known = boxes.opted_out_channels(profile) if channels is None else channels
        super().__init__(
            post,
            prefix="boxes",
            initial={"channels": known, "shown": known, "scope": Scope.PROFILE.value},
        )
        self.may_lift = may_lift
        self.other_count = boxes.others_sharing_an_address(profile)
        scope = self.fields["scope"]
        assert isinstance(scope, forms.ChoiceField)
        scope.choices = _scopes(self.other_count)

    @property
    def wanted(self) -> boxes.Changes:
        """Give what is to be changed; only after the form was found valid."""
        return boxes.changes(
            shown=self.cleaned_data.get("shown", []),
            ticked=self.cleaned_data.get("channels", []),
        )

    @property
    def opted_out_labels(self) -> list[str | Promise]:
        """Give the names of the boxes that are ticked as things are."""
        known = self.initial["channels"]
        return [label for channel, label in OPT_OUT_SCOPES if channel in known]

    @property
    def chosen_scope(self) -> Scope:
        return Scope(self.cleaned_data.get("scope") or Scope.PROFILE)

    def clean(self) -> dict[str, Any]:
        if self.wanted.to_lift:
            self._check_lift()
        return self.cleaned_data

    def _check_lift(self) -> None:
        if not self.may_lift:
            self.add_error(
                "channels",
                gettext(
                    "You may not take a tick away: your account lacks the right to"
                    " lift opt-outs. Ask somebody who has it."
                ),
            )
            return
        needed = {
            "reason": gettext("Lifting an opt-out needs a reason. Choose one."),
            "evidence": gettext(
                "Lifting an opt-out needs evidence. Write what shows that the person"
                " wants to be contacted again."
            ),
        }
        for name, sentence in needed.items():
            if not self.cleaned_data.get(name, "").strip():
                self.add_error(name, sentence)


def _scopes(other_count: int) -> list[tuple[str, str | Promise]]:
    wide = ngettext(
        "this profile and %(count)d other that has one of its addresses",
        "this profile and %(count)d others that have one of its addresses",
        other_count,
    )
    return [
        (Scope.PROFILE.value, _("this profile only")),
        (Scope.SHARED_ADDRESS.value, wide % {"count": other_count}),
    ]
