"""Every text that people read has a translation that fits it.

Swedish is complete; the other languages have what recipients read.
"""

import re

import polib
import pytest

from campaign import settings as project
from tests.source import ROOT
from tools import marked_strings

LOCALES = sorted(
    code for code, _name in project.LANGUAGES if code != project.LANGUAGE_CODE
)
PLACEHOLDER = re.compile(r"%\(\w+\)[sdfr]|%[sdfr]|\{\w+\}")


@pytest.fixture(scope="module", params=LOCALES)
def locale(request):
    return request.param


@pytest.fixture(scope="module")
def marked(locale):
    return marked_strings.of_locale(locale)


@pytest.fixture(scope="module")
def entries(locale):
    catalogue = polib.pofile(str(ROOT / f"locale/{locale}/LC_MESSAGES/django.po"))
    return {
        (entry.msgctxt or "", entry.msgid): entry
        for entry in catalogue
        if not entry.obsolete
    }


def translations(entry):
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


def test_every_marked_string_is_translated(marked, entries):
    missing = {
        each.id: each.place
        for each in marked
        if each.key not in entries or not all(translations(entries[each.key]))
    }

    assert missing == {}


def test_no_translation_is_a_guess(entries):
    assert [entry.msgid for entry in entries.values() if entry.fuzzy] == []


def test_no_translation_is_left_over(marked, entries):
    keys = {each.key for each in marked}

    assert [msgid for context, msgid in entries if (context, msgid) not in keys] == []


def test_plural_strings_have_both_forms(marked, entries):
    lacking = [
        each.place
        for each in marked
        if each.plural and each.key in entries
        if entries[each.key].msgid_plural != each.plural
        or sorted(entries[each.key].msgstr_plural) != [0, 1]
    ]

    assert lacking == []


def test_translations_keep_the_placeholders(entries):
    wrong = [
        entry.msgid
        for entry in entries.values()
        for translation in translations(entry)
        if translation
        and set(PLACEHOLDER.findall(translation))
        not in [
            set(PLACEHOLDER.findall(original))
            for original in (entry.msgid, entry.msgid_plural or entry.msgid)
        ]
    ]

    assert wrong == []


def test_translations_keep_the_space_and_lines_around_them(entries):
    wrong = [
        entry.msgid
        for entry in entries.values()
        for translation in translations(entry)
        if translation
        and (
            translation.startswith(" ") != entry.msgid.startswith(" ")
            or translation.endswith(" ") != entry.msgid.endswith(" ")
        )
    ]

    assert wrong == []


def test_no_marked_string_is_empty_or_an_f_string(marked):
    assert [each.place for each in marked if not each.id.strip()] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from django.utils.translation import gettext as _\n_('a' 'b')", ("ab", "")),
        ("from django.utils.translation import ngettext\nngettext('a','b',2)", "ab"),
        ("from django.utils import translation\ntranslation.gettext('a')", ("a", "")),
    ],
    ids=["alias", "plural", "module"],
)
def test_marked_strings_are_found_in_python(text, expected):
    [found] = marked_strings.in_python(text, "x.py")

    assert (found.id, found.plural) == tuple(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% translate 'Sign in' %}", ("Sign in", "")),
        ('{% trans "It\'s" as name %}', ("It's", "")),
        ("{% include 'x' with y=_('Cancel') %}", ("Cancel", "")),
        (
            "{% blocktranslate count n=n %}one{% plural %}{{ n }} of"
            " them{% endblocktranslate %}",
            ("one", "%(n)s of them"),
        ),
        (
            "{% blocktranslate trimmed %}\n  Two\n  lines\n{% endblocktranslate %}",
            ("Two lines", ""),
        ),
    ],
    ids=["translate", "as", "argument", "plural", "trimmed"],
)
def test_marked_strings_are_found_in_templates(text, expected):
    [found] = marked_strings.in_template(text, "x.html")

    assert (found.id, found.plural) == expected
