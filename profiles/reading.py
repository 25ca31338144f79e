"""Reading the rows of a CSV file that somebody else made.

A bad row fails that row, never the file: every row comes as (line, cells), with as
many cells as the header has, or as a FailedRow that says line, column, reason and
cure. Only a file that cannot be understood at all raises FileError. Nothing is held
in memory but the chunk and the row being read.
"""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias

from django.utils.translation import gettext as _

from profiles.headers import Expected, read_header
from profiles.lines import FileError, LineSource, open_lines, unwritable_file
from profiles.spreadsheets import spreadsheet_safe

__all__ = [
    "Expected",
    "FailedRow",
    "FileError",
    "Progress",
    "Row",
    "RowReader",
    "open_rows",
    "write_report",
]

REPORT_COLUMNS = ("line", "column", "reason", "cure")
Row: TypeAlias = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row that was left out, and how to mend it. Holds no cell: they are personal."""

    line: int
    column: str
    reason: str
    cure: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading of a file, or the writing of its rows, has come."""

    rows: int
    bytes_read: int
    bytes_total: int
    phase: str = "reading"


@contextmanager
def open_rows(source: Path | BinaryIO, expected: Expected) -> Iterator["RowReader"]:
    """Open a file of rows; a stream must be able to seek. Raises FileError."""
    lines = open_lines(source)
    try:
        yield RowReader(lines, expected)
    finally:
        if isinstance(source, Path):
            lines.close()


@contextmanager
def write_report(
    path: Path, *, source: Path | BinaryIO | None = None
) -> Iterator[Callable[[FailedRow], None]]:
    """Open a report of failed rows and give the function that writes one.

    CSV of line, column, reason and cure, made for spreadsheets. Raises FileError, also
    when the report would be written over `source`, the file being read.
    """
    if isinstance(source, Path) and path.exists() and path.samefile(source):
        raise FileError(
            _("The report would overwrite %(file)s. Give it another path.")
            % {"file": source.name}
        )
    with ExitStack() as at_the_end:
        with _sentences_of(path):
            stream = path.open("w", encoding="utf-8", newline="")
            at_the_end.callback(_close, stream, path)
            writer = csv.writer(stream)
            writer.writerow(REPORT_COLUMNS)
            # A full disk is found before anything is imported.
            stream.flush()

        def write(failed: FailedRow) -> None:
            column = spreadsheet_safe(failed.column)
            with _sentences_of(path):
                writer.writerow((failed.line, column, failed.reason, failed.cure))

        yield write


def _close(stream: IO[str], path: Path) -> None:
    with _sentences_of(path):
        stream.close()


@contextmanager
def _sentences_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable_file(path.name, error) from error


