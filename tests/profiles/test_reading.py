import csv
import errno
import io
import tracemalloc
from pathlib import Path

import pytest

from profiles.reading import (
    Expected,
    FailedRow,
    FileError,
    RowReader,
    open_rows,
    write_report,
)

EXPECTED = Expected(known=("key", "name", "note"), required=("key",))
HEADER = b"key,name,note\n"


def read(content: bytes, expected: Expected = EXPECTED) -> list[object]:
    with open_rows(io.BytesIO(content), expected) as rows:
        return list(rows)


def good(content: bytes) -> list[tuple[int, list[str]]]:
    return [row for row in read(content) if isinstance(row, tuple)]


def failed_lines(content: bytes) -> list[int]:
    return [row.line for row in read(content) if isinstance(row, FailedRow)]


def columns(content: bytes, expected: Expected = EXPECTED) -> list[str]:
    with open_rows(io.BytesIO(content), expected) as rows:
        return rows.columns


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semi", "tab"])
def test_delimiter_is_found(delimiter: str) -> None:
    content = "key,name,note\na,b,c\n".replace(",", delimiter).encode()
    assert read(content) == [(2, ["a", "b", "c"])]


def test_delimiter_with_the_most_known_columns_wins() -> None:
    assert columns(b"key;name, first, last, other\n1;2\n")[0] == "key"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_line_ends_are_understood(end: str) -> None:
    content = "key,name,note\na,å,1\n\nb,ö,2\n".replace("\n", end).encode()
    assert read(content) == [(2, ["a", "å", "1"]), (4, ["b", "ö", "2"])]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"],
)
def test_encodings_are_understood(encoding: str) -> None:
    content = "key,name,note\na,Åsa 李 😀,1\n".encode(encoding)
    assert read(content) == [(2, ["a", "Åsa 李 😀", "1"])]


def test_utf_16_with_big_endian_mark_is_understood() -> None:
    content = b"\xfe\xff" + "key,name,note\na,å,1\n".encode("utf-16-be")
    assert read(content) == [(2, ["a", "å", "1"])]


def test_columns_match_in_any_case_and_others_stay_as_given() -> None:
    assert columns(b" KEY ,Name,Favourite Colour,\n") == [
        "key",
        "name",
        "Favourite Colour",
        "",
    ]


def test_mapped_column_becomes_the_field() -> None:
    expected = Expected(known=("key", "name"), mapping={"Kundnr": "key"})
    assert columns(b"kundnr,name\n", expected) == ["key", "name"]


def test_short_row_is_filled_and_long_row_fails_unless_blank() -> None:
    content = HEADER + b"a\nb,1,2, ,\nc,1,2,3\nd,1,2\n"
    assert good(content) == [
        (2, ["a", "", ""]),
        (3, ["b", "1", "2"]),
        (5, ["d", "1", "2"]),
    ]
    assert failed_lines(content) == [4]


def test_blank_lines_are_no_rows() -> None:
    assert read(b"\n\n" + HEADER + b"\n\na,b,c\n\n") == [(6, ["a", "b", "c"])]


def test_quoted_cell_may_hold_lines_delimiters_and_quotes() -> None:
    content = HEADER + b'a,"x, ""y""\nz",1\nb,,\n'
    assert read(content) == [(2, ["a", 'x, "y"\nz', "1"]), (4, ["b", "", ""])]


def test_text_after_a_closing_quote_is_kept() -> None:
    assert read(HEADER + b'a,"Smith" Jr.,1\n') == [(2, ["a", "Smith Jr.", "1"])]


def test_stray_quote_fails_its_line_only() -> None:
    content = HEADER + b'a,"open,1\nb,,2\nc,,3\nd,"D""Arcy",4\ne,,5\n'
    assert failed_lines(content) == [2]
    assert [cells[0] for _, cells in good(content)] == ["b", "c", "d", "e"]
    assert good(content)[2] == (5, ["d", 'D"Arcy', "4"])


def test_stray_quote_in_the_last_lines_fails_its_line_only() -> None:
    content = HEADER + b'a,"open,1\nb,,2\nc,"open,3'
    assert failed_lines(content) == [2, 4]
    assert good(content) == [(3, ["b", "", "2"])]


def test_stray_quote_over_many_lines_fails_its_line_only() -> None:
    content = HEADER + b'a,"open,1\n' + b"b,some text,2\n" * 50_000
    assert failed_lines(content) == [2]
    assert len(good(content)) == 50_000
    assert good(content)[-1][0] == 50_002


def test_incomplete_row_after_a_stray_quote_fails() -> None:
    assert failed_lines(HEADER + b'a,"open,1\nb\nc,,3\n') == [2, 3]


def test_nul_fails_its_row_only() -> None:
    content = HEADER + b"a,b\0c,1\nb,c,2\n"
    [failed] = [row for row in read(content) if isinstance(row, FailedRow)]
    assert (failed.line, failed.column) == (2, "name")
    assert good(content) == [(3, ["b", "c", "2"])]


