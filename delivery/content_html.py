"""The HTML of a mail: made safe, its styles inlined, and its text part.

What operators paste is not trusted: it may come from any editor or template shop.
"""

import re
from html import escape
from typing import Final

import css_inline
import nh3
from django.utils.translation import gettext as _
from inscriptis import get_text

from delivery import content_marks
from delivery.content import ContentError
from delivery.content_marks import TAG, Marked, attributes_of, mark, without_braces
from delivery.mail_html import (
    ATTRIBUTES,
    DROPPED_WHOLE,
    SCHEMES,
    STYLES,
    TABLE_TAGS,
    TAGS,
)

# Gmail cuts off what is longer, and with it the link at the end.
LARGEST_HTML: Final = 102_400
MOST_PASSES: Final = 6

_SURROGATES: Final = re.compile(r"[\x00\ud800-\udfff]")
_LOADS: Final = re.compile(r"[\\@<]|url\s*\(|expression\s*\(", re.IGNORECASE)
_COMMENT: Final = re.compile(r"<!--(.*?)-->", re.DOTALL)
_STYLE_TAG: Final = re.compile(r"<style\b", re.IGNORECASE)


def prepared(html: str) -> str:
    """Make what an operator wrote a safe fragment; Liquid tags stay as they are.

    Styles are inlined and nothing is loaded; tags, attributes, style properties and
    links keep to allow-lists. Doing it twice changes nothing more. Raises
    ContentError above 102,400 bytes, for a Liquid tag in the name of a tag or
    attribute, and for a link that begins with a merge field.
    """
    fragment = _SURROGATES.sub("", html)
    for _pass in range(MOST_PASSES):
        _check_size(fragment)
        before, fragment = fragment, _prepared_once(fragment)
        if fragment == before:
            return fragment
    raise ContentError(
        _(
            "HTML: tags are nested so that mail programs would read them differently."
            " Close each tag in the order in which it was opened."
        )
    )


def _prepared_once(html: str) -> str:
    marked = mark(html)
    commented = content_marks.as_comments(marked)
    if _STYLE_TAG.search(commented):
        commented = _inlined(commented)
    clean = _cleaner(marked).clean(commented)
    for tag in TAG.finditer(clean):
        content_marks.check_tag(marked, tag[0])
    return marked.restored(without_braces(_without_comments(marked, clean)))


def _check_size(html: str) -> None:
    if len(html.encode()) > LARGEST_HTML:
        raise ContentError(too_large_sentence(len(html.encode())))


def too_large_sentence(size: int) -> str:
    """Say that HTML of a size in bytes is too large, and what to do."""
    return _(
        "HTML: it has %(size)d bytes, and mail programs cut off what is above"
        " %(most)d. Shorten it, and keep pictures out of it."
    ) % {"size": size, "most": LARGEST_HTML}


def _cleaner(marked: Marked) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        clean_content_tags=DROPPED_WHOLE,
        attributes=ATTRIBUTES,
        attribute_filter=_kept_attribute,
        strip_comments=False,
        link_rel=None,
        url_schemes=SCHEMES,
        url_relative=lambda url: _kept_url(marked, url),
        filter_style_properties=STYLES,
    )


def _kept_url(marked: Marked, url: str) -> str | None:
    """Keep links inside the mail, and those that `check_tag` will judge."""
    return url if url.startswith("#") or marked.prefix in url else None


def _kept_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src" and not value.strip().lower().startswith("https://"):
        return None
    if name == "style":
        kept = [each for each in value.split(";") if not _LOADS.search(each)]
        return ";".join(kept)
    return value


def _inlined(html: str) -> str:
    try:
        return css_inline.inline(html, load_remote_stylesheets=False)
    except css_inline.InlineError as error:
        raise ContentError(
            _("HTML: its styles cannot be read (%(fact)s). Correct the style element.")
            % {"fact": error}
        ) from error


def _without_comments(marked: Marked, html: str) -> str:
    return _COMMENT.sub(
        lambda match: match[1] if marked.token.fullmatch(match[1]) else "", html
    )


def document(fragment: str, title: str, language: str) -> str:
    """Wrap a fragment in a whole HTML document; title and language are escaped."""
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n'
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{without_braces(escape(title))}</title>\n</head>\n<body>\n{fragment}\n</body>\n</html>\n"
    )


def text_of(html: str) -> str:
    """Make the text part of prepared HTML, links as “label (url)”, Liquid kept."""
    marked = mark(html)
    text = get_text(_flattened(marked.html))
    lines = (line.strip() for line in text.splitlines())
    literal = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    # A brace that was no Liquid in HTML must not become Liquid in text.
    return marked.restored(literal.replace("{", '{{ "{" }}'))


def _flattened(html: str) -> str:
    """Turn tables into lines, links into label and address, pictures into words."""
    pieces, at, link, label_at = [], 0, "", 0
    for match in TAG.finditer(html):
        pieces.append(html[at : match.start()])
        at = match.end()
        name = re.sub(r"[</>\s].*", "", match[0].lstrip("</"), flags=re.DOTALL).lower()
        attributes = dict(attributes_of(match[0]))
        if name == "a":
            is_end = match[0].startswith("</")
            label = "".join(pieces[label_at:])
            pieces.append(_address(link, label) if is_end else "")
            link, label_at = attributes.get("href", ""), len(pieces)
        elif name == "img":
            pieces.append(escape(attributes.get("alt", "")))
        elif name in TABLE_TAGS:
            pieces.append(" " if name in {"td", "th"} else "<br>")
        else:
            pieces.append(match[0])
    return "".join([*pieces, html[at:]])


def _address(link: str, label: str) -> str:
    shown = link.removeprefix("mailto:").removeprefix("tel:")
    if not shown or shown.startswith("#") or escape(shown) == label.strip():
        return ""
    return f" ({escape(shown)})"
