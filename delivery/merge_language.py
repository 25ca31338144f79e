"""The language of merge fields: Liquid, with few tags, own filters and hard limits."""

from collections.abc import Iterator
from io import StringIO
from typing import Final, TextIO

from django.utils.translation import gettext as _
from liquid import Environment
from liquid.ast import Node
from liquid.builtin import content as literal
from liquid.builtin import illegal
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags import (
    assign_tag,
    case_tag,
    comment_tag,
    for_tag,
    if_tag,
    unless_tag,
)
from liquid.context import RenderContext
from liquid.exceptions import (
    LiquidError,
    LoopIterationLimitError,
    OutputStreamLimitError,
)
from liquid.expression import Expression
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate

from delivery.content import ContentError
from delivery.merge_filters import FILTERS, Filter, of_text

MOST_ITERATIONS: Final = 1_000
LARGEST_OUTPUT: Final = 200_000
LARGEST_LOCALS: Final = 200_000

PROFILE_FIELDS: Final = frozenset(
    {
        "external_id",
        "first_name",
        "last_name",
        "email",
        "language",
        "country",
        "city",
        "postcode",
        "street",
        "time_zone",
        "birth_date",
    }
)
FIELDS: Final = frozenset(
    {
        *(f"profile.{name}" for name in PROFILE_FIELDS),
        "unsubscribe_url",
        "preferences_url",
        "delivery.label",
        "sender.name",
        "sender.postal_address",
    }
)
ATTRIBUTES: Final = "profile.attributes."
ROOTS: Final = frozenset(field.split(".")[0] for field in FIELDS)

TAGS: Final = (
    literal.Literal,
    illegal.Illegal,
    if_tag.IfTag,
    unless_tag.UnlessTag,
    case_tag.CaseTag,
    for_tag.ForTag,
    assign_tag.AssignTag,
    comment_tag.CommentTag,
)

ESCAPED: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
)


class _EscapingNode(OutputNode):
    """Escapes whatever a field gives, literals of the operator included."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        return buffer.write(to_liquid_string(value, False).translate(ESCAPED))


class _EscapingOutput(Output):
    node_class = _EscapingNode


class LimitedContext(RenderContext):
    """Counts the rounds of all loops of a message together."""

    __slots__ = ("rounds",)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Raise LoopIterationLimitError when the loops of a message go round too often.

        The library limits nested loops only; loops after each other add up as well.
        """
        self.rounds = getattr(self, "rounds", 0) + length
        if self.rounds > MOST_ITERATIONS:
            raise LoopIterationLimitError("loops go round too often", token=None)


class LimitedOutput(StringIO):
    """A buffer that holds at most 200,000 characters."""

    written = 0

    def write(self, text: str, /) -> int:
        self.written += len(text)
        if self.written > LARGEST_OUTPUT:
            raise OutputStreamLimitError("the message is too large", token=None)
        return super().write(text)


