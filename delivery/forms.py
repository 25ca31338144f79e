"""Forms of the console for deliveries, their log, and uploads."""

from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery import audiences
from delivery.audiences import AudienceError, Condition
from delivery.browsing import DeliveryFilter
from delivery.logs import LogFilter, Outcome
from delivery.models import Audience, Delivery
from delivery.models.audiences import AudienceKind
from delivery.states import DeliveryStatus, ExclusionReason, MessageStatus
from optout.models import Service
from optout.models.uploads import UploadKind
from profiles.channels import Channel
from profiles.lines import open_lines

CONDITION_ROWS = 5
_OTHER = [(audiences.ATTRIBUTE_PREFIX, gettext_lazy("An attribute, named beside"))]
_ANY = [("", gettext_lazy("All"))]


class DeliveryForm(forms.Form):
    label = forms.CharField(
        label=gettext_lazy("Label"),
        max_length=200,
        help_text=gettext_lazy("What you call this delivery. Recipients never see it."),
    )
    channel = forms.TypedChoiceField(
        label=gettext_lazy("Channel"),
        choices=Channel.choices,
        coerce=int,
        help_text=gettext_lazy(
            "Each person is reached by their preferred address on it."
        ),
    )
    service = forms.ModelChoiceField(
        label=gettext_lazy("Service"),
        queryset=Service.objects.all(),
        required=False,
        empty_label=gettext_lazy("None: it belongs to no service"),
        help_text=Delivery._meta.get_field("service").help_text,
    )
    excludes_shared_opt_outs = forms.BooleanField(
        label=gettext_lazy("Exclude addresses that opted out on another profile"),
        required=False,
        help_text=Delivery._meta.get_field("excludes_shared_opt_outs").help_text,
    )
    audience_kind = forms.ChoiceField(
        label=gettext_lazy("Audience"),
        choices=AudienceKind.choices,
        initial=AudienceKind.EVERYBODY,
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "Whom it is meant for. The analysis excludes who must not be reached."
        ),
    )
    external_ids = forms.CharField(
        label=gettext_lazy("External ids"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("One on each line."),
    )
    external_ids_file = forms.FileField(
        label=gettext_lazy("File of external ids"),
        required=False,
        help_text=gettext_lazy("A text or CSV file; the first cell of each line."),
    )

    def clean(self) -> dict[str, Any]:
        service, channel = (self.cleaned_data.get(n) for n in ("service", "channel"))
        if service is not None and channel is not None and service.channel != channel:
            self.add_error(
                "service",
                _("“%(service)s” goes out by %(channel)s. Choose that channel.")
                % {"service": service, "channel": service.get_channel_display()},
            )
        return self.cleaned_data

    def make_audience(self, conditions: list[Condition]) -> Audience:
        """Make the audience that was chosen. Raises AudienceError or FileError."""
        kind = self.cleaned_data["audience_kind"]
        if kind == AudienceKind.EXTERNAL_IDS:
            return audiences.of_external_ids(self._external_ids())
        if kind == AudienceKind.CONDITIONS:
            return audiences.of_conditions(conditions)
        return audiences.everybody()

    def _external_ids(self) -> Iterator[str]:
        yield from self.cleaned_data["external_ids"].splitlines()
        if file := self.cleaned_data["external_ids_file"]:
            yield from _first_cells(file)


class ConditionForm(forms.Form):
    """One condition on a field or an attribute; without a field there is none."""

    field = forms.ChoiceField(
        label=gettext_lazy("Field"),
        required=False,
        choices=[("", "–"), *audiences.FIELDS.items(), *_OTHER],
    )
    attribute = forms.CharField(
        label=gettext_lazy("Attribute"), required=False, max_length=200
    )
    operator = forms.ChoiceField(
        label=gettext_lazy("Comparison"),
        required=False,
        choices=list(audiences.OPERATORS.items()),
    )
    value = forms.CharField(
        label=gettext_lazy("Value"), required=False, max_length=2000
    )

    @property
    def condition(self) -> Condition | None:
        """Give the condition of a row that was filled in."""
        field = self.cleaned_data.get("field", "")
        if not field:
            return None
        if field == audiences.ATTRIBUTE_PREFIX:
            field += self.cleaned_data["attribute"]
        return Condition(
            field, self.cleaned_data["operator"], self.cleaned_data["value"]
        )

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not cleaned.get("field") and (
            cleaned.get("value") or cleaned.get("attribute")
        ):
            raise forms.ValidationError(_("Choose the field of this condition."))
        if cleaned.get("field") == audiences.ATTRIBUTE_PREFIX and not cleaned.get(
            "attribute"
        ):
            raise forms.ValidationError(_("Give the name of the attribute."))
        if not self.errors and self.condition is not None:
            audiences.check_condition(self.condition)
        return cleaned


ConditionFormSet = forms.formset_factory(
    ConditionForm, extra=CONDITION_ROWS, max_num=CONDITION_ROWS, absolute_max=50
)


class DeliveryListForm(forms.Form):
    q = forms.CharField(label=gettext_lazy("Label"), required=False, max_length=200)
    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[*_ANY, *DeliveryStatus.choices],
    )
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"), required=False, choices=[*_ANY, *Channel.choices]
    )

    @property
    def chosen(self) -> DeliveryFilter:
        """Give the filter of a form that is valid."""
        status, channel = self.cleaned_data["status"], self.cleaned_data["channel"]
        return DeliveryFilter(
            text=self.cleaned_data["q"].strip(),
            status=DeliveryStatus(status) if status else None,
            channel=Channel(int(channel)) if channel else None,
        )


