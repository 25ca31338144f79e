"""The pictures of reports, as the numbers that their SVG is drawn of.

All lengths are percents of the picture, so that it is as wide as there is room and
its patterns stay what they are. A series is told apart by pattern, not colour alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from delivery.reporting.tables import Table

MOST_SERIES: Final = 8
# Of the room of a column, the rest is the gap beside it.
_FILLED: Final = 0.8


@dataclass(frozen=True, slots=True)
class Rect:
    """A part of a picture, in percents of its width and height."""

    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Layer:
    """All that one series draws; `number` is that of its pattern, from 1."""

    number: int
    label: str
    rects: Sequence[Rect]


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a picture of bars: its parts, and in words how long it is."""

    label: str
    url: str
    value: str
    parts: Sequence[tuple[int, Rect]]


@dataclass(frozen=True, slots=True)
class Bars:
    """Lying bars, one below the other."""

    title: str
    description: str
    legend: Sequence[tuple[int, str]]
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Columns:
    """Standing columns along time; what is lost hangs below the line at `zero`."""

    title: str
    description: str
    layers: Sequence[Layer]
    ticks: Sequence[str]
    highest: int
    lowest: int
    zero: str

    @property
    def legend(self) -> list[tuple[int, str]]:
        return [(layer.number, layer.label) for layer in self.layers]


@dataclass(frozen=True, slots=True)
class Line:
    """A line along time, as the ends of its pieces."""

    title: str
    description: str
    pieces: Sequence[tuple[str, str, str, str]]
    ticks: Sequence[str]
    highest: int


def bars_of(
    table: Table,
    names: Sequence[str],
    *,
    title: str,
    description: str,
    values: Sequence[str],
    of: Sequence[int] | None = None,
) -> Bars:
    """Draw some columns of a table as bars, each as long as their sum.

    `of` gives what the sum of each line is a share of; then the shares are drawn.
    """
    series = [_numbers(table, name) for name in names]
    lines = list(zip(*series, strict=True)) if series else []
    wholes = [max(whole, 1) for whole in of] if of is not None else [1] * len(lines)
    shares = [
        [number / whole for number in line]
        for line, whole in zip(lines, wholes, strict=True)
    ]
    longest = max(map(sum, shares), default=0) or 1
    return Bars(
        title,
        description,
        list(enumerate(names, start=1)),
        [
            Bar(row.label, row.url, value, _parts([each / longest for each in line]))
            for row, value, line in zip(table.rows, values, shares, strict=True)
        ],
    )


def columns_of(
    table: Table,
    up: Sequence[str],
    down: Sequence[str] = (),
    *,
    title: str,
    description: str,
) -> Columns:
    """Draw some columns of a table along time, one row of it after the other."""
    above = [_numbers(table, name) for name in up]
    below = [_numbers(table, name) for name in down]
    highest = max(map(sum, zip(*above, strict=True)), default=0)
    lowest = max(map(sum, zip(*below, strict=True)), default=0) if below else 0
    whole = max(highest + lowest, 1)
    zero = 100 * highest / whole if highest + lowest else 100.0
    layers = [
        *_stack(above, 100 / whole, zero=zero, is_down=False),
        *_stack(below, 100 / whole, zero=zero, is_down=True),
    ]
    return Columns(
        title,
        description,
        [
            Layer(number, name, rects)
            for number, (name, rects) in enumerate(
                zip([*up, *down], layers, strict=True), start=1
            )
        ],
        ticks_of(table),
        highest,
        lowest,
        _percent(zero),
    )


def line_of(table: Table, name: str, *, title: str, description: str) -> Line:
    """Draw one column of a table along time, as a line."""
    numbers = _numbers(table, name)
    highest = max(numbers, default=0)
    step = 100 / max(len(numbers), 1)
    points = [
        (
            _percent((place + 0.5) * step),
            _percent(98 - 96 * number / max(highest, 1)),
        )
        for place, number in enumerate(numbers)
    ]
    pieces = [
        (*start, *end) for start, end in zip(points, points[1:], strict=False)
    ] or [(*point, *point) for point in points]
    return Line(title, description, pieces, ticks_of(table), highest)


def ticks_of(table: Table) -> list[str]:
    """Give what stands below a picture along time: first, middle and last."""
    labels = [row.label for row in table.rows]
    if len(labels) < 3:
        return labels
    return [labels[0], labels[len(labels) // 2], labels[-1]]


def _numbers(table: Table, name: str) -> list[int]:
    return [int(cell) for cell in table.column(name) if isinstance(cell, int | float)]


def _parts(shares: Sequence[float]) -> list[tuple[int, Rect]]:
    parts, x = [], 0.0
    for number, share in enumerate(shares, start=1):
        if share:
            rect = Rect(_percent(100 * x), "0", _percent(100 * share), "100%")
            parts.append((number, rect))
        x += share
    return parts


def _stack(
    series: Sequence[Sequence[int]], scale: float, *, zero: float, is_down: bool
) -> list[list[Rect]]:
    """Stack the numbers of each place on one another, away from the line."""
    if not series:
        return []
    step = 100 / max(len(series[0]), 1)
    reached = [0] * len(series[0])
    layers = []
    for numbers in series:
        rects = []
        for place, number in enumerate(numbers):
            if not number:
                continue
            height = number * scale
            start = reached[place] * scale
            y = zero + start if is_down else zero - start - height
            rects.append(
                Rect(
                    _percent((place + (1 - _FILLED) / 2) * step),
                    _percent(y),
                    _percent(_FILLED * step),
                    _percent(height),
                )
            )
            reached[place] += number
        layers.append(rects)
    return layers


def _percent(number: float) -> str:
    return f"{round(number, 2):g}%"
