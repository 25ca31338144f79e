"""Liquid tags in HTML: taken out before a parser sees them, and put back unharmed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Final

from django.utils.translation import gettext as _

from delivery.content import ContentError

URL_ATTRIBUTES: Final = frozenset({"href", "src"})
LINK_FIELDS: Final = frozenset({"unsubscribe_url", "preferences_url"})

# Each runs to the end of the text when it is not closed: one pass, whatever is written.
_MARK: Final = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)", re.DOTALL)
_TAG_NAME: Final = re.compile(r"\{%-?\s*(\w+)")
_RAW: Final = re.compile(r"\{%-?\s*raw\s*-?%\}\Z")
_END_RAW: Final = re.compile(r"\{%-?\s*endraw\s*-?%\}")
_FIELD: Final = re.compile(r"\{\{-?\s*(\w+)\s*-?\}\}\Z")
_LITERAL_TAGS: Final = frozenset({"raw", "endraw", "doc", "enddoc"})

_ATTRIBUTE: Final = (
    r"[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>\"'][^\s>]*+)?+)?+"
)
TAG: Final = re.compile(rf"</?[a-zA-Z][^\s/>]*+(?:[\s/]++|{_ATTRIBUTE})*+>?")
ATTRIBUTE: Final = re.compile(
    r"([^\s/>][^\s/>=]*+)"
    r"(?:\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s>\"'][^\s>]*+))?+)?+"
)
_PIECE: Final = re.compile(
    rf"(?P<comment><!--.*?(?:-->|\Z))"
    rf"|(?P<style><style\b.*?(?:</style\s*>|\Z))"
    rf"|(?P<tag>{TAG.pattern})",
    re.DOTALL | re.IGNORECASE,
)
_BLOCKS: Final = frozenset({"if", "unless", "case", "for", "comment"})
_SAFE_START: Final = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)


@dataclass
class Marked:
    """HTML with a token in the place of each Liquid tag; see `mark`."""

    html: str
    prefix: str
    marks: list[str] = field(default_factory=list)

    @property
    def token(self) -> re.Pattern[str]:
        return re.compile(rf"{self.prefix}(\d+)z")

    def restored(self, text: str) -> str:
        """Put the Liquid tags back in the place of their tokens."""
        return self.token.sub(self._mark, text)

    def field_at(self, text: str) -> str:
        """Name the one bare field that a text begins with, or give an empty text."""
        match = self.token.match(text)
        named = _FIELD.match(self._mark(match)) if match else None
        return named[1] if named else ""

    def _mark(self, match: re.Match[str]) -> str:
        index = int(match[1])
        return self.marks[index] if index < len(self.marks) else ""


def mark(html: str) -> Marked:
    """Put a token in the place of each Liquid tag; `raw` blocks become plain text.

    Braces inside `raw` become character references, so nothing in them is Liquid.
    Raises ContentError for a tag that is not closed.
    """
    marked = Marked("", _free_prefix(html))
    pieces, at = [], 0
    while match := _MARK.search(html, at):
        pieces.append(html[at : match.start()])
        at = match.end()
        if _RAW.match(match[0]):
            literal, at = _raw_block(html, at)
            pieces.append(literal)
            continue
        _check_mark(match[0])
        pieces.append(f"{marked.prefix}{len(marked.marks)}z")
        marked.marks.append(match[0])
    marked.html = "".join([*pieces, html[at:]])
    return marked


def _free_prefix(html: str) -> str:
    folded, number = html.casefold(), 0
    while f"cmf{number}q" in folded:
        number += 1
    return f"cmf{number}q"


def _raw_block(html: str, at: int) -> tuple[str, int]:
    end = _END_RAW.search(html, at)
    if end is None:
        raise ContentError(_unclosed("{% raw %}"))
    return without_braces(html[at : end.start()]), end.end()


def _check_mark(text: str) -> None:
    if not text.endswith(("}}", "%}")) or len(text) < 4:
        raise ContentError(_unclosed(text))
    name = _TAG_NAME.match(text)
    if name and name[1] in _LITERAL_TAGS:
        raise ContentError(_unclosed(text))


def _unclosed(text: str) -> str:
    return _(
        "HTML: the merge field %(text)s is not closed. Close {{ with }}, {%% with %%}"
        " and raw with endraw."
    ) % {"text": " ".join(text.split())[:40]}


def without_braces(text: str) -> str:
    """Write braces as character references: shown the same, never read as Liquid."""
    return text.replace("{", "&#123;").replace("}", "&#125;")


def as_comments(marked: Marked) -> str:
    """Give the HTML with tokens in comments where text stands.

    A parser keeps comments where they are between the rows of a table, but moves
    text in front of it. Comments of the operator go, save one around one token.
    Raises ContentError for a Liquid tag where it could change what HTML means.
    """
    pieces, at = [], 0
    for piece in _PIECE.finditer(marked.html):
        pieces.append(_commented(marked, marked.html[at : piece.start()]))
        pieces.append(_kept(marked, piece))
        at = piece.end()
    return "".join([*pieces, _commented(marked, marked.html[at:])])


def _commented(marked: Marked, text: str) -> str:
    return marked.token.sub(r"<!--\g<0>-->", text)


def _kept(marked: Marked, piece: re.Match[str]) -> str:
    if piece["comment"]:
        inner = piece[0].removeprefix("<!--").removesuffix("-->").strip()
        return f"<!--{inner}-->" if marked.token.fullmatch(inner) else ""
    if piece["style"]:
        if marked.token.search(piece[0]):
            raise ContentError(_in_style())
        return piece[0]
    check_tag(marked, piece[0])
    return piece[0]


def check_tag(marked: Marked, tag: str) -> None:
    """Refuse Liquid in a tag save inside the value of a harmless attribute.

    Raises ContentError.
    """
    if not marked.token.search(tag):
        return
    name = re.match(r"</?[^\s/>]*", tag)
    assert name is not None
    if marked.token.search(name[0]):
        raise ContentError(_in_name(marked, tag))
    for attribute, value in attributes_of(tag):
        if marked.token.search(attribute):
            raise ContentError(_in_name(marked, tag))
        if not marked.token.search(value):
            continue
        if attribute == "style":
            raise ContentError(_in_style())
        if attribute in URL_ATTRIBUTES:
            _check_url(marked, value)


def attributes_of(tag: str) -> Iterator[tuple[str, str]]:
    """Yield (name in lower case, value as a browser reads it) of a tag's attributes."""
    name = re.match(r"</?[a-zA-Z][^\s/>]*", tag)
    for match in ATTRIBUTE.finditer(tag, name.end() if name else 0):
        yield match[1].lower(), unescape(match[2] or match[3] or match[4] or "")


