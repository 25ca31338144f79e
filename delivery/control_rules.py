"""Control rules: what is asked of a content before somebody may confirm it.

Errors stop the confirmation, never the analysis; warnings are shown. Each rule is a
small function of one content, asked in the order of the phases.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery import content_footer, extraction_rows, rendering, sms_text
from delivery.channels.mail import MailError, mailbox
from delivery.content import Content, ContentError
from profiles.channels import Channel

LONGEST_SUBJECT: Final = 255  # characters
MOST_PARTS: Final = 6  # of a text message
_TAGS: Final = re.compile(r"{{.*?}}|{%.*?%}", re.DOTALL)
_LINK_FIELD: Final = re.compile(r"\b(?:unsubscribe|preferences)_url\b")
_PLAIN_LINK: Final = re.compile(r"""href\s*=\s*["']?\s*http://""", re.IGNORECASE)


class Level(TextChoices):
    ERROR = "error", gettext_lazy("Error")
    WARNING = "warning", gettext_lazy("Warning")


class Phase(IntEnum):
    """When a rule can first be asked."""

    TARGETING_START = 1
    TARGETING_END = 2
    PERSONALISATION = 3
    END = 4


@dataclass(frozen=True)
class Finding:
    """What a rule found: its code, how bad it is, and what to do about it."""

    code: str
    level: Level
    sentence: str
    phase: Phase


Rule = Callable[[Content], Iterator[Finding]]


def check_content(content: Content, *, base_url: str, is_signed: bool) -> list[Finding]:
    """Ask every rule of one content, sender and public address included.

    `base_url` is where its links lead; `is_signed` whether the relay signs (DKIM,
    RFC 6376). Gives what was found, in the order of the phases.
    """
    rules = _MAIL if content.is_email else _FILE if content.is_file else _TEXT
    found = [finding for rule in rules for finding in rule(content)]
    if not content.is_file or _LINK_FIELD.search(content.text):
        found += _base_url(base_url)
    if content.is_email and not is_signed:
        found.append(
            _warning(
                "not_signed",
                _(
                    "No DKIM signature is known of: providers distrust unsigned mail."
                    " Have the relay sign, and set IS_SIGNED_BY_RELAY."
                ),
                Phase.END,
            )
        )
    return sorted(found, key=lambda finding: finding.phase)


def _error(code: str, sentence: str, phase: Phase) -> Finding:
    return Finding(code, Level.ERROR, sentence, phase)


def _warning(code: str, sentence: str, phase: Phase) -> Finding:
    return Finding(code, Level.WARNING, sentence, phase)


def _empty(content: Content) -> Iterator[Finding]:
    start = Phase.TARGETING_START
    if content.is_email and not content.subject.strip():
        yield _error("empty_subject", _("The subject is empty. Write one."), start)
    written = f"{content.html}{content.text}" if content.is_email else content.text
    if not written.strip():
        yield _error(
            "empty_content", _("The content is empty. Write what is to be sent."), start
        )


def _empty_push(content: Content) -> Iterator[Finding]:
    """Letters, calls and faxes may be written elsewhere, not notifications."""
    if content.channel == Channel.PUSH:
        yield from _empty(content)


def _columns(content: Content) -> Iterator[Finding]:
    chosen = extraction_rows.chosen_fields(content)
    for field in chosen:
        if not extraction_rows.is_column(field):
            yield _error(
                "unknown_column",
                _(
                    "“%(field)s” cannot be a column. Name a merge field of the profile,"
                    " such as profile.attributes.size."
                )
                % {"field": field},
                Phase.PERSONALISATION,
            )
    if len(chosen) > extraction_rows.MOST_COLUMNS:
        yield _error(
            "too_many_columns",
            _("There are %(count)s chosen columns, at most %(most)s. Leave out some.")
            % {"count": len(chosen), "most": extraction_rows.MOST_COLUMNS},
            Phase.PERSONALISATION,
        )


def _unreadable(content: Content) -> Iterator[Finding]:
    try:
        compiled = rendering.compile_content(content)
    except ContentError as error:
        yield _error("unreadable_content", str(error), Phase.PERSONALISATION)
        return
    for field in sorted(compiled.unknown_fields):
        yield _error(
            "unknown_merge_field",
            _("There is no merge field “%(field)s”. Correct its name.")
            % {"field": field},
            Phase.PERSONALISATION,
        )


