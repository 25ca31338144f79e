"""Plain fields are looked up by ourselves, and must read as the library writes them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.merge_language import HTML, TEXT, LimitedContext, LimitedOutput, parse
from delivery.merge_plan import plan_of

SOURCES = {
    "field": "Hello {{ profile.first_name }}!",
    "twice": "{{profile.city}}{{ profile.city }} and {{ delivery.label }}",
    "link": '<a href="{{ unsubscribe_url }}">x</a>',
    "date": "{{ profile.birth_date }}",
    "missing": "[{{ profile.street }}]",
    "filter": "{{ profile.first_name | upcase | default: 'you' }}",
    "condition": "{% if profile.city == 'Lund' %}a{% else %}{{ profile.city }}{% endif %}",  # noqa: E501
    "attribute": "{{ profile.attributes.size }} {{ profile.attributes['x y'] }}",
    "assigned": "{% assign a = profile.city %}{{ a }}{{ profile.first_name.size }}",
    "literal": "{{ 'a<b' }}{{ 3 }}",
}
texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)


def written_by_the_library(template, values):
    buffer = LimitedOutput()
    for node in template.nodes:
        node.render(LimitedContext(template, globals=values), buffer)
    return buffer.getvalue()


def values_of(first_name, city):
    return {
        "profile": {
            "first_name": first_name,
            "city": city,
            "birth_date": date(1990, 2, 28),
            "attributes": {"size": 42, "x y": "<z>"},
        },
        "unsubscribe_url": "https://example.com/?a=1&b=2",
        "preferences_url": "",
        "delivery": {"label": "Spring & co"},
        "sender": {"name": "", "postal_address": ""},
    }


@pytest.mark.parametrize("language", [HTML, TEXT], ids=["html", "text"])
@pytest.mark.parametrize("name", [each for each in SOURCES if each != "assigned"])
@given(first_name=texts, city=texts)
def test_plan_writes_what_the_library_writes(language, name, first_name, city):
    template = parse(SOURCES[name], part="x", language=language)
    values = values_of(first_name, city)
    plan = plan_of(template, is_html=language is HTML)

    made = plan.render(values, LimitedContext(template, globals=values))

    assert made == without_controls(written_by_the_library(template, values))


def without_controls(text):
    return "".join(
        each
        for each in text
        if each in "\t\n\r" or not ("\x7f" <= each < "\xa0" or each < " ")
        if each not in "\ufffe\uffff"
    )


def test_what_a_part_assigns_is_read_by_it():
    template = parse(SOURCES["assigned"], part="x", language=TEXT)
    values = values_of("Anna", "Lund")
    plan = plan_of(template, is_html=False)

    assert not plan.is_plain
    assert plan.render(values, LimitedContext(template, globals=values)) == "Lund4"


def test_plain_plan_needs_no_library():
    plan = plan_of(parse(SOURCES["twice"], part="x", language=TEXT), is_html=False)

    assert plan.is_plain
    assert plan.render(values_of("A", "Lund"), None) == "LundLund and Spring & co"