def _check_url(marked: Marked, value: str) -> None:
    start = value.strip()
    if _SAFE_START.match(start) or marked.field_at(start) in LINK_FIELDS:
        return
    raise ContentError(
        _(
            "HTML: the link %(link)s begins with a merge field. Write https://..."
            " before the field."
        )
        % {"link": marked.restored(start)[:60]}
    )


def _in_name(marked: Marked, tag: str) -> str:
    return _(
        "HTML: in %(tag)s a merge field stands in the name of a tag or attribute. Put"
        " it around the whole tag, or inside the quotes of a value."
    ) % {"tag": marked.restored(tag)[:60]}


def _in_style() -> str:
    return _(
        "HTML: a merge field stands in a style. Write two versions of the element with"
        " if and else around them."
    )


def conditional_spans(marked: Marked) -> list[tuple[int, int]]:
    """List (start, end) of the parts that only some recipients get, or nobody."""
    spans, depth, start = [], 0, 0
    for match in marked.token.finditer(marked.html):
        name = _TAG_NAME.match(marked.restored(match[0]))
        word = name[1] if name else ""
        if word in _BLOCKS:
            start = start if depth else match.start()
            depth += 1
        elif depth and word.removeprefix("end") in _BLOCKS and word[:3] == "end":
            depth -= 1
            if not depth:
                spans.append((start, match.end()))
    return spans
