"""Landing pages as HTML, for visitors and for the preview in the console.

What operators wrote is data: it is escaped, and never compiled as a template. The
inputs are named for optout.planned_changes.Submission: `form` (the nonce),
`shown_language`, `address`, `channel` and `shown_channel`, `service` and
`shown_service`, `agreement`, `start_all`, and the fields of the profile by their names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from optout.models import LandingPage, LandingPageVersion, Service
from optout.models.pages import PageType
from optout.page_content import PAGE_LANGUAGES, FieldName, PageContent, Texts
from optout.page_wording import service_texts
from optout.planned_changes import PersonState, Submission
from profiles.channels import ANY_CHANNEL, TELEPHONE_CHANNELS, Channel

# The purpose of a field, for browsers that fill it in (WCAG 2.2, 1.3.5).
AUTOCOMPLETE: Final = {
    FieldName.FIRST_NAME: "given-name",
    FieldName.LAST_NAME: "family-name",
    FieldName.LANGUAGE: "language",
    FieldName.COUNTRY: "country",
    FieldName.STREET: "street-address",
    FieldName.POSTCODE: "postal-code",
    FieldName.CITY: "address-level2",
    FieldName.BIRTH_DATE: "bday",
}
LONGEST: Final = {
    FieldName.FIRST_NAME: 200,
    FieldName.LAST_NAME: 200,
    FieldName.COUNTRY: 100,
    FieldName.STREET: 500,
    FieldName.POSTCODE: 40,
    FieldName.CITY: 200,
}


@dataclass(frozen=True)
class Visitor:
    """Who looks at a page, and what their last attempt was."""

    action: str = ""
    nonce: str = ""
    masked_address: str = ""
    state: PersonState = field(default_factory=PersonState)
    # Of a page that is shown again: what was sent, and a sentence for each input that
    # is wrong, by its name (`faults_of` gives those of what is lacking).
    sent: Submission | None = None
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Box:
    name: str
    value: str
    label: str
    note: str = ""
    is_ticked: bool = False
    fault: str = ""


@dataclass(frozen=True)
class Input:
    name: str
    label: str
    kind: str
    value: str = ""
    autocomplete: str = ""
    longest: int = 0
    is_mandatory: bool = False
    fault: str = ""
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Shown:
    """A page in one language, with the names that its services have there."""

    page: LandingPage
    content: PageContent
    language: str
    service_texts: Mapping[str, Any]
    channel: Channel

    @property
    def texts(self) -> Texts:
        return self.content.texts_in(self.language)


def of_version(version: LandingPageVersion, language: str) -> Shown:
    """Show a version; a published one with the names that services had then."""
    frozen = None if version.is_draft else version.service_texts
    return of_content(version.page, version.read(), language, frozen=frozen)


def of_content(
    page: LandingPage,
    content: PageContent,
    language: str,
    *,
    frozen: Mapping[str, Any] | None = None,
) -> Shown:
    """Show a content, kept or not, in a language that it has, else in its default."""
    if language not in content.languages:
        language = content.default_language
    services = list(Service.objects.filter(pk__in=content.services))
    names = (frozen or {}).get(language) or service_texts(services, language)
    # What was deleted cannot be subscribed to, whatever the version remembers.
    there = {str(each.pk): names.get(str(each.pk)) for each in services}
    return Shown(
        page,
        content,
        language,
        {key: name for key, name in there.items() if name},
        address_channel(services),
    )


def address_channel(services: Iterable[Service]) -> Channel:
    """Give the channel whose address strangers are asked for."""
    channels = {Channel(each.channel) for each in services}
    only = channels.pop() if len(channels) == 1 else Channel.EMAIL
    return only if only in TELEPHONE_CHANNELS else Channel.EMAIL


def faults_of(lacking: Iterable[str]) -> dict[str, str]:
    """Give the sentence for each name that `planned_changes.lacking` found."""
    return {
        name: _("Tick this box: it does not work without.")
        if name.startswith("agreement-")
        else _("Fill in this field.")
        for name in lacking
    }


def form(shown: Shown, visitor: Visitor) -> str:
    """Write the page with its form and its one button."""
    with translation.override(shown.language):
        return _write(
            "page",
            shown,
            {
                "visitor": visitor,
                "channels": _channels(shown, visitor),
                "services": _services(shown, visitor),
                "only_service": _only_service(shown),
                "is_out_of_all": ANY_CHANNEL in visitor.state.opted_out
                and shown.page.type == PageType.PREFERENCES,
                "inputs": _inputs(shown, visitor),
                "agreements": _agreements(shown, visitor),
            },
        )


def confirmation(
    shown: Shown,
    *,
    masked_address: str = "",
    undo: str = "",
    action: str = "",
    needs_mailbox: bool = False,
    is_late: bool = False,
) -> str:
    """Write what is said after the button was pressed; with a nonce, offer to undo."""
    return _said(
        shown,
        shown.texts.confirmation,
        masked_address=masked_address,
        undo=undo,
        action=action,
        needs_mailbox=needs_mailbox,
        is_late=is_late,
    )


def failure(shown: Shown) -> str:
    """Write what is said when it failed."""
    return _said(shown, shown.texts.error, is_failure=True)


def closed(shown: Shown) -> str:
    """Write what is said while the page is not open."""
    return _said(shown, shown.texts.closed, is_closed=True)


def _said(shown: Shown, text: str, **context: Any) -> str:
    with translation.override(shown.language):
        return _write("page_said", shown, {"text": text, **context})


def _write(name: str, shown: Shown, context: Mapping[str, Any]) -> str:
    return render_to_string(
        f"public/{name}.html",
        {
            "language": shown.language,
            "texts": shown.texts,
            "brand": shown.page.brand,
            "shown": shown,
            **context,
        },
    )


def _channels(shown: Shown, visitor: Visitor) -> list[Box]:
    return [
        Box(
            "channel",
            str(each.value),
            str(each.label),
            is_ticked=_is_channel_on(each, shown, visitor),
        )
        for each in shown.content.channels
        if shown.page.type in {PageType.PREFERENCES, PageType.ACQUISITION}
    ]


def _is_channel_on(channel: Channel, shown: Shown, visitor: Visitor) -> bool:
    if visitor.sent is not None:
        return channel in visitor.sent.channels
    # Nothing is ticked for somebody whose choices are not known.
    if shown.page.type != PageType.PREFERENCES or not visitor.state.is_identified:
        return False
    return channel not in visitor.state.opted_out


def _services(shown: Shown, visitor: Visitor) -> list[Box]:
    if _only_service(shown):
        return []
    ticked: frozenset[int] = frozenset()
    if visitor.sent is not None:
        ticked = visitor.sent.services
    elif shown.page.type == PageType.PREFERENCES and visitor.state.is_identified:
        ticked = visitor.state.subscribed
    return [
        replace(_service_box(shown, service), is_ticked=service in ticked)
        for service in shown.content.services
        if str(service) in shown.service_texts
    ]


def _only_service(shown: Shown) -> Box | None:
    """Give the service that the button itself means: there is no other."""
    of_one = shown.page.type in {PageType.SUBSCRIBE, PageType.UNSUBSCRIBE}
    if not of_one or len(shown.content.services) != 1 or not shown.service_texts:
        return None
    return _service_box(shown, shown.content.services[0])


def _service_box(shown: Shown, service: int) -> Box:
    name, about = shown.service_texts[str(service)]
    return Box("service", str(service), name, about)


def _agreements(shown: Shown, visitor: Visitor) -> list[Box]:
    ticked = visitor.sent.agreements if visitor.sent else frozenset()
    return [
        Box(
            "agreement",
            str(number),
            text,
            is_ticked=number in ticked,
            fault=visitor.faults.get(f"agreement-{number}", ""),
        )
        for number, text in enumerate(
            shown.texts.agreements[: shown.content.agreement_count]
        )
    ]


def _inputs(shown: Shown, visitor: Visitor) -> list[Input]:
    asked = [] if visitor.state.is_identified else [_address_input(shown, visitor)]
    known = visitor.state.fields if visitor.state.is_identified else {}
    values = visitor.sent.fields if visitor.sent is not None else known
    return asked + [
        Input(
            offered.name.value,
            str(offered.name.label),
            _kind(offered.name),
            values.get(offered.name.value, ""),
            AUTOCOMPLETE[offered.name],
            LONGEST.get(offered.name, 0),
            is_mandatory=offered.is_mandatory,
            fault=visitor.faults.get(offered.name.value, ""),
            options=_options(offered.name),
        )
        for offered in shown.content.fields
    ]


def _kind(name: FieldName) -> str:
    kinds = {FieldName.LANGUAGE: "list", FieldName.BIRTH_DATE: "date"}
    return kinds.get(name, "text")


def _options(name: FieldName) -> tuple[tuple[str, str], ...]:
    return tuple(PAGE_LANGUAGES.items()) if name == FieldName.LANGUAGE else ()


def _address_input(shown: Shown, visitor: Visitor) -> Input:
    is_telephone = shown.channel in TELEPHONE_CHANNELS
    return Input(
        "address",
        _("Telephone number") if is_telephone else _("Email address"),
        "tel" if is_telephone else "email",
        visitor.sent.address if visitor.sent else "",
        "tel" if is_telephone else "email",
        320,
        is_mandatory=True,
        fault=visitor.faults.get("address", ""),
    )
