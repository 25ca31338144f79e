"""Reading what a mail provider reports, one event after the other.

Whose message an event is about is said by the token that we gave the provider with the
message, and that it hands back (`campaign` in its metadata); its recipient is not read.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from delivery.channels.outcomes import cleaned
from delivery.inbound import consequences, feedback, identity, providers, results
from delivery.inbound.identity import Reported
from delivery.inbound.results import Result
from delivery.models import Inbound, InboundState
from optout.models.ledger import ConsentSource
from quarantine import qualification
from quarantine.qualification import Qualification
from quarantine.reasons import Reason, Verdict

METADATA: Final = "campaign"
# anymail's words for what happened, and for why the provider refused to send.
_REJECTED: Final = {"spam": "complained", "unsubscribed": "unsubscribed"}
_BAD_SYNTAX: Final = Qualification(Verdict.HARD, Reason.USER_UNKNOWN, code="5.1.3")


def read(inbound: Inbound, *, now: datetime) -> Result:
    """Read a stored report, event by event; one that cannot be read spoils no other."""
    raw = bytes(inbound.raw or b"")
    if providers.asks_to_confirm(inbound.source, raw):
        return Result(
            InboundState.TRIAGE,
            "subscription",
            _(
                "Amazon SNS asks to confirm a subscription. Open the SubscribeURL in"
                " it, if it is yours."
            ),
        )
    found = [
        _follow(event, inbound, now=now)
        for event in providers.events(inbound.source, raw)
    ]
    return results.of_many(found)


def _follow(event: Any, inbound: Inbound, *, now: datetime) -> Result:
    if event is None:
        return Result(InboundState.FAILED, "other", _("It is no report as we know it."))
    meaning = _meaning(event)
    found = identity.bare(str((event.metadata or {}).get(METADATA) or ""))
    if found.link is None:
        return results.of_stranger(found, meaning)
    with transaction.atomic():
        if meaning in {"unsubscribed", "opt_out"}:
            has_changed = consequences.stopped(
                found.link, source=ConsentSource.API, now=now
            )
            return Result(
                InboundState.APPLIED if has_changed else InboundState.RECORDED,
                "opt_out",
                delivery_id=found.link.delivery_id or None,
                profile_id=found.link.profile_id,
            )
        reported = identity.reported(found.link)
        if reported is None:
            return Result(
                InboundState.RECORDED, meaning, _("No message of it was ever sent.")
            )
        return _about(event, reported, meaning=meaning, inbound=inbound, now=now)


def _about(
    event: Any, reported: Reported, *, meaning: str, inbound: Inbound, now: datetime
) -> Result:
    act = _ACTS.get(meaning)
    if act is None:
        return results.of_message(reported, meaning, has_changed=False)
    if meaning != "complaint" and not reported.is_fresh(now):
        return results.of_message(
            reported, meaning, has_changed=False, note=_("Too late to have an effect.")
        )
    has_changed = act(event, reported, inbound=inbound, now=now)
    result = results.of_message(reported, meaning, has_changed=has_changed)
    is_unclear = meaning == "bounce" and qualified(event).needs_review
    return results.unclear(result) if is_unclear else result


def _bounce(event: Any, reported: Reported, *, inbound: Inbound, now: datetime) -> bool:
    return consequences.bounced(
        reported,
        qualified(event),
        now=now,
        happened_at=_moment(event, reported, now=now),
        note=cleaned(_said(event)),
        inbound=inbound,
    )


def _delivery(
    event: Any, reported: Reported, *, inbound: Inbound, now: datetime
) -> bool:
    at = _moment(event, reported, now=now)
    return consequences.delivered(reported, now=now, happened_at=at, inbound=inbound)


def _complaint(
    event: Any, reported: Reported, *, inbound: Inbound, now: datetime
) -> bool:
    return consequences.complained(
        reported, now=now, note=cleaned(event.description or ""), inbound=inbound
    )


_ACTS: Final[dict[str, Callable[..., bool]]] = {
    "bounce": _bounce,
    "delivered": _delivery,
    "complaint": _complaint,
}


def qualified(event: Any) -> Qualification:
    """Say what a bounce makes of the address, by what the remote server said."""
    if event.reject_reason == "invalid":
        return _BAD_SYNTAX
    return qualification.qualify(_said(event))


def _said(event: Any) -> str:
    return " ".join(filter(None, [event.mta_response, event.description]))


def _meaning(event: Any) -> str:
    kind = str(event.event_type)
    if kind == "rejected":
        kind = _REJECTED.get(str(event.reject_reason), "rejected")
        if event.reject_reason == "invalid":
            kind = "bounced"
    if kind == "complained":
        return _complaint_meaning(event)
    return {
        "bounced": "bounce",
        "deferred": "delayed",
        "autoresponded": "auto_reply",
    }.get(kind, kind)


def _complaint_meaning(event: Any) -> str:
    """Give what a complaint means: of Amazon SES alone its type may say it is none."""
    if "complaintFeedbackType" in str(event.esp_event):
        return feedback.meaning_of(str(event.description or ""))
    return "complaint"


def _moment(event: Any, reported: Reported, *, now: datetime) -> datetime:
    """Give when it happened: never after now, nor before the message was sent."""
    at: datetime = event.timestamp or now
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(min(at, now), min(reported.sent_at or now, now))