class RowReader:
    """The rows of one open file; iterate it once.

    `columns` are the names of the header, trimmed: known fields in lower case, all
    others as they were given, unnamed ones empty.
    """

    def __init__(self, source: LineSource, expected: Expected) -> None:
        self._source = source
        self._pending: list[str] = []  # the lines of the record being read
        self._returned: list[str] = []  # lines to be read again, the last one first
        self._line = 0
        # Rows that a stray quote had swallowed must be complete.
        self._complete_until = 0
        self._is_doubtful = False
        self._fresh = self._fresh_lines()
        header = read_header(self._first_record(), expected, name=source.name)
        self.columns = header.columns
        self._delimiter = header.delimiter

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def bytes_total(self) -> int:
        return self._source.bytes_total

    def progress(self, rows: int, *, phase: str = "reading") -> Progress:
        source = self._source
        return Progress(rows, source.bytes_read, source.bytes_total, phase)

    def __iter__(self) -> Iterator[Row | FailedRow]:
        # A record that ends with the file may give lines back: then once more.
        is_first = True
        while is_first or self._returned:
            is_first = False
            yield from self._rows()

    def _rows(self) -> Iterator[Row | FailedRow]:
        reader = csv.reader(self._lines(), delimiter=self._delimiter, strict=True)
        pending, width = self._pending, len(self.columns)
        while True:
            pending.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield from self._recover(is_large="limit" in str(error))
                continue
            if not cells:
                continue
            line = self._line - len(pending) + 1
            if len(cells) == width and not self._is_doubtful:
                yield line, cells
            else:
                yield self._checked(line, cells)

    def _lines(self) -> Iterator[str]:
        pending, returned = self._pending, self._returned
        while True:
            line = returned.pop() if returned else next(self._fresh, "")
            if not line:
                return
            self._line += 1
            pending.append(line)
            yield line

    def _fresh_lines(self) -> Iterator[str]:
        for chunk in self._source.chunks():
            is_doubtful = _has_doubtful_characters(chunk)
            self._is_doubtful = is_doubtful or (self._is_doubtful and self._is_open)
            yield from io.StringIO(chunk, newline="")

    @property
    def _is_open(self) -> bool:
        return bool(self._pending or self._returned)

    def _first_record(self) -> str:
        text = ""
        for line in self._fresh:
            self._line += 1
            text = (text + line).lstrip()
            if text and (text.count('"') % 2 == 0 or self._line > 10):
                break
        return text

    def _checked(self, line: int, cells: list[str]) -> Row | FailedRow:
        width = len(self.columns)
        if self._is_doubtful:
            for column, cell in zip(self.columns, cells, strict=False):
                if failed := _unreadable_cell(line, column, cell):
                    return failed
        if line <= self._complete_until and len(cells) != width:
            return _open_quote(line)
        if any(cell.strip() for cell in cells[width:]):
            return FailedRow(
                line,
                "",
                _("The row has %(cells)d cells, the header has %(columns)d.")
                % {"cells": len(cells), "columns": width},
                _("Put quotes around a cell that holds the delimiter."),
            )
        return line, cells[:width] + [""] * (width - len(cells))

    def _recover(self, *, is_large: bool) -> Iterator[Row | FailedRow]:
        """Answer for a record that the csv module could not read.

        A single line is read leniently, or fails. Of several, a cell is far too
        large, then its end is searched for; or a stray quote has swallowed good
        rows, then its line fails and the others are read again.
        """
        lines = self._pending[:]
        line = self._line - len(lines) + 1
        is_closed = sum(text.count('"') for text in lines) % 2 == 0
        if len(lines) == 1 and is_closed:
            yield self._too_large(line) if is_large else self._lenient(line)
            return

        too_large = self._too_large(line)
        following = lines[1:] or self._read_ahead(20)
        if is_large and not self._look_like_rows(following):
            yield too_large
            self._skip_open_cell(following[len(lines) - 1 :], is_closed=is_closed)
            return
        yield _open_quote(line)
        self._complete_until = line + len(following)
        self._give_back(following)

    def _lenient(self, line: int) -> Row | FailedRow:
        reader = csv.reader(self._pending, delimiter=self._delimiter)
        try:
            return self._checked(line, next(reader))
        except csv.Error:
            return self._too_large(line)

    def _read_ahead(self, count: int) -> list[str]:
        self._pending.clear()
        return list(islice(self._lines(), count))

    def _give_back(self, lines: list[str]) -> None:
        self._returned.extend(reversed(lines))
        self._line -= len(lines)

    def _look_like_rows(self, lines: list[str]) -> bool:
        gaps = len(self.columns) - 1
        complete = sum(
            line.count(self._delimiter) == gaps and line.count('"') % 2 == 0
            for line in lines
        )
        return complete * 2 > len(lines)

    def _skip_open_cell(self, following: list[str], *, is_closed: bool) -> None:
        self._give_back(following)
        if is_closed:
            return
        for line in self._lines():
            self._pending.clear()
            if line.count('"') % 2:
                return

    def _too_large(self, line: int) -> FailedRow:
        limit = csv.field_size_limit()
        cells = "".join(self._pending).split(self._delimiter)
        sizes = [len(cell) > limit for cell in cells[: len(self.columns)]]
        column = self.columns[sizes.index(True)] if any(sizes) else ""
        return FailedRow(
            line,
            column,
            _("A cell holds more than %(limit)d characters.") % {"limit": limit},
            _("Shorten the cell, or close the quote that it opens."),
        )


def _has_doubtful_characters(text: str) -> bool:
    if "\0" in text:
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _unreadable_cell(line: int, column: str, cell: str) -> FailedRow | None:
    if "\0" in cell:
        reason = _("The cell holds a NUL character.")
        return FailedRow(line, column, reason, _("Delete it."))
    try:
        cell.encode()
    except UnicodeEncodeError:
        reason = _("The cell holds bytes that are not in the encoding of the file.")
        cure = _("Save the whole file in UTF-8.")
        return FailedRow(line, column, reason, cure)
    return None


def _open_quote(line: int) -> FailedRow:
    return FailedRow(
        line,
        "",
        _("A quote that is opened here is not closed as it should."),
        _("Close the quote; write a quote inside a quoted cell twice."),
    )
