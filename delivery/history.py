"""What happened to a person, each thing in words: the entries of delivery.timeline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery.models import Delivery
from delivery.person_messages import PersonMessage
from delivery.states import MessageStatus
from optout.models import ConsentEvent, ConsentEvidence, Service
from optout.models.ledger import ConsentReason, ConsentSource, Direction
from profiles.models import Address
from profiles.showing import Writer
from quarantine.models import QuarantineEvent
from quarantine.reasons import EXCLUDING, Event, Source, Status

_MESSAGE_TONES = {
    MessageStatus.EXCLUDED: "warn",
    MessageStatus.EXCLUDED_AFTER: "warn",
    MessageStatus.SENT: "good",
    MessageStatus.FAILED: "bad",
    MessageStatus.UNKNOWN: "bad",
    MessageStatus.READY: "info",
}


@dataclass(frozen=True)
class Entry:
    """One thing that happened, in words; `tone` is good, warn, bad, info or empty."""

    at: datetime
    what: str
    details: list[str]
    note: str = ""
    tone: str = ""


def consent_entries(
    events: Sequence[ConsentEvent], *, shows_evidence: bool
) -> list[Entry]:
    """Tell rows of the ledger in words, in their order; in a handful of queries."""
    hashes = {event.evidence_hash for event in events} - {""}
    known = ConsentEvidence.objects.filter(hash__in=hashes if shows_evidence else [])
    evidence = dict(known.values_list("hash", "text"))
    labels = _labels(events)
    services = _services(events)
    return [
        _consent_entry(
            event,
            note=evidence.get(event.evidence_hash, ""),
            label=labels.get(event.delivery_id or 0, ""),
            service=services.get(event.service_id or 0, ""),
        )
        for event in events
    ]


def address_entry(address: Address, *, write: Writer) -> Entry:
    """Tell when an address came; `write` writes it as the reader may see it."""
    what = f"{address.get_channel_display()} {write(address.channel, address.value)}"
    return Entry(address.created_at, _("Address added"), [what], tone="info")


def message_entry(message: PersonMessage, *, write: Writer) -> Entry:
    """Tell what became of a message of a delivery."""
    tries = ngettext("%(count)d attempt", "%(count)d attempts", message.attempt_count)
    details = [
        write(message.delivery.channel, message.address),
        ", ".join(str(reason.label) for reason in message.reasons),
        tries % {"count": message.attempt_count} if message.attempt_count else "",
        message.reply,
    ]
    what = _("Delivery “%(label)s”: %(status)s") % {
        "label": message.delivery.label,
        "status": message.status.label,
    }
    shown = [text for text in details if text]
    return Entry(message.at, what, shown, tone=_MESSAGE_TONES.get(message.status, ""))


def _labels(events: Iterable[ConsentEvent]) -> dict[int, str]:
    ids = {event.delivery_id for event in events if event.delivery_id is not None}
    if not ids:
        return {}
    return dict(Delivery.objects.filter(pk__in=ids).values_list("pk", "label"))


def _services(events: Iterable[ConsentEvent]) -> dict[int, str]:
    ids = {event.service_id for event in events if event.service_id is not None}
    if not ids:
        return {}
    known = dict(Service.objects.filter(pk__in=ids).values_list("pk", "label"))
    return {each: known.get(each, _("a service that is gone")) for each in ids}


def _consent_entry(
    event: ConsentEvent, *, note: str, label: str, service: str
) -> Entry:
    scope = event.get_channel_display() if event.channel is not None else ""
    what, tone = (
        {
            Direction.OUT: (_("Unsubscribed: %(scope)s") % {"scope": service}, "warn"),
            Direction.IN: (_("Subscribed: %(scope)s") % {"scope": service}, "good"),
            Direction.MERGE: (_("Merged with another profile"), "info"),
        }[Direction(event.direction)]
        if service
        else {
            Direction.OUT: (_("Opted out: %(scope)s") % {"scope": scope}, "warn"),
            Direction.IN: (_("Opted in: %(scope)s") % {"scope": scope}, "good"),
            Direction.MERGE: (_("Merged with another profile"), "info"),
        }[Direction(event.direction)]
    )
    details = [
        _merge_of(event),
        str(ConsentSource(event.source).label),
        event.actor,
        str(ConsentReason(event.reason).label) if event.reason else "",
        _("delivery “%(label)s”") % {"label": label} if label else "",
    ]
    return Entry(event.at, what, [text for text in details if text], note, tone)


def _merge_of(event: ConsentEvent) -> str:
    if event.direction != Direction.MERGE:
        return ""
    return _("profile %(old)d into profile %(new)d") % {
        "old": event.profile_id,
        "new": event.other_profile_id or 0,
    }


def quarantine_entry(event: QuarantineEvent, *, value: str) -> Entry:
    """Tell what happened to an address in quarantine."""
    name = Event(event.event).label if event.event in Event.values else event.event
    details = [
        f"{event.get_channel_display()} {value}",
        _status_change(event),
        event.get_reason_display() if event.reason else "",
        str(Source(event.source).label),
        event.actor,
    ]
    return Entry(
        event.at,
        _("Address: %(event)s") % {"event": name},
        [text for text in details if text],
        event.note,
        "bad" if event.to_status in EXCLUDING else "good",
    )


def _status_change(event: QuarantineEvent) -> str:
    new = Status(event.to_status).label if event.to_status is not None else _("none")
    if event.from_status is None:
        return str(new)
    return f"{Status(event.from_status).label} → {new}"
