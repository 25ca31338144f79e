import csv
import io

from delivery.reporting import pictures
from delivery.reporting.pictures import Rect
from delivery.reporting.tables import Row, Table, csv_of

TABLE = Table(
    "Day",
    ["Came", "Went"],
    [Row("Mon", [30, 10]), Row("Tue", [0, 0]), Row("Wed", [10, 10])],
)


def test_bars_are_as_long_as_the_sum_of_their_parts():
    picture = pictures.bars_of(
        TABLE,
        ["Came", "Went"],
        title="t",
        description="d",
        values=["40", "0", "20"],
    )

    assert picture.legend == [(1, "Came"), (2, "Went")]
    assert [bar.parts for bar in picture.bars] == [
        [(1, Rect("0%", "0", "75%", "100%")), (2, Rect("75%", "0", "25%", "100%"))],
        [],
        [(1, Rect("0%", "0", "25%", "100%")), (2, Rect("25%", "0", "25%", "100%"))],
    ]


def test_bars_of_shares_are_compared_by_share():
    picture = pictures.bars_of(
        TABLE,
        ["Came"],
        title="t",
        description="d",
        values=["", "", ""],
        of=[300, 0, 50],
    )

    assert [bar.parts for bar in picture.bars] == [
        [(1, Rect("0%", "0", "50%", "100%"))],
        [],
        [(1, Rect("0%", "0", "100%", "100%"))],
    ]


def test_columns_stand_above_the_line_and_hang_below_it():
    picture = pictures.columns_of(TABLE, ["Came"], ["Went"], title="t", description="d")

    assert (picture.highest, picture.lowest, picture.zero) == (30, 10, "75%")
    came, went = picture.layers
    assert came.rects == [
        Rect("3.33%", "0%", "26.67%", "75%"),
        Rect("70%", "50%", "26.67%", "25%"),
    ]
    assert went.rects == [
        Rect("3.33%", "75%", "26.67%", "25%"),
        Rect("70%", "75%", "26.67%", "25%"),
    ]
    assert picture.ticks == ["Mon", "Tue", "Wed"]


def test_columns_of_two_series_are_stacked():
    picture = pictures.columns_of(TABLE, ["Came", "Went"], title="t", description="d")

    assert (picture.highest, picture.lowest) == (40, 0)
    assert [layer.rects[0].y for layer in picture.layers] == ["25%", "0%"]


def test_line_goes_from_middle_to_middle():
    line = pictures.line_of(TABLE, "Came", title="t", description="d")

    assert line.pieces == [
        ("16.67%", "2%", "50%", "98%"),
        ("50%", "98%", "83.33%", "66%"),
    ]


def test_pictures_of_nothing_are_empty():
    empty = Table("Day", ["Came"], [])

    assert pictures.columns_of(empty, ["Came"], title="", description="").highest == 0
    assert pictures.line_of(empty, "Came", title="", description="").pieces == []


def test_file_is_the_table_and_runs_no_formula():
    table = Table(
        "Delivery",
        ["Net", "Share", "When"],
        [Row('=HYPERLINK("x")', [-1200, 1.5, None]), Row("Vår", [0, None, "@now"])],
    )

    assert list(csv.reader(io.StringIO(csv_of(table)))) == [
        ["Delivery", "Net", "Share", "When"],
        ['\'=HYPERLINK("x")', "-1200", "1.5", ""],
        ["Vår", "0", "", "'@now"],
    ]
    assert [text for _name, text in table.lines[0][1]] == ["−1,200", "1.5", "–"]
