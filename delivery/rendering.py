"""Make the message of each recipient: parse once, render many times."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate

from delivery import content_footer, content_html, merge_language
from delivery.content import Content, ContentError, Recipient, Rendered, RenderingError
from delivery.content_footer import FooterWords
from delivery.content_html import LARGEST_HTML
from delivery.merge_language import HTML, TEXT, Language, LimitedContext
from delivery.merge_plan import Plan, plan_of
from profiles.channels import Channel

LONGEST_SUBJECT_SOURCE: Final = 2_000

# What could turn the words of a subject round, or end its header (RFC 5322, 2.2).
_LINE_ENDS: Final = re.compile("[\x00\t-\r\x85\u2028\u2029]+")
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")


@dataclass(frozen=True)
class CompiledContent:
    """A content that is parsed, for any number of recipients; see `compile_content`."""

    content: Content
    subject: BoundTemplate
    html: BoundTemplate
    text: BoundTemplate
    plans: tuple[Plan, Plan, Plan]
    fields: frozenset[str]
    bare_fields: frozenset[str]
    prepared_html: str = ""

    @property
    def unknown_fields(self) -> frozenset[str]:
        """The fields that no message has; they are always empty."""
        return frozenset(
            each for each in self.fields if not merge_language.is_known(each)
        )

    def render(self, recipient: Recipient) -> Rendered:
        """Make the message of one recipient.

        Values cannot add markup, and end no line of the subject. Raises
        RenderingError when this message asks for too much work, or its HTML has more
        than 102,400 bytes.
        """
        values = self._values(recipient)
        context = self._context(values)
        try:
            subject, html, text = (each.render(values, context) for each in self.plans)
        except (LiquidError, ValueError, ArithmeticError, RecursionError) as error:
            raise RenderingError(_failure(error)) from error
        size = len(html) if html.isascii() else len(html.encode())
        if size > LARGEST_HTML:
            raise RenderingError(content_html.too_large_sentence(size))
        return Rendered(subject=_clean_subject(subject), html=html, text=text)

    def _context(self, values: dict[str, object]) -> LimitedContext | None:
        """Give what the library needs; None where it is not needed."""
        if all(plan.is_plain for plan in self.plans):
            return None
        return LimitedContext(self.text, globals=values)

    def _values(self, recipient: Recipient) -> dict[str, object]:
        """Give what the fields in use may read, and nothing else of the profile."""
        profile = {
            name: recipient.profile.get(name)
            for name in merge_language.PROFILE_FIELDS
            if f"profile.{name}" in self.fields
        }
        attributes = recipient.profile.get("attributes")
        profile["attributes"] = attributes if isinstance(attributes, Mapping) else {}
        return {
            "profile": profile,
            "unsubscribe_url": recipient.unsubscribe_url,
            "preferences_url": recipient.preferences_url,
            "delivery": {"label": self.content.label},
            "sender": {
                "name": self.content.sender_name,
                "postal_address": self.content.postal_address,
            },
        }


def compile_content(
    content: Content, *, words: FooterWords | None = None, language: str = ""
) -> CompiledContent:
    """Parse a content for all of its recipients.

    Takes the words of the footer and the language of the HTML document; without
    them the language in use counts. For email the HTML is prepared, the text made
    when it is empty, and both get the footer that they lack. Raises ContentError.
    """
    if not content.is_email:
        is_sms = content.channel == Channel.SMS
        text = _parsed(content.text, _("SMS text") if is_sms else _("Text"), TEXT)
        return _compiled(content, [_EMPTY_TEXT, _EMPTY_HTML, text])
    words = words or FooterWords(_("Unsubscribe"), _("Choose what you get"))
    subject = _parsed(content.subject, _("Subject"), TEXT, most=LONGEST_SUBJECT_SOURCE)
    prepared = _prepared(content)
    content = replace(content, html=prepared)
    html = _html_source(content, words, language or get_language() or "en")
    source = content.text if content.text.strip() else content_html.text_of(prepared)
    _parsed(source, _("Text"), TEXT)
    source += content_footer.footer_text(content, words, text=source)
    parts = [
        subject,
        merge_language.parse(html, part=_("HTML"), language=HTML),
        merge_language.parse(source, part=_("Text"), language=TEXT),
    ]
    return _compiled(content, parts)


def _prepared(content: Content) -> str:
    """Prepare the HTML; parsed as it was written first, so that lines are its own."""
    _parsed(content.html, _("HTML"), HTML)
    return content_html.prepared(content.html)


def _html_source(content: Content, words: FooterWords, language: str) -> str:
    if not content.html.strip():
        return ""
    fragment = content.html + content_footer.footer_html(content, words)
    return content_html.document(
        fragment, content.label or content.sender_name, language
    )


def _parsed(
    source: str, part: str, language: Language, *, most: int = LARGEST_HTML
) -> BoundTemplate:
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > most:
        raise ContentError(
            _("%(part)s: it has %(size)d bytes, at most %(most)d. Shorten it.")
            % {"part": part, "size": size, "most": most}
        )
    return merge_language.parse(source, part=part, language=language)


def _compiled(content: Content, parts: list[BoundTemplate]) -> CompiledContent:
    subject, html, text = parts
    return CompiledContent(
        content=content,
        subject=subject,
        html=html,
        text=text,
        plans=(
            plan_of(subject, is_html=False),
            plan_of(html, is_html=True),
            plan_of(text, is_html=False),
        ),
        fields=frozenset().union(*map(merge_language.fields_of, parts)),
        bare_fields=frozenset().union(*map(merge_language.bare_fields_of, parts)),
        prepared_html=content.html if content.is_email else "",
    )


def _clean_subject(subject: str) -> str:
    return _TURNING.sub("", _LINE_ENDS.sub(" ", subject)).strip()


def _failure(error: Exception) -> str:
    fact = error.args[0] if isinstance(error, LiquidError) and error.args else ""
    return _(
        "The message cannot be made for this recipient: %(fact)s. Make the merge fields"
        " simpler, or correct the profile."
    ) % {"fact": fact or _("its values do not fit the merge fields")}


_EMPTY_TEXT: Final = merge_language.parse("", part="", language=TEXT)
_EMPTY_HTML: Final = merge_language.parse("", part="", language=HTML)
