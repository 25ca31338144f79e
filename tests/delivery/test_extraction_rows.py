"""What stands in the rows of a file, and in which order."""

from uuid import UUID

import pytest

from delivery import extraction_rows, postal
from delivery.content import Content
from delivery.control_rules import check_content
from delivery.extraction_rows import RowError
from delivery.models import Attempt
from delivery.states import MessageStatus
from profiles.addresses import parse
from profiles.channels import Channel
from tests.delivery.extraction_stage import (
    handed_over,
    make_file,
    make_person,
    rows_of,
)
from tests.delivery.sending_stage import status_of

LETTER = Content(channel=Channel.DIRECT_MAIL)
NOBODY = UUID(int=0)


@pytest.mark.parametrize(
    ("channel", "own"),
    [
        (
            Channel.DIRECT_MAIL,
            "address_line_1 address_line_2 address_line_3 address_line_4"
            " address_line_5 address_line_6 postcode city country",
        ),
        (Channel.PHONE, "number"),
        (Channel.FAX, "number"),
        (Channel.PUSH, "token"),
    ],
)
def test_columns_of_a_channel(channel, own):
    content = Content(channel=channel, text="Hi", columns="profile.attributes.size")

    assert extraction_rows.header(content) == [
        *("return_code", "external_id", "first_name", "last_name"),
        *own.split(),
        *("language", "attributes.size", "text"),
    ]


def test_column_that_is_there_already_comes_once_and_no_text_has_none():
    content = Content(channel=Channel.PHONE, columns="profile.language\nprofile.city")

    assert extraction_rows.header(content)[4:] == ["number", "language", "city"]


BLOCKS = {
    "SE": ["Box 1", "903 20 Umeå", "SWEDEN"],
    "US": ["Box 1", "Umeå 903 20", "UNITED STATES OF AMERICA"],
    "gb": ["Box 1", "Umeå", "903 20", "UNITED KINGDOM"],
    "Atlantis": ["Box 1", "903 20 Umeå", "ATLANTIS"],
    "": ["Box 1", "903 20 Umeå"],
}


@pytest.mark.parametrize("country", BLOCKS)
def test_address_block_is_in_the_order_of_its_country(country):
    fields = {"street": "Box 1", "postcode": "903 20", "city": "Umeå"}

    assert postal.block({**fields, "country": country}) == BLOCKS[country]


def test_address_block_never_has_more_lines_than_columns():
    fields = {"street": "a\n\nb\r\nc\nd\ne", "postcode": "1", "city": "f"}
    block = postal.block({**fields, "country": "GB"})

    assert block == ["a", "b", "c, d, e", "f", "1", "UNITED KINGDOM"]
    assert len(block) == postal.LINES
    assert postal.block_of("a, b, c, d, e, f, g") == ["a", "b", "c", "d", "e", "f, g"]


def test_letter_goes_to_the_address_that_it_was_made_for():
    fields = {"street": "New 1", "postcode": "1", "city": "Umeå", "country": "SE"}

    cells = extraction_rows.reached_by(
        Channel.DIRECT_MAIL, "Old 2, 2 Lund, SE", NOBODY, fields=fields
    )

    lines = [cells[f"address_line_{number}"] for number in (1, 2, 3)]
    assert lines == ["Old 2", "2 Lund", "SE"]
    assert cells["city"] == cells["postcode"] == ""


def test_number_is_e164():
    parsed = parse(Channel.PHONE, "070-174 06 05", country="SE")

    cells = extraction_rows.reached_by(
        Channel.PHONE, parsed.value, parsed.digest, fields={"country": "SE"}
    )

    assert cells == {"number": "+46701740605"}


