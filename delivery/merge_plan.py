"""A template as the pieces of its text: what is fixed, what is a plain field, the rest.

Most merge fields are nothing but a field. Those are looked up here, which is many times
as fast as the general way and gives the same text; whatever has a filter, a condition
or a loop is left to the library.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.exceptions import OutputStreamLimitError
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate

from delivery.merge_language import (
    ESCAPED,
    FIELDS,
    LARGEST_OUTPUT,
    LimitedContext,
    LimitedOutput,
)

# Tab and line ends are the only control characters that a text may hold.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
)

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field that is written as it is: `root`, or `root.name`."""

    root: str
    name: str = ""

    def read(self, values: Values) -> str:
        value = values[self.root]
        if self.name:
            # _values() of a rendering: fields of a profile, a delivery or a sender.
            value = value.get(self.name)  # type: ignore[attr-defined]
        return value if isinstance(value, str) else to_liquid_string(value, False)


@dataclass(frozen=True, slots=True)
class Plan:
    """The pieces of one part of a message, in their order."""

    pieces: tuple[str | _Field | Node, ...]
    is_html: bool
    # Whether no piece needs the library.
    is_plain: bool

    def render(self, values: Values, context: LimitedContext | None) -> str:
        """Write the part for one recipient; `context` may be None for a plain plan.

        Raises LiquidError when it asks for too much work, or becomes too large.
        """
        if context is not None:
            # What one part assigns is not there for the next.
            context.locals.clear()
        written = [
            each if isinstance(each, str) else self._written(each, values, context)
            for each in self.pieces
        ]
        text = "".join(written)
        if len(text) > LARGEST_OUTPUT:
            raise OutputStreamLimitError("the message is too large", token=None)
        return text

    def _written(
        self, piece: _Field | Node, values: Values, context: LimitedContext | None
    ) -> str:
        if isinstance(piece, _Field):
            text = piece.read(values)
            text = text.translate(ESCAPED) if self.is_html else text
        else:
            assert context is not None
            buffer = LimitedOutput()
            piece.render(context, buffer)
            text = buffer.getvalue()
        return text if text.isprintable() else _CONTROL.sub("", text)


def plan_of(template: BoundTemplate, *, is_html: bool) -> Plan:
    """Take a parsed template apart."""
    pieces: list[str | _Field | Node] = []
    for node in template.nodes:
        piece = _piece(node)
        if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    is_plain = not any(isinstance(each, Node) for each in pieces)
    return Plan(tuple(pieces), is_html, is_plain)


def _piece(node: Node) -> str | _Field | Node:
    if isinstance(node, ContentNode):
        return _CONTROL.sub("", node.text)
    path = _plain_path(node)
    return node if path is None or ".".join(path) not in FIELDS else _Field(*path)


def _plain_path(node: Node) -> Sequence[str] | None:
    """Give the segments of a field that is written as it is, else None."""
    if not isinstance(node, OutputNode):
        return None
    expression = node.expression
    if isinstance(expression, FilteredExpression):
        if expression.filters:
            return None
        expression = expression.left
    if not isinstance(expression, Path):
        return None
    names = [each for each in expression.path if isinstance(each, str)]
    return names if len(names) == len(expression.path) else None
