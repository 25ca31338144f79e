"""What a sent page is going to write, as a list, before anything is written.

Pure: from what a page offers, what is known of the person and what was sent. The dry
run shows the list; the real submission carries out the very same one.

What strengthens protection happens at once, whoever asked. What loosens it for a
profile that is known waits until the owner of the mailbox confirms, unless the visitor
came by a link of their own (ARCHITECTURE section 6).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from optout.models.pages import PageType
from optout.page_content import OnSeveral, PageContent, StopScope
from profiles.channels import ANY_CHANNEL


class ChangeKind(TextChoices):
    CREATE_PROFILE = "create_profile", _("New profile")
    OPT_OUT = "opt_out", _("Opt-out")
    OPT_IN = "opt_in", _("Opt-in")
    SUBSCRIBE = "subscribe", _("Subscription starts")
    UNSUBSCRIBE = "unsubscribe", _("Subscription ends")
    SET_FIELD = "set_field", _("Field of the profile")


STOPS: Final = frozenset({ChangeKind.OPT_OUT, ChangeKind.UNSUBSCRIBE})


@dataclass(frozen=True)
class PersonState:
    """What is known of the person before; an unknown one `is_known` not."""

    is_known: bool = False
    # By a link in a message of ours; not by an address that was typed.
    is_identified: bool = False
    opted_out: frozenset[int] = frozenset()
    subscribed: frozenset[int] = frozenset()
    # Services that the person left; nothing but themselves brings them back.
    ended: frozenset[int] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Submission:
    """What was sent: what the page had shown, and what was ticked and typed of it.

    `shown_…` keeps out of the plan what the page did not show, such as a service that
    was put on it meanwhile.
    """

    channels: frozenset[int] = frozenset()
    services: frozenset[int] = frozenset()
    shown_channels: frozenset[int] = frozenset()
    shown_services: frozenset[int] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)
    # Numbers of the boxes, from 0.
    agreements: frozenset[int] = frozenset()
    address: str = ""
    # “Messages may come again”: the only thing that lifts the flag for all channels.
    is_all_started: bool = False


@dataclass(frozen=True)
class PlannedChange:
    """One thing to be written; `before` and `after` are plain values, not words."""

    kind: ChangeKind
    channel: int | None = None
    service_id: int | None = None
    field_name: str = ""
    before: str = ""
    after: str = ""
    scope: StopScope = StopScope.PROFILE
    # Written only after the owner of the mailbox has confirmed.
    is_waiting: bool = False

    @property
    def is_stop(self) -> bool:
        return self.kind in STOPS


def plan(
    page_type: str, content: PageContent, *, state: PersonState, sent: Submission
) -> tuple[PlannedChange, ...]:
    """List what the page would write, stops first; what is so already is left out."""
    rules = {
        PageType.DENYLIST: _denylist,
        PageType.PREFERENCES: _preferences,
        PageType.SUBSCRIBE: _subscribe,
        PageType.UNSUBSCRIBE: _unsubscribe,
        PageType.ACQUISITION: _acquisition,
    }
    found = [
        *rules[PageType(page_type)](content, state, sent),
        *_field_changes(content, state, sent),
    ]
    if not state.is_known and any(not each.is_stop for each in found):
        found.insert(0, PlannedChange(ChangeKind.CREATE_PROFILE))
    must_wait = not state.is_identified and (
        content.has_double_opt_in or state.is_known
    )
    finished = [
        replace(each, scope=content.scope)
        if each.is_stop
        else replace(each, is_waiting=must_wait)
        for each in found
    ]
    return tuple(sorted(finished, key=lambda each: not each.is_stop))


def lacking(
    content: PageContent, *, state: PersonState, sent: Submission
) -> tuple[str, ...]:
    """Name what must be there and is not: fields, `agreement-0`, `address`."""
    found = [
        each.name.value
        for each in content.fields
        if each.is_mandatory and not sent.fields.get(each.name.value, "").strip()
    ]
    found += [
        f"agreement-{number}"
        for number in range(content.agreement_count)
        if number not in sent.agreements
    ]
    if not state.is_identified and not sent.address.strip():
        found.insert(0, "address")
    return tuple(found)


def reconciled(
    profiles: Sequence[tuple[int, datetime]], on_several: str
) -> tuple[int, ...]:
    """Choose who is meant of the profiles (id, created) that have the address."""
    if len(profiles) < 2:
        return tuple(profile_id for profile_id, _created in profiles)
    ordered = sorted(profiles, key=lambda each: (each[1], each[0]))
    chosen = {
        OnSeveral.OLDEST: ordered[:1],
        OnSeveral.NEWEST: ordered[-1:],
        OnSeveral.ALL: ordered,
        OnSeveral.NONE: [],
    }[OnSeveral(on_several)]
    return tuple(profile_id for profile_id, _created in chosen)


_Changes = Iterator[PlannedChange]


def _denylist(content: PageContent, state: PersonState, sent: Submission) -> _Changes:
    yield from _opt_outs([ANY_CHANNEL], state)


def _preferences(
    content: PageContent, state: PersonState, sent: Submission
) -> _Changes:
    channels = [each for each in content.channels if each in sent.shown_channels]
    yield from _opt_outs(
        [each for each in channels if each not in sent.channels], state
    )
    wanted = [each for each in channels if each in sent.channels]
    yield from _opt_ins([*wanted, *([ANY_CHANNEL] * sent.is_all_started)], state)

    services = [each for each in content.services if each in sent.shown_services]
    left = [each for each in services if each not in sent.services]
    # A box that was never ticked says nothing: only who subscribes can leave here.
    yield from _ends([each for each in left if each in state.subscribed], state)
    yield from _starts([each for each in services if each in sent.services], state)


def _subscribe(content: PageContent, state: PersonState, sent: Submission) -> _Changes:
    yield from _starts(_asked_for(content, sent), state)


def _unsubscribe(
    content: PageContent, state: PersonState, sent: Submission
) -> _Changes:
    yield from _ends(_asked_for(content, sent), state)


def _acquisition(
    content: PageContent, state: PersonState, sent: Submission
) -> _Changes:
    channels = [each for each in content.channels if each in sent.shown_channels]
    # A new person gets nothing by a channel whose box they left empty.
    if not state.is_known:
        unticked = [each for each in channels if each not in sent.channels]
        yield from _opt_outs(unticked, state)
    yield from _opt_ins([each for each in channels if each in sent.channels], state)
    services = [each for each in content.services if each in sent.services]
    yield from _starts(services, state)


def _asked_for(content: PageContent, sent: Submission) -> list[int]:
    """Give the services meant: the only one by the button, of several the ticked."""
    if len(content.services) == 1:
        return [*content.services]
    return [each for each in content.services if each in sent.services]


def _opt_outs(channels: Collection[int], state: PersonState) -> _Changes:
    for channel in channels:
        if channel not in state.opted_out:
            yield PlannedChange(
                ChangeKind.OPT_OUT, channel=int(channel), before="in", after="out"
            )


def _opt_ins(channels: Collection[int], state: PersonState) -> _Changes:
    for channel in channels:
        if channel in state.opted_out:
            yield PlannedChange(
                ChangeKind.OPT_IN, channel=int(channel), before="out", after="in"
            )


def _starts(services: Collection[int], state: PersonState) -> _Changes:
    for service in services:
        if service not in state.subscribed:
            yield PlannedChange(
                ChangeKind.SUBSCRIBE, service_id=service, before="out", after="in"
            )


def _ends(services: Collection[int], state: PersonState) -> _Changes:
    for service in services:
        # Also who never subscribed: it is noted, so that no file subscribes them.
        if service not in state.ended:
            was = "in" if service in state.subscribed else "out"
            yield PlannedChange(
                ChangeKind.UNSUBSCRIBE, service_id=service, before=was, after="out"
            )


def _field_changes(
    content: PageContent, state: PersonState, sent: Submission
) -> _Changes:
    for offered in content.fields:
        name = offered.name.value
        before, after = state.fields.get(name, ""), sent.fields.get(name, "").strip()
        if name not in sent.fields or after == before:
            continue
        # Who cannot see what is known cannot mean to delete it.
        if after or (state.is_identified and not offered.is_mandatory):
            yield PlannedChange(
                ChangeKind.SET_FIELD,
                field_name=name,
                before=before,
                after=after,
            )
