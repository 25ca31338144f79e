"""Confirming: the last thing a person says before a delivery is sent.

What is confirmed is exactly what was analysed. Errors of the control rules stop it;
warnings are shown, and in the console ticked off one by one.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from delivery import composing, control_rules, lifecycle
from delivery.content import Content
from delivery.control_rules import Finding, Level
from delivery.lifecycle import DeliveryEvent, LifecycleError
from delivery.link_trial import try_unsubscribe_link
from delivery.missing_values import missing_values
from delivery.models import Delivery


class ConfirmationRefused(Exception):
    """A delivery that cannot be confirmed; the text says why, a sentence each."""


def review(delivery: Delivery) -> list[Finding]:
    """Ask every control rule of a delivery, in the order of their phases.

    Those on content, sender and links; with an analysis also those on the recipients
    to be sent to.
    """
    content = composing.content_of(delivery)
    found = review_content(delivery)
    if content.is_marketing and content.is_email:
        found += try_unsubscribe_link(delivery)
    return sorted(found, key=lambda finding: finding.phase.value)


def review_content(delivery: Delivery) -> list[Finding]:
    """Ask the control rules that need nobody else: all but the trial of the link."""
    content = composing.content_of(delivery)
    return review_written(content) + missing_values(delivery, content)


def review_written(content: Content) -> list[Finding]:
    """Ask the control rules that need no look at the recipients."""
    return control_rules.check_content(
        content,
        base_url=settings.PUBLIC_BASE_URL,
        is_signed=settings.IS_SIGNED_BY_RELAY,
    )


def warnings_once(findings: Sequence[Finding]) -> dict[str, list[str]]:
    """Give the sentences of the warnings by code: each code is ticked off once."""
    by_code: dict[str, list[str]] = {}
    for each in findings:
        if each.level == Level.WARNING:
            by_code.setdefault(each.code, []).append(each.sentence)
    return by_code


def confirm(
    delivery: Delivery,
    *,
    by: str,
    now: datetime,
    accepted: Collection[str] | None = None,
) -> list[Finding]:
    """Confirm a delivery: it is sent when its contact date comes. Gives the warnings.

    `accepted` are the codes of the warnings that somebody ticked off; None takes all
    of them for accepted. Raises ConfirmationRefused.
    """
    check_can_confirm(delivery)
    found = review(delivery)
    errors = [each for each in found if each.level == Level.ERROR]
    warnings = [each for each in found if each.level == Level.WARNING]
    if errors:
        raise ConfirmationRefused("\n".join(each.sentence for each in errors))
    if accepted is not None:
        open_ones = [each for each in warnings if each.code not in accepted]
        if open_ones:
            raise ConfirmationRefused("\n".join(each.sentence for each in open_ones))
    fields = {"confirmed_at": now, "confirmed_by": by, "stop_note": ""}
    if delivery.contact_at is None:
        fields["contact_at"] = now
    try:
        lifecycle.move(delivery, DeliveryEvent.CONFIRM, **fields)
    except LifecycleError as refusal:
        raise ConfirmationRefused(str(refusal)) from refusal
    return warnings


def check_can_confirm(delivery: Delivery) -> None:
    """Raise ConfirmationRefused with a sentence when nobody can confirm it now."""
    try:
        lifecycle.check_can(delivery, DeliveryEvent.CONFIRM)
    except LifecycleError as refusal:
        raise ConfirmationRefused(str(refusal)) from refusal
    current = delivery.current_analysis
    if current is None or current.version != delivery.version:
        raise ConfirmationRefused(
            _(
                "Delivery ‘%(delivery)s’ cannot be confirmed: it changed after the"
                " analysis. Analyse it again."
            )
            % {"delivery": delivery}
        )
    if current.to_send_count == 0:
        raise ConfirmationRefused(
            _(
                "Delivery ‘%(delivery)s’ cannot be confirmed: the analysis left nobody"
                " to send to. See its exclusion log."
            )
            % {"delivery": delivery}
        )


def can_confirm(delivery: Delivery) -> bool:
    """Say whether somebody may confirm a delivery, as far as its analysis goes."""
    try:
        check_can_confirm(delivery)
    except ConfirmationRefused:
        return False
    return True