@pytest.mark.parametrize("country", ["", "GB"])
def test_number_that_would_be_another_one_now_is_refused(country):
    parsed = parse(Channel.PHONE, "070-174 06 05", country="SE")

    with pytest.raises(RowError, match="Correct the country of the profile"):
        extraction_rows.reached_by(
            Channel.PHONE, parsed.value, parsed.digest, fields={"country": country}
        )


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("-x:token", "'-x:token"),
        ("@home", "'@home"),
        ("+46701740605", "+46701740605"),
        ("+46701740605+1", "'+46701740605+1"),
        ('say "hi", now', '"say ""hi"", now"'),
        ("two\nlines", '"two\nlines"'),
    ],
)
def test_cell_is_no_formula_and_is_quoted(cell, written):
    assert extraction_rows.line([cell, "x"]) == f"{written},x\r\n"


def test_file_begins_with_a_bom_and_has_what_is_known_of_a_person(db):
    person = make_person(
        "A",
        first_name="Åsa",
        last_name="=HYPERLINK(1)",
        language="sv",
        attributes={"size": 38},
    )
    delivery = make_file(
        text="Dear {{ profile.first_name }},\ncome!",
        columns="profile.attributes.size\nprofile.attributes.colour",
    )

    content = handed_over(delivery)

    assert content.startswith(b"\xef\xbb\xbfreturn_code,external_id,")
    assert rows_of(content) == [
        {
            "return_code": f"{delivery.pk}-{person.pk}",
            "external_id": "A",
            "first_name": "Åsa",
            "last_name": "'=HYPERLINK(1)",
            "address_line_1": "Storgatan A",
            "address_line_2": "903 20 Umeå",
            "address_line_3": "SWEDEN",
            "address_line_4": "",
            "address_line_5": "",
            "address_line_6": "",
            "postcode": "903 20",
            "city": "Umeå",
            "country": "SE",
            "language": "sv",
            "attributes.size": "38",
            "attributes.colour": "",
            "text": "Dear Åsa,\ncome!",
        }
    ]


def test_row_that_cannot_be_made_fails_alone(db):
    good = make_person("A")
    bad = make_person("B", country="GB")
    for profile in (good, bad):
        parsed = parse(Channel.PHONE, f"070-174 06 0{profile.pk % 10}", country="SE")
        profile.addresses.create(
            channel=Channel.PHONE, value=parsed.value, digest=parsed.digest
        )

    delivery = make_file(channel=Channel.PHONE)

    assert [row["external_id"] for row in rows_of(handed_over(delivery))] == ["A"]
    assert status_of(delivery, bad) == MessageStatus.FAILED
    assert Attempt.objects.get(profile_id=bad.pk).code == "not_rendered"


def codes(content: Content, base_url: str = "https://c.example.com") -> list[str]:
    found = check_content(content, base_url=base_url, is_signed=False)
    return [finding.code for finding in found]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (LETTER, []),
        (Content(channel=Channel.PHONE, text="Hi"), []),
        (Content(channel=Channel.FAX), []),
        (Content(channel=Channel.PUSH, text="Hi"), []),
        (Content(channel=Channel.PUSH, text=" "), ["empty_content"]),
        (Content(channel=Channel.FAX, text="{% if %}"), ["unreadable_content"]),
        (
            Content(channel=Channel.FAX, text="{{ profile.nick }}"),
            ["unknown_merge_field"],
        ),
        (Content(channel=3, columns="profile.city"), []),
        (Content(channel=3, columns="profile.town"), ["unknown_column"]),
        (Content(channel=3, columns="profile.email"), ["unknown_column"]),
        (Content(channel=3, columns="sender.name"), ["unknown_column"]),
        (
            Content(
                channel=3,
                columns="\n".join(f"profile.attributes.a{n}" for n in range(21)),
            ),
            ["too_many_columns"],
        ),
    ],
)
def test_control_rules_of_files(content, found):
    assert codes(content) == found


def test_public_address_matters_only_where_the_text_links_to_it():
    plain = "http://c.example.com"

    assert codes(LETTER, plain) == []
    linked = Content(channel=Channel.PUSH, text="{{ unsubscribe_url }}")
    assert codes(linked, plain) == ["base_url_not_https"]
