"""The footer of a mail: who sends it, from where, and how to stop it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from typing import Final

from delivery.content import Content
from delivery.content_marks import (
    TAG,
    Marked,
    attributes_of,
    conditional_spans,
    mark,
    without_braces,
)

_HIDDEN: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])",
    re.IGNORECASE,
)
_A_FIELD: Final = re.compile(r"\{\{-?\s*([\w.]+)\s*(?:\|[^}]*)?-?\}\}")


@dataclass(frozen=True)
class FooterWords:
    """What the links of the footer say, in the language of the recipients."""

    unsubscribe: str
    preferences: str


def footer_html(content: Content, words: FooterWords) -> str:
    """Give the Liquid source of what the HTML lacks: address lines and links."""
    pieces = []
    if needs_address(content, content.html):
        lines = [content.sender_name, *content.postal_address.splitlines()]
        shown = (without_braces(escape(line.strip())) for line in lines if line.strip())
        pieces.append(f"<p>{'<br>'.join(shown)}</p>")
    links = [
        f'<a href="{{{{ {name} }}}}">{without_braces(escape(word))}</a>'
        for name, word in _links(content, words)
        if not has_link(content.html, name)
    ]
    if links:
        pieces.append(f"<p>{' · '.join(links)}</p>")
    return "\n".join(["", *pieces]) if pieces else ""


def footer_text(content: Content, words: FooterWords, *, text: str) -> str:
    """Give the Liquid source of what a text part lacks: address lines and links."""
    pieces = []
    if needs_address(content, text):
        lines = [content.sender_name, *content.postal_address.splitlines()]
        pieces += [_literal(line.strip()) for line in lines if line.strip()]
    pieces += [
        f"{_literal(word)}: {{{{ {name} }}}}"
        for name, word in _links(content, words)
        if not has_field(text, name)
    ]
    return "\n".join(["\n\n-- ", *pieces]) if pieces else ""


def _links(content: Content, words: FooterWords) -> Iterator[tuple[str, str]]:
    if content.is_marketing:
        yield "unsubscribe_url", words.unsubscribe
        yield "preferences_url", words.preferences


def _literal(text: str) -> str:
    return text.replace("{", '{{ "{" }}')


def needs_address(content: Content, source: str) -> bool:
    """Say whether the footer adds the postal address to a part."""
    if not content.postal_address.strip() or content.has_address_in_content:
        return False
    if has_field(source, "sender.postal_address"):
        return False
    shown = unescape(TAG.sub(" ", source))
    return _words_of(content.postal_address) not in _words_of(shown)


def _words_of(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def has_field(source: str, name: str) -> bool:
    """Say whether a text writes a field for everybody, not only inside an if."""
    marked = mark(source)
    hidden = conditional_spans(marked)
    return any(
        _names(marked.restored(match[0]), name)
        for match in marked.token.finditer(marked.html)
        if not _is_within(match.start(), hidden)
    )


def has_link(source: str, name: str) -> bool:
    """Say whether HTML links to a field, with a text or picture that can be seen.

    A link inside an if does not count: some people would not get it.
    """
    marked = mark(source)
    # What stands in a comment of HTML is nobody's link.
    html = re.sub(r"<!--.*?(?:-->|\Z)", "", marked.html, flags=re.DOTALL)
    seen = Marked(html, marked.prefix, marked.marks)
    hidden = conditional_spans(seen)
    return any(
        _leads_to(seen, tag[0], name) and _is_seen(html, tag)
        for tag in TAG.finditer(html)
        if not _is_within(tag.start(), hidden)
    )


def _leads_to(marked: Marked, tag: str, name: str) -> bool:
    if not re.match(r"<a[\s/]", tag, re.IGNORECASE):
        return False
    attributes = dict(attributes_of(tag))
    if _HIDDEN.search(attributes.get("style", "")):
        return False
    return marked.field_at(attributes.get("href", "").strip()) == name


def _is_seen(html: str, tag: re.Match[str]) -> bool:
    end = re.compile(r"</a\b", re.IGNORECASE).search(html, tag.end())
    label = html[tag.end() : end.start() if end else len(html)]
    has_picture = re.search(r"<img\b", label, re.IGNORECASE) is not None
    return has_picture or bool(unescape(TAG.sub("", label)).strip())


def _names(mark_text: str, name: str) -> bool:
    match = _A_FIELD.fullmatch(mark_text)
    return match is not None and match[1] == name


def _is_within(at: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)
