"""Carrying out what a landing page was sent: the very plan that a dry run shows.

Everything of one submission is written together, with the version and the wording
that the person saw. What loosens protection needs a link that is newer than the
person's last stop of it (promise 7).
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction

from optout import choosing, preferences, subscriptions
from optout.models import ConsentEvent, LandingPageVersion, Service
from optout.models.ledger import ConsentSource
from optout.page_content import After, FieldName, StopScope
from optout.page_visitors import state_of
from optout.planned_changes import (
    ChangeKind,
    PersonState,
    PlannedChange,
    Submission,
    plan,
)
from optout.preferences import Scope
from optout.tokens import Link
from profiles import adding, merged
from profiles.addresses import ParsedAddress, parse_postal
from profiles.models import Profile

_SCOPES: Final = {
    StopScope.PROFILE: Scope.PROFILE,
    StopScope.SHARED_ADDRESS: Scope.SHARED_ADDRESS,
}
_POSTAL: Final = frozenset({"street", "postcode", "city", "country"})


@dataclass(frozen=True)
class Sent:
    """A submission with what it was sent from: the page, its language, the link."""

    version: LandingPageVersion
    submission: Submission
    link: Link
    language: str
    now: datetime
    note: str = ""

    @property
    def how(self) -> dict[str, Any]:
        """Give what every change of consent by it has in common."""
        return {
            "by": "",
            "source": ConsentSource.LANDING_PAGE,
            "language": self.language,
            "delivery_id": self.link.delivery_id or None,
            "wording_hash": self.version.wording_hashes.get(self.language, ""),
            "landing_page_version_id": self.version.pk,
            "note": self.note,
            "now": self.now,
        }


@transaction.atomic
def carry_out(profile: Profile, sent: Sent) -> tuple[int, ...]:
    """Write what an identified person sent; gives the new rows of the ledger.

    An erased person can only stop. Of a profile that was merged meanwhile, the one it
    lives on as is meant.
    """
    living_id = merged.living_id(profile.pk)
    profile = Profile.objects.select_for_update(no_key=True).get(pk=living_id)
    content = sent.version.read()
    state = state_of(profile, content, is_identified=True, now=sent.now)
    changes = plan(sent.version.page.type, content, state=state, sent=sent.submission)
    return _write(profile, changes, sent)


@transaction.atomic
def carry_out_as_new(address: ParsedAddress, sent: Sent) -> Profile:
    """Make the profile of somebody unknown, and write what they sent."""
    content = sent.version.read()
    nobody = PersonState(is_identified=True)
    changes = plan(sent.version.page.type, content, state=nobody, sent=sent.submission)
    known = {"language": sent.language}
    profile = adding.add(address, fields=known, now=sent.now)
    _write(profile, changes, sent)
    return profile


def as_json(submission: Submission) -> dict[str, Any]:
    """Give a submission as JSON can hold it."""
    plain = asdict(submission)
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in plain.items()
    }


def from_json(plain: dict[str, Any]) -> Submission:
    """Read what `as_json` gave."""
    fields: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value
        for name, value in plain.items()
    }
    return Submission(**fields)


def _write(
    profile: Profile, changes: tuple[PlannedChange, ...], sent: Sent
) -> tuple[int, ...]:
    events = ConsentEvent.objects.filter(profile_id=profile.pk)
    before = events.order_by("-pk").values_list("pk", flat=True).first() or 0
    for change in changes:
        if change.is_stop or not _is_overtaken(profile, change, sent.link):
            _WRITERS[change.kind](profile, change, sent)
    _set_fields(profile, changes, now=sent.now)
    new = events.filter(pk__gt=before).order_by("pk")
    return tuple(new.values_list("pk", flat=True))


def _is_overtaken(profile: Profile, change: PlannedChange, link: Link) -> bool:
    if change.channel is not None:
        return choosing.is_overtaken(profile, link, channel=change.channel)
    if change.service_id is not None:
        return choosing.is_overtaken(profile, link, service_id=change.service_id)
    return profile.erased_at is not None


def _opt_out(profile: Profile, change: PlannedChange, sent: Sent) -> None:
    assert change.channel is not None
    scope = _SCOPES[change.scope]
    preferences.opt_out(profile, change.channel, scope=scope, **sent.how)


def _opt_in(profile: Profile, change: PlannedChange, sent: Sent) -> None:
    assert change.channel is not None
    preferences.opt_in(profile, change.channel, **sent.how)


def _subscribe(profile: Profile, change: PlannedChange, sent: Sent) -> None:
    service = Service.objects.filter(pk=change.service_id or 0).first()
    if service is not None:
        origin = str(sent.version.page)[:200]
        subscriptions.subscribe(
            profile, service, origin=origin, tells=_tells(sent), **sent.how
        )


def _unsubscribe(profile: Profile, change: PlannedChange, sent: Sent) -> None:
    service = Service.objects.filter(pk=change.service_id or 0).first()
    if service is not None:
        subscriptions.unsubscribe(profile, service, tells=_tells(sent), **sent.how)


def _tells(sent: Sent) -> bool:
    """Say whether the page lets the service send its own confirmation."""
    return sent.version.read().after == After.SERVICE


def _nothing(profile: Profile, change: PlannedChange, sent: Sent) -> None:
    """Leave it to another: fields are written together, profiles made before."""


_WRITERS: Final = {
    ChangeKind.CREATE_PROFILE: _nothing,
    ChangeKind.OPT_OUT: _opt_out,
    ChangeKind.OPT_IN: _opt_in,
    ChangeKind.SUBSCRIBE: _subscribe,
    ChangeKind.UNSUBSCRIBE: _unsubscribe,
    ChangeKind.SET_FIELD: _nothing,
}


def _set_fields(
    profile: Profile, changes: tuple[PlannedChange, ...], *, now: datetime
) -> None:
    wanted = {
        each.field_name: each.after
        for each in changes
        if each.kind == ChangeKind.SET_FIELD
    }
    if not wanted or profile.erased_at is not None:
        return
    for name, text in wanted.items():
        setattr(profile, name, _value(FieldName(name), text))
    profile.updated_at = now
    profile.save(update_fields=[*wanted, "updated_at"])
    if _POSTAL & wanted.keys():
        lines = [profile.street, f"{profile.postcode} {profile.city}".strip()]
        postal = parse_postal(lines, country=profile.country)
        if any(lines):
            adding.prefer(profile, postal, now=now)


def _value(name: FieldName, text: str) -> Any:
    if name == FieldName.BIRTH_DATE:
        return date.fromisoformat(text) if text else None
    return text


def is_readable(name: str, text: str) -> bool:
    """Say whether what was typed into a field can be kept."""
    if name == FieldName.BIRTH_DATE and text:
        try:
            return date.fromisoformat(text).year >= 1900
        except ValueError:
            return False
    longest = Profile._meta.get_field(name).max_length  # type: ignore[union-attr]
    return "\0" not in text and len(text) <= (longest or 10)