def _unsubscribe_link(content: Content) -> Iterator[Finding]:
    """Of marketing: 15 USC 7704(a)(3), ePrivacy directive article 13(2)."""
    if not content.is_marketing:
        return
    name = "unsubscribe_url"
    if content.html.strip() and not _has(content_footer.has_link, content.html, name):
        yield _error(
            "unsubscribe_link_missing_html",
            _(
                "The HTML has no unsubscribe link that everybody sees. Link to"
                " {{ unsubscribe_url }}, outside of any condition."
            ),
            Phase.TARGETING_START,
        )
    if content.text.strip() and not _has(content_footer.has_field, content.text, name):
        yield _error(
            "unsubscribe_link_missing_text",
            _(
                "The text has no unsubscribe link. Write {{ unsubscribe_url }} into"
                " it, outside of any condition."
            ),
            Phase.TARGETING_START,
        )


def _has(question: Callable[[str, str], bool], source: str, name: str) -> bool:
    try:
        return question(source, name)
    except ContentError:
        # Reported as unreadable.
        return True


def _postal_address(content: Content) -> Iterator[Finding]:
    """Of marketing: 15 USC 7704(a)(5)."""
    is_there = content.postal_address.strip() or content.has_address_in_content
    if content.is_marketing and not is_there:
        yield _error(
            "postal_address_missing",
            _(
                "No postal address is known. Give the brand one, or tick that it is in"
                " the content."
            ),
            Phase.TARGETING_START,
        )


def _subject(content: Content) -> Iterator[Finding]:
    subject = content.subject
    start = Phase.TARGETING_START
    if any(_is_risky(each) for each in subject):
        yield _error(
            "risky_subject",
            _("The subject has invisible or control characters. Type it anew."),
            start,
        )
    if len(subject) > LONGEST_SUBJECT:
        yield _error(
            "risky_subject",
            _("The subject has more than %(most)s characters. Shorten it.")
            % {"most": LONGEST_SUBJECT},
            start,
        )
    letters = [each for each in _TAGS.sub("", subject) if each.isalpha()]
    if len(letters) > 5 and all(each.isupper() for each in letters):
        yield _warning(
            "loud_subject",
            _("The subject is in capitals, as junk mail is. Write it as a sentence."),
            start,
        )
    if subject.count("!") > 3:
        yield _warning(
            "loud_subject",
            _("The subject has many exclamation marks, as junk mail. Take some out."),
            start,
        )


def _is_risky(character: str) -> bool:
    """Control characters, and those that turn text round (Unicode TR 36)."""
    return unicodedata.category(character) in {"Cc", "Cs"} or character in (
        "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )


def _mailboxes(content: Content) -> Iterator[Finding]:
    named = (
        ("risky_sender", _("sender"), content.sender),
        ("risky_reply_to", _("reply address"), content.reply_to),
    )
    for code, name, text in named:
        if not text.strip():
            continue
        if any(_is_risky(each) for each in text) or not _is_mailbox(text):
            yield _error(
                code,
                _("The %(name)s is no mailbox. Write Name <name@example.com>.")
                % {"name": name},
                Phase.TARGETING_START,
            )


def _is_mailbox(text: str) -> bool:
    try:
        mailbox(text)
    except MailError:
        return False
    return True


def _plain_links(content: Content) -> Iterator[Finding]:
    count = len(_PLAIN_LINK.findall(content.html))
    if count:
        yield _warning(
            "links_not_https",
            _("%(count)s links in the HTML are not https. Make them so.")
            % {"count": count},
            Phase.END,
        )


def _sms_length(content: Content) -> Iterator[Finding]:
    if content.channel != Channel.SMS:
        return
    length = sms_text.measure(_TAGS.sub("", content.text))
    if length.parts <= 1:
        return
    level = _error if length.parts > MOST_PARTS else _warning
    yield level(
        "sms_too_long",
        _(
            "The text has at least %(units)s characters and goes out in %(parts)s"
            " parts, each of which is paid. Shorten it."
        )
        % {"units": length.units, "parts": length.parts},
        Phase.PERSONALISATION,
    )


def _base_url(base_url: str) -> Iterator[Finding]:
    parts = urlsplit(base_url)
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        yield _error(
            "base_url_not_https",
            _(
                "The public address %(url)s is not https, so providers would not use"
                " the unsubscribe link. Set PUBLIC_BASE_URL."
            )
            % {"url": base_url},
            Phase.END,
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


_MAIL: Final[tuple[Rule, ...]] = (
    _empty,
    _unsubscribe_link,
    _postal_address,
    _subject,
    _mailboxes,
    _unreadable,
    _plain_links,
)
_TEXT: Final[tuple[Rule, ...]] = (_empty, _unreadable, _sms_length)
_FILE: Final[tuple[Rule, ...]] = (_empty_push, _columns, _unreadable)
