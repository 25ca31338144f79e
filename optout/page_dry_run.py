"""What a page would write if a person sent it now; nothing is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from optout import preferences
from optout.models import LandingPage, Service
from optout.models.flags import OPT_OUT_SCOPES
from optout.models.pages import PageType
from optout.page_content import FieldName, PageContent, StopScope
from optout.page_visitors import state_of
from optout.planned_changes import (
    ChangeKind,
    PersonState,
    PlannedChange,
    Submission,
    lacking,
    plan,
)
from profiles.channels import ANY_CHANNEL
from profiles.models import Profile


@dataclass(frozen=True)
class Line:
    """A planned change in words."""

    change: PlannedChange
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class DryRun:
    """The outcome of a try."""

    profile: Profile
    state: PersonState
    lines: list[Line]
    lacking: tuple[str, ...]
    # Other profiles that a stop would cover as well.
    sharing_count: int
    # Opted out of everything before and after: what starts reaches nobody.
    is_still_out: bool


def run(
    page: LandingPage,
    content: PageContent,
    profile: Profile,
    *,
    sent: Submission,
    is_identified: bool,
    now: datetime,
) -> DryRun:
    """Plan what the page would write for a profile, and say it in words."""
    state = state_of(profile, content, is_identified=is_identified, now=now)
    changes = plan(page.type, content, state=state, sent=sent)
    names = service_names(content)
    return DryRun(
        profile,
        state,
        [_line(each, names) for each in changes],
        lacking(content, state=state, sent=sent),
        _sharing_count(profile, content, changes),
        is_still_out=_is_still_out(state, changes),
    )


def service_names(content: PageContent) -> dict[int, str]:
    """Give what operators call the services of a page."""
    services = Service.objects.filter(pk__in=content.services)
    return dict(services.values_list("pk", "label"))


def submission(content: PageContent, chosen: Mapping[str, Any]) -> Submission:
    """Make what a form of the console holds into what the page would send."""
    fields = {
        each.name.value: chosen.get(each.name.value, "") for each in content.fields
    }
    return Submission(
        channels=frozenset(chosen.get("channel", ())),
        services=frozenset(chosen.get("service", ())),
        shown_channels=frozenset(int(each) for each in content.channels),
        shown_services=frozenset(content.services),
        fields=fields,
        agreements=frozenset(range(content.agreement_count)),
        address="-",
        is_all_started=bool(chosen.get("start_all")),
    )


def as_shown(
    page: LandingPage, content: PageContent, state: PersonState
) -> dict[str, list[str]]:
    """Give what the page would send if the person changed nothing on it."""
    shown = {name: [value] for name, value in state.fields.items()}
    shown["is_identified"] = ["on"]
    if page.type == PageType.PREFERENCES:
        channels = [each for each in content.channels if each not in state.opted_out]
        shown["channel"] = [str(each.value) for each in channels]
        services = [each for each in content.services if each in state.subscribed]
        shown["service"] = [str(each) for each in services]
    return shown


def _line(change: PlannedChange, names: Mapping[int, str]) -> Line:
    words = {"in": _("gets it"), "out": _("does not get it")}
    if change.kind == ChangeKind.SET_FIELD:
        words = {}
    before, after = (words.get(each, each) for each in (change.before, change.after))
    return Line(change, _what(change, names), before, after)


def _what(change: PlannedChange, names: Mapping[int, str]) -> str:
    if change.channel is not None:
        return str(dict(OPT_OUT_SCOPES)[change.channel])
    if change.service_id is not None:
        return names.get(change.service_id, f"#{change.service_id}")
    if change.field_name:
        return str(FieldName(change.field_name).label)
    return ""


def _sharing_count(
    profile: Profile, content: PageContent, changes: tuple[PlannedChange, ...]
) -> int:
    stops = [each.channel for each in changes if each.kind == ChangeKind.OPT_OUT]
    if content.scope != StopScope.SHARED_ADDRESS or not stops:
        return 0
    return max(
        preferences.profiles_sharing_address(profile, channel).count()
        for channel in stops
        if channel is not None
    )


def _is_still_out(state: PersonState, changes: tuple[PlannedChange, ...]) -> bool:
    is_lifted = any(
        each.kind == ChangeKind.OPT_IN and each.channel == ANY_CHANNEL
        for each in changes
    )
    starts = any(not each.is_stop for each in changes)
    return starts and ANY_CHANNEL in state.opted_out and not is_lifted
