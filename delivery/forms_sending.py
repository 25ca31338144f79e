"""Forms of the console for the content and the schedule of a delivery."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy

from delivery.channels.transport import BY_FILE
from delivery.models import Delivery, DeliveryContent
from profiles.channels import Channel


class ContentForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a delivery says; a channel without HTML has only a text."""

    class Meta:
        model = DeliveryContent
        fields = [
            "subject",
            "html",
            "text",
            "columns",
            "sender",
            "reply_to",
            "brand",
            "is_marketing",
            "has_address_in_content",
        ]
        widgets = {
            "html": forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
            "text": forms.Textarea(attrs={"rows": 8}),
            "columns": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        }
        help_texts = {
            "subject": gettext_lazy(
                "What recipients see first. Merge fields are filled for each of them."
            ),
            "html": gettext_lazy(
                "The message, with merge fields such as {{ profile.first_name }} and"
                " {{ unsubscribe_url }}."
            ),
        }

    def __init__(self, *args: object, delivery: Delivery, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name in set(self.fields) - _fields_of(delivery.channel):
            del self.fields[name]
        if delivery.channel in BY_FILE:
            self.fields["text"].help_text = gettext_lazy(
                "A column of the file, merged for each person. Empty: no such column."
            )


def _fields_of(channel: int) -> set[str]:
    """Name what a content of a channel has."""
    if channel in BY_FILE:
        return {"text", "columns"}
    if channel == Channel.EMAIL:
        return set(ContentForm.Meta.fields) - {"columns"}
    return {"text", "is_marketing"}


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    """When a delivery is sent, and until when."""

    days = forms.FloatField(
        label=gettext_lazy("Validity in days"),
        min_value=0.05,
        max_value=30,
        help_text=Delivery._meta.get_field("validity").help_text,
    )

    class Meta:
        model = Delivery
        fields = ["contact_at", "is_in_local_time"]
        widgets = {
            "contact_at": forms.DateTimeInput(
                attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
            )
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["days"].initial = self.instance.validity / timedelta(days=1)

    @property
    def schedule(self) -> dict[str, object]:
        """Give the fields of the delivery that the form says."""
        return {
            "contact_at": self.cleaned_data["contact_at"],
            "is_in_local_time": self.cleaned_data["is_in_local_time"],
            "validity": timedelta(days=self.cleaned_data["days"]),
        }