class LogForm(forms.Form):
    q = forms.CharField(
        label=gettext_lazy("External id or address"), required=False, max_length=500
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"),
        required=False,
        choices=[
            *_ANY,
            (Outcome.TO_SEND.value, gettext_lazy("To send")),
            (Outcome.EXCLUDED.value, gettext_lazy("Excluded")),
        ],
    )
    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[*_ANY, *MessageStatus.choices],
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        required=False,
        choices=[*_ANY, *((each.code, each.label) for each in ExclusionReason)],
    )
    counts = forms.ChoiceField(
        label=gettext_lazy("The reason counts"),
        required=False,
        choices=[
            ("", gettext_lazy("anywhere")),
            ("first", gettext_lazy("only as the first")),
        ],
    )

    @property
    def chosen(self) -> LogFilter:
        """Give the filter of a form that is valid."""
        reason = self.cleaned_data["reason"]
        status = self.cleaned_data["status"]
        return LogFilter(
            outcome=self.cleaned_data["outcome"],
            reason=ExclusionReason[reason.upper()] if reason else None,
            is_first=self.cleaned_data["counts"] == "first",
            text=self.cleaned_data["q"].strip(),
            status=MessageStatus(int(status)) if status else None,
        )


class UploadForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("What the file holds"),
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Says which columns are read, and what is written."),
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV with a header line: comma, semicolon or tab; UTF-8 or UTF-16."
        ),
    )
    is_dry_run = forms.BooleanField(
        label=gettext_lazy("Dry run: only count what would happen"),
        required=False,
        help_text=gettext_lazy("The report comes as usual, and nothing is written."),
    )

    def __init__(self, *args: Any, kinds: list[UploadKind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["kind"])
        field.choices = [(kind.value, kind.label) for kind in kinds]
        if len(kinds) == 1:
            field.initial = kinds[0].value


def _first_cells(file: "UploadedFile[bytes]") -> Iterator[str]:
    for chunk in open_lines(cast(BinaryIO, file.file)).chunks():
        for line in chunk.splitlines():
            cell = line.replace(";", ",").replace("\t", ",").split(",")[0]
            cell = cell.strip().strip('"')
            if any("\ud800" <= letter <= "\udfff" for letter in cell):
                raise AudienceError(_("The file of external ids is not in UTF-8."))
            if cell.lower() != "external_id":
                yield cell