def test_undecodable_bytes_fail_their_row_only() -> None:
    content = HEADER + "a,Åsa,1\n".encode("latin-1") + "b,Åsa,2\n".encode()
    [failed] = [row for row in read(content) if isinstance(row, FailedRow)]
    assert (failed.line, failed.column) == (2, "name")
    assert good(content) == [(3, ["b", "Åsa", "2"])]


def test_broken_utf_16_fails_its_row_only() -> None:
    content = "key,name,note\na,b,1\nc,X,2\nd,e,3".encode("utf-16-le")
    content = content.replace("X".encode("utf-16-le"), b"\x00\xd8") + b"\0"
    assert failed_lines(content) == [3, 4]
    assert good(content) == [(2, ["a", "b", "1"])]


HUGE = b"y" * 10_000_000
TEXT = b"line of a text\n" * 700_000


@pytest.mark.parametrize(
    "row",
    [
        b"b," + HUGE + b",2\n",
        b'b,"' + HUGE + b'",2\n',
        b'b,"' + HUGE + b'\nmore, or less",2\n',
        b'b,"' + TEXT + b'",2\n',
        b'b,"' + TEXT + HUGE + b'",2\n',
        b"b," + b"y,z" * 1_000_000 + b"\n",
        b'b,"' + b'""' * 5_000_000 + b'",2\n',
    ],
    ids=["plain", "quoted", "two-lines", "text", "text-and-line", "cells", "quotes"],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_huge_cell_fails_its_row_only(row: bytes, end: bytes) -> None:
    content = (HEADER + b"a,b,1\n" + row + b"c,d,3\n").replace(b"\n", end)
    assert failed_lines(content) == [3]
    assert [cells for _, cells in good(content)] == [["a", "b", "1"], ["c", "d", "3"]]


def test_huge_cell_names_its_column() -> None:
    [failed] = read(HEADER + b"b," + HUGE + b",2\n")
    assert isinstance(failed, FailedRow)
    assert failed.column == "name"


def test_huge_cell_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    path.write_bytes(HEADER + b"b," + HUGE * 10 + b",2\nc,d,3\n")
    tracemalloc.start()
    with open_rows(path, EXPECTED) as rows:
        assert len(list(rows)) == 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 15_000_000


def test_rows_do_not_depend_on_where_chunks_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = HEADER + 'a,"Å\r\nb",1\r\nb,"open,2\r\nc,李,3\r\nd,\udcff,4\r\n'.encode(
        "utf-8", "surrogateescape"
    )
    whole = read(content)
    for size in range(1, 40):
        monkeypatch.setattr("profiles.lines.CHUNK_BYTES", size)
        assert read(content) == whole


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n ", "is empty"),
        (b"PK\x03\x04" + bytes(500), "not a text file"),
        (bytes(range(256)) * 20, "not a text file"),
        ("nyckel;å\n1;2\n".encode("latin-1"), "cannot be read"),
        (b"name,note\n1,2\n", "key is missing"),
        (b"key,name,Name\n", "twice"),
        (HUGE, "cannot be read"),
        (b'"key,name\n' + b"x\n" * 20, "wrong header"),
    ],
    ids=["empty", "mark", "zip", "binary", "latin", "column", "twice", "huge", "open"],
)
def test_file_that_cannot_be_understood_is_refused(
    content: bytes, sentence: str
) -> None:
    with pytest.raises(FileError, match=sentence):
        read(content)


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"nosuch": "key"}, "has no column “nosuch”"),
        ({"name": "nosuch"}, "no field “nosuch”"),
        ({"name": "key"}, "twice"),
    ],
    ids=["column", "field", "twice"],
)
def test_wrong_mapping_is_refused(mapping: dict[str, str], sentence: str) -> None:
    expected = Expected(known=("key", "name"), mapping=mapping)
    with pytest.raises(FileError, match=sentence):
        columns(b"key,name\n", expected)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with (
            pytest.raises(FileError, match="Check its path"),
            open_rows(path, EXPECTED),
        ):
            pass


def test_progress_ends_at_the_size_of_the_file() -> None:
    content = HEADER + b"a,b,c\n" * 10
    with open_rows(io.BytesIO(content), EXPECTED) as rows:
        assert isinstance(rows, RowReader)
        list(rows)
        progress = rows.progress(10)
    assert progress.bytes_read == progress.bytes_total == len(content)


def test_report_has_a_line_for_each_failed_row(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    with write_report(path) as report:
        report(FailedRow(7, "=cmd()", "It is bad.", "Mend it, now."))
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert rows == [
        ["line", "column", "reason", "cure"],
        ["7", "'=cmd()", "It is bad.", "Mend it, now."],
    ]


def test_report_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError), write_report(tmp_path / "no" / "report.csv"):
        pass


def test_report_is_never_written_over_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(HEADER)
    with (
        pytest.raises(FileError, match="overwrite people.csv"),
        write_report(tmp_path / "." / "people.csv", source=path),
    ):
        pass
    assert path.read_bytes() == HEADER


class FullDisk(io.StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_report_on_a_full_disk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", lambda *args, **options: FullDisk())
    with (
        pytest.raises(FileError, match="cannot be written: No space left"),
        write_report(Path("report.csv")),
    ):
        pass
