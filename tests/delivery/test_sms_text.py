"""The length of text messages, at the edges of the standard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import sms_text
from delivery.sms_text import SmsLength, measure


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", SmsLength("gsm7", 0, 0)),
        ("a", SmsLength("gsm7", 1, 1)),
        ("a" * 160, SmsLength("gsm7", 160, 1)),
        ("a" * 161, SmsLength("gsm7", 161, 2)),
        ("a" * 306, SmsLength("gsm7", 306, 2)),
        ("a" * 307, SmsLength("gsm7", 307, 3)),
        ("€" * 80, SmsLength("gsm7", 160, 1)),
        ("€" * 80 + "a", SmsLength("gsm7", 161, 2)),
        # 153 is odd: a part holds 76 pairs and one septet stays empty.
        ("€" * 152, SmsLength("gsm7", 304, 2)),
        ("€" * 153, SmsLength("gsm7", 306, 3)),
        ("ж" * 70, SmsLength("ucs2", 70, 1)),
        ("ж" * 71, SmsLength("ucs2", 71, 2)),
        ("ж" * 134, SmsLength("ucs2", 134, 2)),
        ("ж" * 135, SmsLength("ucs2", 135, 3)),
        ("😀" * 35, SmsLength("ucs2", 70, 1)),
        ("😀" * 66, SmsLength("ucs2", 132, 2)),
        # 67 is odd too: 33 pairs to a part.
        ("😀" * 67, SmsLength("ucs2", 134, 3)),
        ("a" * 69 + "ж", SmsLength("ucs2", 70, 1)),
    ],
    ids=lambda value: (
        f"{value[:1]}*{len(value)}" if isinstance(value, str) else str(value.parts)
    ),
)
def test_text_is_measured_as_the_standard_says(text, expected):
    assert measure(text) == expected


def test_alphabet_has_every_code_but_the_escape():
    assert (len(sms_text.BASIC), len(sms_text.EXTENSION)) == (127, 10)


@pytest.mark.parametrize("text", ["ÅÄÖ åäö", "ÆØæø", "ÑÜ§ß", "{[~]}\\|^€\f", "Ç", "Δ"])
def test_alphabet_holds_the_letters_of_the_north_and_the_extension(text):
    assert sms_text.is_gsm(text)


@pytest.mark.parametrize("text", ["ç", "`", "Á", "ê", "“", "’", "…", "\t", "\x1b"])
def test_alphabet_lacks_what_looks_as_if_it_were_in_it(text):
    assert not sms_text.is_gsm(text)


def test_characters_outside_the_alphabet_are_named_once():
    assert sms_text.outside("“Hej” – “du”") == "“”–"


@given(st.text(max_size=400))
def test_parts_hold_all_units_and_waste_at_most_one_each(text):
    length = measure(text)
    room = sms_text.JOINED[length.encoding]

    assert length.units <= max(sms_text.ALONE[length.encoding], length.parts * room)
    if length.parts > 1:
        assert length.units > (length.parts - 1) * (room - 1)
