"""The proof of a person's consent: all that the ledger holds of them, to be handed on.

Oldest first, complete, with the wording that was on the page. Two things are checked
while it is made: that each wording is still the one whose hash the ledger keeps, and
that what counts now is what the last row of each channel and service says.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from delivery.models import Delivery
from optout import page_wording
from optout.models import (
    ConsentEvent,
    ConsentEvidence,
    LandingPageVersion,
    OptOut,
    Service,
    Subscription,
)
from optout.models.flags import OPT_OUT_SCOPES
from optout.models.ledger import ConsentReason, ConsentSource, Direction
from profiles.models import Profile
from profiles.spreadsheets import spreadsheet_safe

# Of (channel, service): what a row of the ledger is about.
_Scope = tuple[int | None, int | None]


@dataclass(frozen=True)
class Wording:
    """What a page said, and whether its hash is the one in the ledger."""

    hash: str
    page: str
    language: str
    text: str
    is_verified: bool


@dataclass(frozen=True)
class Row:
    """One row of the ledger in words; empty where it says nothing."""

    number: int
    at: str
    what: str
    direction: str
    source: str
    page: str
    wording_hash: str
    language: str
    delivery: str
    by: str
    reason: str
    address_digest: str
    evidence_hash: str
    evidence: str


@dataclass(frozen=True)
class Standing:
    """What counts now for one channel or service, and whether the ledger agrees."""

    what: str
    is_out: bool
    is_agreed: bool


@dataclass(frozen=True)
class Proof:
    """Everything for one page of paper, or more."""

    profile: Profile
    made_at: datetime
    standing: list[Standing]
    rows: list[Row]
    wordings: list[Wording]

    @property
    def is_sound(self) -> bool:
        return all(each.is_agreed for each in self.standing) and all(
            each.is_verified for each in self.wordings
        )


def of(profile: Profile, *, now: datetime, shows_evidence: bool = True) -> Proof:
    """Gather the proof of one person, in the language at hand.

    `shows_evidence` puts the free text behind each row in, where it was not erased.
    With the ledger of every profile that was merged into this one. A handful of
    queries, however long the ledger is.
    """
    gone = Profile.objects.filter(merged_into=profile).values_list("pk", flat=True)
    ids = [profile.pk, *gone]
    events = list(ConsentEvent.objects.filter(profile_id__in=ids).order_by("pk"))
    names = _names(profile, events)
    versions = _versions(events)
    evidence = _evidence(events) if shows_evidence else {}
    labels = dict(
        Delivery.objects.filter(
            pk__in={event.delivery_id for event in events if event.delivery_id}
        ).values_list("pk", "label")
    )
    return Proof(
        profile,
        now,
        _standing(profile, events, names),
        [
            _row(event, names, versions=versions, evidence=evidence, labels=labels)
            for event in events
        ],
        _wordings(events, versions),
    )


def csv_of(proof: Proof) -> str:
    """Give the rows of a proof as CSV that a spreadsheet can open safely."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(field.name for field in fields(Row))
    for row in proof.rows:
        writer.writerow(spreadsheet_safe(str(cell)) for cell in astuple(row))
    return text.getvalue()


def _row(
    event: ConsentEvent,
    names: Mapping[_Scope, str],
    *,
    versions: Mapping[int, LandingPageVersion],
    evidence: Mapping[str, str],
    labels: Mapping[int, str],
) -> Row:
    version = versions.get(event.landing_page_version_id or 0)
    return Row(
        number=event.pk,
        at=event.at.astimezone(UTC).isoformat(" ", "milliseconds"),
        what=_what(event, names),
        direction=str(Direction(event.direction).label),
        source=str(ConsentSource(event.source).label),
        page=_page_name(version),
        wording_hash=event.wording_hash,
        language=event.language,
        delivery=_delivery(event, labels),
        by=event.actor,
        reason=str(ConsentReason(event.reason).label) if event.reason else "",
        address_digest=str(event.address_digest or ""),
        evidence_hash=event.evidence_hash,
        evidence=evidence.get(event.evidence_hash, ""),
    )


def _what(event: ConsentEvent, names: Mapping[_Scope, str]) -> str:
    if event.direction == Direction.MERGE:
        return _("profile %(old)d into profile %(new)d") % {
            "old": event.profile_id,
            "new": event.other_profile_id or 0,
        }
    return names.get((event.channel, event.service_id), "")


def _delivery(event: ConsentEvent, labels: Mapping[int, str]) -> str:
    if event.delivery_id is None:
        return ""
    label = labels.get(event.delivery_id, _("a delivery that is gone"))
    return f"{event.delivery_id} {label}"


def _page_name(version: LandingPageVersion | None) -> str:
    if version is None:
        return ""
    return _("%(page)s, version %(number)d") % {
        "page": version.page,
        "number": version.number,
    }


