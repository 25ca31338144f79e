"""Every field of the console says what it does, or it is known why it need not."""

import importlib
from collections.abc import Iterator

from django.forms import BaseForm

from optout.forms_pages import TextsForm
from optout.page_content import Texts
from tests.source import APPS, app_sources

_FILTER = "narrows a list that stands below it; nothing is changed"
_PERIOD = "says which days a report is about; nothing is changed"
# Fields without a help text, by form or by form and field, with the reason.
EXPLAIN_THEMSELVES = {
    "quarantine.forms.FilterForm": _FILTER,
    "quarantine.forms_incidents.FiguresForm": "is never shown: links choose",
    "delivery.forms.DeliveryListForm": _FILTER,
    "delivery.forms.LogForm": _FILTER,
    "delivery.forms_account.TrailForm": _FILTER,
    "delivery.forms_inbound.InboundFilterForm": _FILTER,
    "delivery.forms_profiles.TimelineForm": _FILTER,
    "delivery.forms_reports.PeriodForm": _PERIOD,
    "delivery.forms_reports.ChannelForm": _PERIOD,
    "delivery.forms_reports.ServiceForm": _PERIOD,
    "delivery.forms_reports.ThroughputForm": _PERIOD,
    "delivery.forms.ConditionForm": "a sentence above the rows tells of all of them",
    "delivery.forms_profiles.EraseForm.confirmation": "names the person, once known",
    **{
        f"optout.forms_brands.BrandForm.{scheme}_{part}": "a sentence stands above all"
        for scheme in ("light", "dark")
        for part in ("text", "background", "button", "button_text")
    },
}


def forms_of_ours() -> list[type[BaseForm]]:
    for source in app_sources():
        if source.path.name.startswith("forms"):
            importlib.import_module(source.name.removesuffix(".py").replace("/", "."))
    return [
        form for form in below(BaseForm) if form.__module__.split(".")[0] in set(APPS)
    ]


def below(form: type[BaseForm]) -> Iterator[type[BaseForm]]:
    for each in form.__subclasses__():
        yield each
        yield from below(each)


def name_of(form: type[BaseForm]) -> str:
    return f"{form.__module__}.{form.__qualname__}"


def bare_fields() -> dict[str, str]:
    """Map each visible field that has no help text to its form."""
    return {
        f"{name_of(form)}.{name}": name_of(form)
        for form in forms_of_ours()
        for name, field in form.base_fields.items()
        if not field.widget.is_hidden and not str(field.help_text).strip()
    }


def test_every_field_says_what_it_does() -> None:
    silent = [
        field
        for field, form in bare_fields().items()
        if field not in EXPLAIN_THEMSELVES and form not in EXPLAIN_THEMSELVES
    ]

    assert silent == []


def test_every_reason_to_say_nothing_is_still_needed() -> None:
    bare = bare_fields()

    assert set(EXPLAIN_THEMSELVES) <= {*bare, *bare.values()}


def test_forms_stand_in_modules_named_forms() -> None:
    strays = [
        name_of(form)
        for form in forms_of_ours()
        if not form.__module__.split(".")[1].startswith("forms")
    ]

    assert strays == []
    assert len(forms_of_ours()) >= 40


def test_help_texts_are_one_or_two_short_sentences() -> None:
    long = {
        f"{name_of(form)}.{name}": len(str(field.help_text))
        for form in forms_of_ours()
        for name, field in form.base_fields.items()
        if len(str(field.help_text)) > 160
    }

    assert long == {}


def test_agreements_that_a_page_was_given_say_what_they_do() -> None:
    form = TextsForm(Texts(), 2)

    assert [form.fields[name].help_text for name in form.agreements] == [
        "What visitors agree to by their tick."
    ] * 2
