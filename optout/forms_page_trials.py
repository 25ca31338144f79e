"""The form that tries a landing page as one person would use it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from optout.forms_pages import LANGUAGE_CHOICES
from optout.models.pages import PageType
from optout.page_content import PageContent


class DryRunForm(forms.Form):
    """Whose visit is tried, and what they tick and type."""

    external_id = forms.CharField(
        label=_("External id"),
        max_length=200,
        help_text=_("Of the profile whose visit is tried. Nothing is written."),
    )
    page_language = forms.ChoiceField(
        label=_("Language"), help_text=_("In which the page is shown.")
    )
    is_identified = forms.BooleanField(
        label=_("Comes by a link in our message"),
        required=False,
        initial=True,
        help_text=_("Otherwise the person types their address."),
    )

    def __init__(
        self,
        content: PageContent,
        page_type: str,
        data: Any = None,
        *,
        services: Mapping[int, str],
    ) -> None:
        super().__init__(data)
        self.fields["page_language"].choices = [  # type: ignore[attr-defined]
            each for each in LANGUAGE_CHOICES if each[0] in content.languages
        ]
        if page_type != PageType.DENYLIST:
            self._add_boxes(content, services)
            for each in content.fields:
                self.fields[each.name.value] = forms.CharField(
                    label=each.name.label, required=False, max_length=500
                )
        if page_type == PageType.PREFERENCES:
            self.fields["start_all"] = forms.BooleanField(
                label=_("Messages may come again"), required=False
            )

    def _add_boxes(self, content: PageContent, services: Mapping[int, str]) -> None:
        channels = [(int(each), each.label) for each in content.channels]
        names = [(each, services.get(each, each)) for each in content.services]
        if channels:
            self.fields["channel"] = _boxes(_("Ticked channels"), channels)
        if names:
            self.fields["service"] = _boxes(_("Ticked services"), names)


def _boxes(label: Any, choices: Any) -> forms.TypedMultipleChoiceField:
    return forms.TypedMultipleChoiceField(
        label=label,
        choices=choices,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
