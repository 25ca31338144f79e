"""Landing pages as HTML: text is text, boxes stand as they should, brands colour it."""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from optout import logos, page_rendering, pages
from optout.models import LandingPage
from optout.models.pages import PageType
from optout.page_content import (
    PAGE_LANGUAGES,
    Access,
    FieldName,
    OfferedField,
    PageContent,
    Texts,
)
from optout.page_rendering import Visitor
from optout.planned_changes import PersonState, Submission
from profiles.channels import ANY_CHANNEL, Channel
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
KNOWN = PersonState(is_known=True, is_identified=True)
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{7*7}}",
    "{% debug %}",
    "{{ settings.SECRET_KEY }}",
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "</title></style><style>body{display:none}</style>",
    "expression(alert(1))",
    "\u202egnp.exe",
]


class Elements(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        self.text += data

    def named(self, name: str) -> list[dict[str, str]]:
        return [each for _tag, each in self.found if each.get("name") == name]

    def ticked(self, name: str) -> list[str]:
        return [each["value"] for each in self.named(name) if "checked" in each]


def rendered(page: LandingPage, visitor: Visitor = Visitor(), language="en"):  # noqa: B008
    shown = page_rendering.of_content(page, pages.editable_content(page), language)
    return Elements(page_rendering.form(shown, visitor))


def everything(page: LandingPage, visitor: Visitor) -> list[str]:
    shown = page_rendering.of_content(page, pages.editable_content(page), "en")
    return [
        page_rendering.form(shown, visitor),
        page_rendering.confirmation(shown, masked_address=visitor.masked_address),
        page_rendering.failure(shown),
        page_rendering.closed(shown),
    ]


@pytest.fixture
def harmless():
    return [elements_of(each) for each in everything(*written_with("x"))]


def written_with(text: str) -> tuple[LandingPage, Visitor]:
    """Make a page where every text that people write is this one."""
    service = factories.make_service(public_name=text, is_open=True)
    service.texts.update(description=text)
    other = factories.make_service(public_name=text, is_open=True)
    texts = Texts(
        **{each.name: text for each in fields(Texts)[:-1]}, agreements=(text,)
    )
    brand = factories.make_brand(
        name=text,
        sender_name=text,
        postal_address=text,
        contact="hello@example.com",
        privacy_url="https://example.com/privacy",
    )
    page = factories.make_landing_page(
        page_type=PageType.PREFERENCES,
        name=text,
        brand=brand,
        languages={"en": texts},
        services=(service.pk, other.pk),
        fields=(OfferedField(FieldName.CITY), OfferedField(FieldName.LANGUAGE)),
        agreement_count=1,
        access=Access.ANYBODY,
    )
    sent = Submission(address=text, fields={"city": text, "language": text})
    return page, Visitor(
        action="/page/x",
        masked_address=text,
        nonce=text,
        sent=sent,
        faults={"city": text, "agreement-0": text},
    )


def elements_of(html: str) -> list[tuple[str, list[str]]]:
    return [(tag, sorted(attributes)) for tag, attributes in Elements(html).found]


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_of_anybody_is_shown_as_text(attack, harmless):
    for html, expected in zip(everything(*written_with(attack)), harmless, strict=True):
        assert elements_of(html) == expected
        assert attack in Elements(html).text


@pytest.mark.parametrize("attack", ATTACKS)
def test_link_of_a_brand_leads_to_a_page_or_a_mailbox(attack):
    page, visitor = written_with("x")
    page.brand.contact = attack

    links = [
        attributes["href"]
        for html in everything(page, visitor)
        for tag, attributes in Elements(html).found
        if tag == "a"
    ]

    assert links
    assert all(each.startswith(("https://", "mailto:")) for each in links)


@pytest.mark.parametrize("page_type", PageType)
def test_page_loads_nothing_from_elsewhere(page_type):
    page = factories.make_landing_page(page_type=page_type)
    page.brand.set_logo(logos.read(PNG))

    for html in everything(page, Visitor()):
        found = Elements(html).found
        sources = [each["src"] for _tag, each in found if "src" in each]
        sources += [each["href"] for tag, each in found if tag == "link"]
        assert all(each.startswith(("/", "data:,")) for each in sources)
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", html)


def test_page_with_its_stylesheets_stays_under_14_kilobytes(client: Client):
    services = [factories.make_service(public_name="A name " * 5) for _ in range(10)]
    page = factories.make_landing_page(
        page_type=PageType.PREFERENCES,
        channels=tuple(Channel),
        services=tuple(each.pk for each in services),
        fields=tuple(OfferedField(each) for each in FieldName),
    )
    brand = client.get(f"/brands/{page.brand.pk}-{page.brand.digest}.css")
    with open(finders.find("public/public.css"), "rb") as sheet:
        stylesheets = len(sheet.read()) + len(brand.content)

    for html in everything(page, Visitor()):
        assert len(html.encode()) + stylesheets < 14_000


@pytest.mark.parametrize(
    ("state", "ticked"),
    [
        (KNOWN, ["0", "1"]),
        (replace(KNOWN, opted_out=frozenset({0})), ["1"]),
        (PersonState(is_known=True), []),
        (PersonState(), []),
    ],
    ids=str,
)
def test_channels_are_ticked_as_things_stand(state, ticked):
    page = factories.make_landing_page(page_type=PageType.PREFERENCES)

    html = rendered(page, Visitor(state=state))

    assert html.ticked("channel") == ticked
    assert [each["value"] for each in html.named("shown_channel")] == ["0", "1"]


@pytest.mark.parametrize(
    ("page_type", "is_ticked"),
    [
        (PageType.PREFERENCES, True),
        (PageType.SUBSCRIBE, False),
        (PageType.UNSUBSCRIBE, False),
        (PageType.ACQUISITION, False),
    ],
)
def test_services_are_ticked_on_preferences_only(page_type, is_ticked):
    first, second = factories.make_service(), factories.make_service()
    page = factories.make_landing_page(
        page_type=page_type, services=(first.pk, second.pk)
    )
    state = replace(KNOWN, subscribed=frozenset({first.pk}))

    html = rendered(page, Visitor(state=state))

    assert html.ticked("service") == ([str(first.pk)] if is_ticked else [])
    assert len(html.named("service")) == 2


def test_only_service_needs_no_box():
    service = factories.make_service(public_name="Letters")
    page = factories.make_landing_page(
        page_type=PageType.SUBSCRIBE, services=(service.pk,)
    )

    html = rendered(page)

    assert html.named("service") == [
        {"type": "hidden", "name": "service", "value": str(service.pk)}
    ]
    assert "Letters" in html.text


def test_agreement_is_never_ticked_before_the_visitor_does():
    texts = Texts("T", button="B", confirmation="C", agreements=("I agree", "Me too"))
    page = factories.make_landing_page(
        page_type=PageType.ACQUISITION, languages={"en": texts}, agreement_count=2
    )

    assert rendered(page, Visitor(state=KNOWN)).ticked("agreement") == []
    assert ["required" in each for each in rendered(page).named("agreement")] == [
        True,
        True,
    ]
    again = Visitor(sent=Submission(agreements=frozenset({1})))
    assert rendered(page, again).ticked("agreement") == ["1"]


def test_wrong_input_is_marked_with_its_sentence():
    page = factories.make_landing_page(
        page_type=PageType.ACQUISITION, fields=(OfferedField(FieldName.CITY, True),)
    )
    faults = page_rendering.faults_of(["city", "agreement-0"])

    html = rendered(page, Visitor(state=KNOWN, faults=faults))

    [city] = html.named("city")
    assert (city["aria-invalid"], city["aria-describedby"]) == ("true", "city-wrong")
    assert "Fill in this field." in html.text
    assert html.text.strip().startswith("Error: ")
    assert faults["agreement-0"] == "Tick this box: it does not work without."


def test_denylist_page_has_one_form_with_one_button():
    html = rendered(factories.make_landing_page(), Visitor(state=KNOWN))

    tags = [tag for tag, _attributes in html.found]
    assert (tags.count("form"), tags.count("button")) == (1, 1)
    assert {each["type"] for tag, each in html.found if tag == "input"} == {"hidden"}


def test_strangers_are_asked_for_their_address():
    page = factories.make_landing_page(page_type=PageType.ACQUISITION)

    [address] = rendered(page).named("address")

    assert (address["type"], address["autocomplete"]) == ("email", "email")
    assert rendered(page, Visitor(state=KNOWN)).named("address") == []


def test_sms_service_asks_for_a_telephone_number():
    service = factories.make_service(channel=Channel.SMS)
    page = factories.make_landing_page(
        page_type=PageType.SUBSCRIBE, services=(service.pk,)
    )

    assert rendered(page).named("address")[0]["type"] == "tel"


def test_what_is_known_is_filled_in_for_the_identified_only():
    page = factories.make_landing_page(
        page_type=PageType.ACQUISITION, fields=(OfferedField(FieldName.CITY, True),)
    )
    known = replace(KNOWN, fields={"city": "Umeå"})

    [city] = rendered(page, Visitor(state=known)).named("city")
    assert (city["value"], "required" in city) == ("Umeå", True)
    by_address = Visitor(state=replace(known, is_identified=False))
    assert rendered(page, by_address).named("city")[0]["value"] == ""


def test_opt_out_from_everything_is_told_and_has_its_own_box():
    page = factories.make_landing_page(page_type=PageType.PREFERENCES)
    state = replace(KNOWN, opted_out=frozenset({ANY_CHANNEL}))

    html = rendered(page, Visitor(state=state))

    assert "You are out of everything" in html.text
    assert html.ticked("start_all") == []
    assert rendered(page, Visitor(state=KNOWN)).named("start_all") == []


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
def test_page_names_its_language(language):
    page = factories.make_landing_page(languages={language: Texts(title="Title")})

    assert rendered(page, language=language).found[0] == ("html", {"lang": language})


def test_language_that_is_missing_gives_the_default_one():
    page = factories.make_landing_page()

    assert rendered(page, language="sv").found[0] == ("html", {"lang": "en"})


def test_published_page_keeps_the_names_of_its_services():
    service = factories.make_service(public_name="Letters")
    page = factories.make_landing_page(
        page_type=PageType.UNSUBSCRIBE, services=(service.pk,), is_published=True
    )
    service.texts.update(public_name="Other")

    shown = page_rendering.of_version(page.published_version, "en")

    assert "Letters" in page_rendering.form(shown, Visitor())


def test_deleted_service_is_offered_no_longer():
    services = [factories.make_service(public_name=name) for name in ("One", "Two")]
    page = factories.make_landing_page(
        page_type=PageType.PREFERENCES,
        services=tuple(each.pk for each in services),
        is_published=True,
    )
    services[0].delete()

    shown = page_rendering.of_version(page.published_version, "en")

    assert Elements(page_rendering.form(shown, Visitor())).named("service") == [
        {
            "type": "checkbox",
            "id": f"s{services[1].pk}",
            "name": "service",
            "value": str(services[1].pk),
        }
    ]


def test_content_without_any_text_can_be_shown():
    page = factories.make_landing_page()
    shown = page_rendering.of_content(page, PageContent(), "sv")

    assert "<h1></h1>" in page_rendering.form(shown, Visitor())
