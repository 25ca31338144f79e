"""What a report is narrowed by: a period, a channel, a service, a delivery."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from delivery import throughput
from delivery.reporting.sections import Choice
from optout.models import Service
from profiles import periods
from profiles.channels import Channel, channel_of
from profiles.periods import MOST_DAYS, Period

EARLIEST: Final = date(2000, 1, 1)
_DATE: Final = forms.DateInput({"type": "date"})


class PeriodForm(forms.Form):
    """The last days, or from one day to another by the console's clock."""

    days = forms.TypedChoiceField(
        label=_("Period"),
        coerce=int,
        choices=[
            (7, _("Last 7 days")),
            (30, _("Last 30 days")),
            (90, _("Last 90 days")),
            (365, _("Last 365 days")),
        ],
        error_messages={
            "invalid_choice": _("There is no such period. Choose one of the list.")
        },
    )
    since = forms.DateField(label=_("Or from"), required=False, widget=_DATE)
    until = forms.DateField(label=_("Until"), required=False, widget=_DATE)

    def __init__(self, query: QueryDict, *, now: datetime, days: int = 30) -> None:
        super().__init__({"days": str(days), **query.dict()})
        self.now = now

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or {}
        first, last = chosen.get("since"), chosen.get("until")
        today = periods.last_days(1, now=self.now).last
        if last and not first and "since" not in self.errors:
            self.add_error("since", _("Choose the first day as well."))
        if first and first < EARLIEST:
            self.add_error("since", _("There is nothing so old. Choose a later day."))
        elif first and first > today:
            self.add_error(
                "since", _("This day is still to come. Choose an earlier one.")
            )
        elif first and last and last < first:
            self.add_error(
                "until", _("The end is before the beginning. Exchange the two.")
            )
        elif first and ((last or today) - first).days >= MOST_DAYS:
            self.add_error("since", _("Choose 366 days at most."))
        return chosen

    @property
    def period(self) -> Period:
        """Give what was chosen; days of the calendar count more than the list."""
        recent = periods.last_days(self.cleaned_data["days"], now=self.now)
        first, last = self.cleaned_data["since"], self.cleaned_data["until"]
        if first is None:
            return recent
        return Period(first, min(last or recent.last, recent.last), recent.zone)

    def choice(self, *, may: Callable[[str], bool]) -> Choice:
        """Give all that was chosen; only after the form was found valid."""
        chosen = self.cleaned_data
        channel = chosen.get("channel")
        return Choice(
            self.period,
            self.now,
            may,
            channel=channel_of(channel) if channel else None,
            service=chosen.get("service"),
            delivery=chosen.get("delivery"),
        )


class ChannelForm(PeriodForm):
    channel = forms.ChoiceField(
        label=_("Channel"),
        required=False,
        choices=[("", _("Any")), *((each.code, each.label) for each in Channel)],
        error_messages={
            "invalid_choice": _("There is no such channel. Choose one of the list.")
        },
    )


class ServiceForm(PeriodForm):
    service = forms.ModelChoiceField(
        label=_("Service"),
        queryset=Service.objects.all(),
        required=False,
        empty_label=_("All services"),
        error_messages={
            "invalid_choice": _("There is no such service. Choose one of the list.")
        },
    )


class ThroughputForm(ChannelForm):
    delivery = forms.ModelChoiceField(
        queryset=throughput.begun(),
        required=False,
        widget=forms.HiddenInput,
        error_messages={
            "invalid_choice": _("No delivery of this number was begun. Choose one.")
        },
    )