class Language(Environment):
    """Liquid for one kind of part: HTML escapes what fields give, text does not."""

    local_namespace_limit = LARGEST_LOCALS

    def __init__(self, *, is_html: bool) -> None:
        self.is_html = is_html
        super().__init__()

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register the tags and filters of the allow-lists, and nothing else."""
        for tag in TAGS:
            self.add_tag(tag)
        self.add_tag(_EscapingOutput if self.is_html else Output)
        self.filters = dict(FILTERS)
        if self.is_html:
            # Everything is escaped once, at the end.
            self.filters["escape"] = _unchanged


_unchanged: Filter = of_text(str)
HTML: Final = Language(is_html=True)
TEXT: Final = Language(is_html=False)


def parse(source: str, *, part: str, language: Language) -> BoundTemplate:
    """Parse what an operator wrote; `part` is its name in the sentence of an error.

    Raises ContentError for a syntax error, an unknown tag or filter, a field's name
    used for something else, or a range that is not of two near numbers.
    """
    try:
        template = language.from_string(source)
        _check_filters(template, part)
        _check_names(template, part)
        _check_ranges(template, part)
    except LiquidError as error:
        raise ContentError(_syntax_sentence(error, source, part)) from error
    except RecursionError as error:
        raise ContentError(_too_deep(part)) from error
    return template


def fields_of(template: BoundTemplate) -> frozenset[str]:
    """Name every field that a template reads, such as `profile.first_name`."""
    found = template.analyze(include_partials=False).globals
    return frozenset(
        ".".join(str(part) for part in variable.segments)
        if all(isinstance(part, str) for part in variable.segments)
        else str(variable)
        for variables in found.values()
        for variable in variables
    )


def bare_fields_of(template: BoundTemplate) -> frozenset[str]:
    """Name the fields that are written, or assigned, without a `default` filter."""
    return frozenset(
        ".".join(str(part) for part in expression.left.path)
        for expression in _expressions(template)
        if isinstance(expression, FilteredExpression)
        and isinstance(expression.left, Path)
        and "default" not in {each.name for each in expression.filters or []}
    )


def is_known(field: str) -> bool:
    """Say whether a merge field is one of those that messages have."""
    if field.startswith(ATTRIBUTES):
        return len(field) > len(ATTRIBUTES) and "[" not in field
    return field in FIELDS


def _nodes(template: BoundTemplate) -> Iterator[Node]:
    context = RenderContext(template)
    waiting = list(template.nodes)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children(context, include_partials=False))


def _expressions(template: BoundTemplate) -> Iterator[Expression]:
    waiting = [each for node in _nodes(template) for each in node.expressions()]
    while waiting:
        expression = waiting.pop()
        yield expression
        waiting.extend(expression.children())


def _check_filters(template: BoundTemplate, part: str) -> None:
    unknown = set(template.analyze(include_partials=False).filters) - set(FILTERS)
    if unknown:
        raise ContentError(
            _("%(part)s: there is no filter “%(name)s”. Use one of these: %(known)s.")
            % {"part": part, "name": min(unknown), "known": ", ".join(sorted(FILTERS))}
        )


def _check_names(template: BoundTemplate, part: str) -> None:
    """A name that hides a field could put another address behind its link."""
    for node in _nodes(template):
        for name in (*node.block_scope(), *node.template_scope()):
            if name in ROOTS:
                raise ContentError(
                    _(
                        "%(part)s: “%(name)s” is the name of a merge field and cannot"
                        " be given another value. Choose another name."
                    )
                    % {"part": part, "name": name}
                )


def _check_ranges(template: BoundTemplate, part: str) -> None:
    for expression in _expressions(template):
        if isinstance(expression, RangeLiteral) and not _is_short(expression):
            raise ContentError(
                _(
                    "%(part)s: the range %(range)s may be long. Write two whole"
                    " numbers at most %(most)d apart."
                )
                % {"part": part, "range": expression, "most": MOST_ITERATIONS}
            )


def _is_short(expression: RangeLiteral) -> bool:
    start, stop = expression.start, expression.stop
    return (
        isinstance(start, IntegerLiteral)
        and isinstance(stop, IntegerLiteral)
        and stop.value - start.value <= MOST_ITERATIONS
    )


def _syntax_sentence(error: LiquidError, source: str, part: str) -> str:
    start = error.token.start_index if error.token else 0
    line = source.count("\n", 0, max(start, 0)) + 1
    fact = str(error.args[0]) if error.args else error.__class__.__name__
    return _(
        "%(part)s, line %(line)d: a merge field cannot be read (%(fact)s). Close each"
        " {{ with }} and each {%% with %%}, end each if, case and for, and use only"
        " the tags that the manual lists."
    ) % {"part": part, "line": line, "fact": fact}


def _too_deep(part: str) -> str:
    return _("%(part)s: merge fields are nested too deeply. Write them simpler.") % {
        "part": part
    }
