"""The table of a report: what its page lists, its picture shows and its file holds."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import formats

from profiles.spreadsheets import spreadsheet_safe

Cell = int | float | str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `url` leads to what it is about."""

    label: str
    cells: Sequence[Cell]
    url: str = ""


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
        """Give each row with its cells as (column, text), points below each other."""
        places = [_decimals(cells) for cells in zip(*self._cells, strict=True)]
        return [
            (row, list(zip(self.columns, map(shown, row.cells, places), strict=True)))
            for row in self.rows
        ]

    @property
    def _cells(self) -> list[Sequence[Cell]]:
        return [row.cells for row in self.rows]

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


def _decimals(cells: Sequence[Cell]) -> int:
    """Count the decimals of the longest number of a column."""
    return max(
        (len(str(cell).partition(".")[2]) for cell in cells if isinstance(cell, float)),
        default=0,
    )


def shown(cell: Cell, decimals: int = 0) -> str:
    """Write a cell as the language of the reader does."""
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    text = (
        intcomma(cell)
        if isinstance(cell, int)
        else formats.number_format(cell, decimals, force_grouping=True)
    )
    # A hyphen is shorter than the minus, and may stand alone at the end of a line.
    return str(text).replace("-", "−")


def _written(cell: Cell) -> str:
    # A negative number is none of the formulas that the guard is about.
    if isinstance(cell, int | float):
        return str(cell)
    return spreadsheet_safe(cell or "")
