"""The history of one person, newest first: consent, quarantine, creation, erasure.

One timeline out of the append-only records of several apps, for people to read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from delivery.models import Delivery
from optout.models import ConsentEvent, ConsentEvidence, Service
from optout.models.ledger import ConsentReason, ConsentSource, Direction
from profiles.models import Address, Profile
from profiles.showing import Writer
from quarantine.models import QuarantineEvent
from quarantine.reasons import EXCLUDING, Event, Source, Status

# Of each kind; whoever has more has the newest shown.
LIMIT = 100


@dataclass(frozen=True)
class Entry:
    """One thing that happened, in words; `tone` is good, warn, bad, info or empty."""

    at: datetime
    what: str
    details: list[str]
    note: str = ""
    tone: str = ""


def history_of(
    profile: Profile,
    addresses: Iterable[Address],
    *,
    write: Writer,
    shows_evidence: bool,
) -> list[Entry]:
    """Tell what happened to a profile and its addresses, newest first.

    `write` writes an address as the reader may see it.
    """
    entries = [Entry(profile.created_at, _("Profile created"), [], tone="info")]
    if profile.erased_at is not None:
        entries.append(Entry(profile.erased_at, _("Person erased"), [], tone="bad"))
    entries += _consent(profile, shows_evidence=shows_evidence)
    entries += _quarantine(list(addresses), write)
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _consent(profile: Profile, *, shows_evidence: bool) -> list[Entry]:
    events = list(
        ConsentEvent.objects.filter(profile_id=profile.pk).order_by("-at")[:LIMIT]
    )
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
        str(ConsentSource(event.source).label),
        event.actor,
        str(ConsentReason(event.reason).label) if event.reason else "",
        _("delivery “%(label)s”") % {"label": label} if label else "",
    ]
    return Entry(event.at, what, [text for text in details if text], note, tone)


def _quarantine(addresses: list[Address], write: Writer) -> list[Entry]:
    if not addresses:
        return []
    values = {
        (each.channel, each.digest): write(each.channel, each.value)
        for each in addresses
    }
    is_own = Q()
    for channel, digest in values:
        is_own |= Q(channel=channel, digest=digest)
    events = QuarantineEvent.objects.filter(is_own).order_by("-at")[:LIMIT]
    return [
        _quarantine_entry(event, value=values[event.channel, event.digest])
        for event in events
    ]


def _quarantine_entry(event: QuarantineEvent, *, value: str) -> Entry:
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
