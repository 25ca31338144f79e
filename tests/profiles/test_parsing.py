import pytest

from profiles.addresses import parse
from profiles.channels import ANY_CHANNEL, Channel
from profiles.combining import combined
from profiles.parsing import ParsedRow, RowParser
from profiles.reading import FailedRow


def parse_row(**cells: str) -> ParsedRow | FailedRow:
    return RowParser(list(cells)).parse(7, list(cells.values()))


def row(**cells: str) -> ParsedRow:
    parsed = parse_row(**cells)
    assert isinstance(parsed, ParsedRow)
    return parsed


def values(parsed: ParsedRow) -> list[tuple[int, str]]:
    return [(given.channel, given.value) for given in parsed.addresses]


def test_blank_cells_say_nothing() -> None:
    parsed = row(external_id=" C-1 ", first_name="  ", email=" ", colour="\t")
    assert parsed.external_id == "C-1"
    assert not parsed.values
    assert not parsed.attributes
    assert not parsed.addresses


def test_each_address_column_has_its_channel() -> None:
    parsed = row(
        email="a@example.com",
        mobile="+46701740609",
        phone="+46701740610",
        fax="+46701740611",
        push_token="Abc",
    )
    assert values(parsed) == [
        (Channel.EMAIL, "a@example.com"),
        (Channel.SMS, "+46701740609"),
        (Channel.PHONE, "+46701740610"),
        (Channel.FAX, "+46701740611"),
        (Channel.PUSH, "Abc"),
    ]


@pytest.mark.parametrize(
    ("column", "channel", "text"),
    [
        ("email", Channel.EMAIL, " P.1@bücher.EXAMPLE "),
        ("email", Channel.EMAIL, "no-at-sign"),
        ("mobile", Channel.SMS, "070-174 06 09"),
        ("mobile", Channel.SMS, "12"),
        ("push_token", Channel.PUSH, "aB"),
    ],
)
def test_address_is_the_one_that_parse_gives(
    column: str, channel: Channel, text: str
) -> None:
    [given] = row(**{column: text, "country": "se"}).addresses
    expected = parse(channel, text, country="SE")
    assert given.value == expected.value
    assert given.digest == expected.digest.hex
    assert given.domain == expected.domain
    assert given.is_deliverable == expected.is_deliverable


def test_several_addresses_stand_in_a_cell() -> None:
    parsed = row(email=" a@example.com;; b@example.com ;A@example.com;")
    assert values(parsed) == [(0, "a@example.com"), (0, "b@example.com")]


def test_number_is_read_with_the_country_of_the_row() -> None:
    [given] = row(mobile="070-174 06 09", country="SE").addresses
    assert given.digest == parse(Channel.SMS, "+46701740609").digest.hex
    assert not row(mobile="070-174 06 09").addresses[0].is_deliverable


def test_postal_address_is_made_of_its_columns() -> None:
    parsed = row(street="Storg. 1", postcode="111 22", city="Åby", country="se")
    assert values(parsed) == [(Channel.DIRECT_MAIL, "Storg. 1, 111 22 Åby, SE")]
    assert parsed.values["country"] == "SE"


def test_country_alone_is_no_address() -> None:
    assert isinstance(parse_row(country="SE"), FailedRow)
    assert not row(external_id="C-1", country="Sweden").addresses


@pytest.mark.parametrize("cell", ["1", "true", "TRUE", "yes", " Yes "])
def test_yes_opts_out(cell: str) -> None:
    parsed = row(external_id="C-1", no_contact=cell, no_email="")
    assert list(parsed.opt_outs) == [ANY_CHANNEL]
    assert list(parsed.not_opted_out) == [Channel.EMAIL]


@pytest.mark.parametrize("cell", ["0", "false", "No", "", " "])
def test_no_does_not_opt_out(cell: str) -> None:
    parsed = row(external_id="C-1", no_push=cell)
    assert list(parsed.opt_outs) == []
    assert list(parsed.not_opted_out) == [Channel.PUSH]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-31T14:30:00+02:00", "2024-05-31 12:30:00"),
        ("2024-05-31 14:30:00", "2024-05-31 14:30:00"),
        ("2024-05-31T14:30:00Z", "2024-05-31 14:30:00"),
        ("2024-05-31", "2024-05-31 00:00:00"),
        ("2024-05-31T14:30:00.5", "2024-05-31 14:30:00.500000"),
    ],
)
def test_created_at_is_utc_when_it_has_no_offset(text: str, moment: str) -> None:
    assert row(external_id="C-1", created_at=text).created_at == moment


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("no_email", "maybe"),
        ("birth_date", "31/5/1990"),
        ("created_at", "yesterday"),
        ("created_at", "0001-01-01T00:00:00+02:00"),
        ("time_zone", "Europe/Stockholmm"),
        ("external_id", "x" * 201),
        ("first_name", "x" * 201),
        ("email", "x" * 1001),
        ("postcode", "x" * 41),
    ],
)
def test_unreadable_cell_fails_the_row(column: str, cell: str) -> None:
    failed = parse_row(**({"external_id": "C-1"} | {column: cell}))
    assert isinstance(failed, FailedRow)
    assert (failed.line, failed.column) == (7, column)
    assert failed.reason.endswith(".")
    assert failed.cure.endswith(".")


def test_row_without_identity_fails() -> None:
    assert isinstance(parse_row(first_name="Anna", email=" ; "), FailedRow)


def test_good_date_and_time_zone_are_read() -> None:
    parsed = row(external_id="C-1", birth_date="1990-05-31", time_zone="Asia/Tokyo")
    assert parsed.values == {"birth_date": "1990-05-31", "time_zone": "Asia/Tokyo"}


def test_key_is_the_first_email_or_else_the_first_address() -> None:
    parsed = row(mobile="+46701740609", email="b@example.com;a@example.com")
    assert parsed.key is not None
    assert parsed.key.value == "b@example.com"
    alone = row(fax="+46701740609", phone="+46701740610")
    assert alone.key is not None
    assert alone.key.value == "+46701740610"


def test_later_row_wins_and_opt_outs_accumulate() -> None:
    first = row(
        external_id="C-1",
        first_name="Anna",
        city="Åby",
        email="a@example.com",
        no_email="1",
        no_sms="",
        created_at="2020-01-01",
    )
    second = row(
        external_id="C-1",
        first_name="Anne",
        city="",
        email="b@example.com",
        no_email="",
        no_sms="1",
        created_at="2019-01-01",
    )
    both = combined(first, second)
    assert both.values == {"first_name": "Anne", "city": "Åby"}
    assert values(both)[:2] == [(0, "b@example.com"), (0, "a@example.com")]
    assert (list(both.opt_outs), list(both.not_opted_out)) == ([0, 1], [])
    assert both.created_at == "2020-01-01 00:00:00"