def _names(profile: Profile, events: Iterable[ConsentEvent]) -> dict[_Scope, str]:
    """Name every channel, and every service that the ledger or the state mentions."""
    ids = {event.service_id for event in events if event.service_id is not None}
    own = Subscription.objects.filter(profile=profile).values_list("service_id")
    known = Service.objects.filter(Q(pk__in=ids) | Q(pk__in=own))
    services = dict.fromkeys(ids, _("a service that is gone"))
    services |= dict(known.values_list("pk", "label"))
    names: dict[_Scope, str] = {
        (int(channel), None): str(label) for channel, label in OPT_OUT_SCOPES
    }
    return names | {(None, pk): label for pk, label in services.items()}


def _versions(events: Iterable[ConsentEvent]) -> dict[int, LandingPageVersion]:
    ids = {event.landing_page_version_id for event in events} - {None}
    if not ids:
        return {}
    return LandingPageVersion.objects.select_related("page").in_bulk(ids)


def _evidence(events: Iterable[ConsentEvent]) -> dict[str, str]:
    """Find the texts behind the rows; of an erased one, say when that was."""
    hashes = {event.evidence_hash for event in events} - {""}
    found = dict.fromkeys(hashes, _("not kept"))
    for each in ConsentEvidence.objects.filter(hash__in=hashes):
        found[each.hash] = (
            _("erased on %(day)s") % {"day": each.erased_at.date().isoformat()}
            if each.erased_at
            else each.text
        )
    return found


def _wordings(
    events: Iterable[ConsentEvent], versions: Mapping[int, LandingPageVersion]
) -> list[Wording]:
    """List each wording once, in the order in which it was first shown."""
    found: dict[tuple[str, int | None], Wording] = {}
    for event in events:
        key = (event.wording_hash, event.landing_page_version_id)
        if event.wording_hash and key not in found:
            version = versions.get(event.landing_page_version_id or 0)
            found[key] = _wording(event, version)
    return list(found.values())


def _wording(event: ConsentEvent, version: LandingPageVersion | None) -> Wording:
    # The language of the page may be another than that of its visitor.
    texts = version.wording if version is not None else {}
    for text in texts.values():
        if page_wording.hash_of(text) == event.wording_hash:
            return _shown(event, version, text, is_verified=True)
    return _shown(event, version, texts.get(event.language, ""), is_verified=False)


def _shown(
    event: ConsentEvent,
    version: LandingPageVersion | None,
    text: str,
    *,
    is_verified: bool,
) -> Wording:
    name = _page_name(version) or _("a page that is gone")
    return Wording(event.wording_hash, name, event.language, text, is_verified)


def _standing(
    profile: Profile, events: Iterable[ConsentEvent], names: Mapping[_Scope, str]
) -> list[Standing]:
    """Compare what counts now with the last word of the ledger on each scope."""
    now_out = _out_now(profile)
    last = last_words(events).get(profile.pk, {})
    # A subscription that did not come along in a merge counts for nothing now.
    own = {
        _scope(event)
        for event in events
        if event.profile_id == profile.pk and _is_of_state(event)
    }
    scopes = [
        scope
        for scope in names
        if scope in now_out or (scope in last and (scope in own or last[scope]))
    ]
    return [
        Standing(
            names[scope],
            is_out=now_out.get(scope, False),
            is_agreed=now_out.get(scope, False) == last.get(scope),
        )
        for scope in scopes
    ]


def last_words(events: Iterable[ConsentEvent]) -> dict[int, dict[_Scope, bool]]:
    """Read a ledger in its order: by profile, whether it is out of each scope.

    In a merge the stricter word wins: what stopped either one stops who lives on.
    """
    last: dict[int, dict[_Scope, bool]] = {}
    for event in events:
        words = last.setdefault(event.profile_id, {})
        if event.direction != Direction.MERGE:
            if _is_of_state(event):
                words[_scope(event)] = event.direction == Direction.OUT
            continue
        living = last.setdefault(event.other_profile_id or 0, {})
        for scope, is_out in words.items():
            living[scope] = is_out or living.get(scope, False)
    return last


def _is_of_state(event: ConsentEvent) -> bool:
    """Say whether a row is about a flag or a subscription of its profile.

    A keyword is about a number, whoever carries it, and sets no flag.
    """
    return event.source != ConsentSource.KEYWORD


def _scope(event: ConsentEvent) -> _Scope:
    return event.channel, event.service_id


def _out_now(profile: Profile) -> dict[_Scope, bool]:
    flags = OptOut.objects.filter(profile=profile).values_list("channel", flat=True)
    found: dict[_Scope, bool] = {(channel, None): True for channel in flags}
    for each in Subscription.objects.filter(profile=profile):
        found[None, each.service_id] = each.unsubscribed_at is not None
    return found
