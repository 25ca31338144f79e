"""All that the page of a delivery shows, in a handful of questions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings

from delivery import (
    audiences,
    comparing,
    composing,
    confirming,
    content_html,
    extraction,
    overview,
    proofs,
    responses,
    sending_figures,
    steps,
    waterfall,
)
from delivery.comparing import Comparison
from delivery.content import Content, ContentError
from delivery.control_rules import Finding, Level
from delivery.models import Delivery, Proof
from delivery.overview import Overview
from delivery.responses import Responses
from delivery.sending_figures import SendingFigures
from delivery.states import MessageStatus
from delivery.steps import Standing, Step, Turn
from delivery.waterfall import Waterfall

_TEXT_START: Final = 400  # characters

# The field that a finding is mended in; what is not here, in the whole content.
_FIELDS: Final = {
    "empty_subject": "subject",
    "loud_subject": "subject",
    "risky_subject": "subject",
    "risky_sender": "sender",
    "risky_reply_to": "reply_to",
    "unsubscribe_link_missing_text": "text",
    "sms_too_long": "text",
    "unknown_column": "columns",
    "too_many_columns": "columns",
    "postal_address_missing": "brand",
    "empty_content": "text",
}


@dataclass(frozen=True)
class Written:
    """What a delivery says, in short."""

    content: Content
    sender: str
    text_start: str
    is_cut: bool


@dataclass(frozen=True)
class Found:
    """A finding of a control rule, and where in the content it is mended."""

    finding: Finding
    anchor: str

    @property
    def is_of_the_content(self) -> bool:
        return self.finding.code not in steps.OF_THE_INSTALLATION


@dataclass(frozen=True)
class DeliveryPage:
    """What is known of a delivery, for one person who looks at it."""

    audience: str
    is_open: bool
    overview: Overview
    sending: SendingFigures
    file: extraction.Overview | None
    written: Written
    found: Sequence[Found]
    steps: Sequence[Step]
    turn: Turn
    waterfall: Waterfall | None
    similar: Comparison | None
    earlier: Comparison | None
    responses: Responses | None
    proofs: Sequence[Proof]


def of(
    delivery: Delivery, *, may: Callable[[str], bool], now: datetime
) -> DeliveryPage:
    """Gather what a person sees of a delivery; `may` says whether they have a right."""
    seen = overview.of(delivery, now=now)
    sending = sending_figures.of(delivery, now=now)
    file = extraction.of(delivery)
    content = composing.content_of(delivery)
    findings = _findings(delivery, content)
    each = steps.of(Standing(delivery, seen, findings, sending, file))
    current = seen.current
    return DeliveryPage(
        audience=audiences.describe(delivery.audience),
        is_open=steps.is_open(delivery),
        overview=seen,
        sending=sending,
        file=file,
        written=_written(content),
        found=[Found(finding, _anchor(finding)) for finding in findings],
        steps=each,
        turn=steps.turn_of(each, may),
        waterfall=waterfall.of(current) if current else None,
        similar=comparing.with_similar(
            delivery, current, is_marketing=content.is_marketing
        )
        if current
        else None,
        earlier=comparing.with_earlier(seen.history, current) if current else None,
        responses=responses.of(delivery, sent=sending.count_of(MessageStatus.SENT)),
        proofs=_proofs(delivery) if may("delivery.view_message") else [],
    )


def _findings(delivery: Delivery, content: Content) -> list[Finding]:
    """Ask what can still be mended, errors first; the recipients are not looked at."""
    if not steps.is_open(delivery):
        return []
    found = confirming.review_written(content)
    return sorted(found, key=lambda finding: finding.level != Level.ERROR)


def _written(content: Content) -> Written:
    usual = settings.DEFAULT_SENDER if content.is_email else ""
    text = content.text.strip() or _text_of(content.html)
    return Written(
        content, content.sender or usual, text[:_TEXT_START], len(text) > _TEXT_START
    )


def _text_of(html: str) -> str:
    try:
        return content_html.text_of(content_html.prepared(html))
    except ContentError:
        # The control rules say what is wrong with it.
        return ""


def _anchor(finding: Finding) -> str:
    return f"#id_{_FIELDS[finding.code]}" if finding.code in _FIELDS else ""


def _proofs(delivery: Delivery) -> list[Proof]:
    return list(delivery.proofs.order_by("-pk")[: proofs.MOST])
