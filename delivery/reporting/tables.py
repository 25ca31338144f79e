"""The table of a report: what its page lists, its picture shows and its file holds."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma

from profiles.spreadsheets import spreadsheet_safe

Cell = int | float | str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `url` leads to what it is about."""

    label: str
    cells: Sequence[Cell]
    url: str = ""

    @property
    def texts(self) -> list[str]:
        """Write the cells for people."""
        return [_shown(cell) for cell in self.cells]


@dataclass(frozen=True, slots=True)
class Table:
    """`heading` names what the lines are; a cell of None has nothing to say."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Row]

    @property
    def is_wide(self) -> bool:
        """Say whether it has to be moved sideways to be read."""
        return len(self.columns) > 8

    @property
    def lines(self) -> list[tuple[Row, list[tuple[str, str]]]]:
        """Give each row with its cells as (column, text)."""
        return [
            (row, list(zip(self.columns, row.texts, strict=True))) for row in self.rows
        ]

    def column(self, name: str) -> list[Cell]:
        """Give the cells of one column."""
        place = list(self.columns).index(name)
        return [row.cells[place] for row in self.rows]


def csv_of(table: Table) -> str:
    """Give the table as CSV that a spreadsheet can open safely."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(map(_written, (table.heading, *table.columns)))
    for row in table.rows:
        writer.writerow(map(_written, (row.label, *row.cells)))
    return file.getvalue()


def _shown(cell: Cell) -> str:
    if cell is None:
        return "–"
    return cell if isinstance(cell, str) else str(intcomma(cell))


def _written(cell: Cell) -> str:
    # A negative number is none of the formulas that the guard is about.
    if isinstance(cell, int | float):
        return str(cell)
    return spreadsheet_safe(cell or "")
