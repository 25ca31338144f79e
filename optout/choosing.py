"""What a person chooses to get, on the page behind a preferences link.

Shows the channels and services that this person really has, and the services that
anybody may join. What was shown and ticked is compared with what was shown, so that
what changed meanwhile, or was not on the page, stays as it is.

Stopping always works. Starting again needs a link that is newer than the stop: an old
mail, in whosever hands it is, never brings anybody back (promise 7).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from optout import preferences, subscriptions
from optout.models import ConsentEvent, OptOut, Service, Subscription
from optout.models.ledger import ConsentSource, Direction
from optout.tokens import Link
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, Profile


@dataclass(frozen=True)
class ChannelChoice:
    """A channel on the page; on while messages may come by it."""

    channel: Channel
    is_on: bool


@dataclass(frozen=True)
class ServiceChoice:
    """A service on the page; on while the person subscribes to it."""

    service: Service
    name: str
    description: str
    is_on: bool


@dataclass(frozen=True)
class Choices:
    """All that a person can choose; nothing comes while `is_out` of everything."""

    channels: list[ChannelChoice]
    services: list[ServiceChoice]
    is_out: bool


@dataclass(frozen=True)
class Wanted:
    """What was sent from the page: what it showed, and what was ticked of it."""

    channels: frozenset[int]
    services: frozenset[int]
    shown_channels: frozenset[int]
    shown_services: frozenset[int]
    is_all_stopped: bool = False
    is_all_started: bool = False


@dataclass(frozen=True)
class Changes:
    """What became of the wishes of a person.

    Texts name channels and services in the language at hand. `refused` could not be
    started by this link; `event_ids` are the rows of the ledger, for taking it back.
    """

    stopped: list[str]
    started: list[str]
    refused: list[str]
    event_ids: tuple[int, ...]


def choices_of(link: Link, *, language: str, now: datetime) -> Choices:
    """List what the person of a link can choose, in a language."""
    flags = set(
        OptOut.objects.filter(profile_id=link.profile_id).values_list(
            "channel", flat=True
        )
    )
    own = Address.objects.filter(profile_id=link.profile_id)
    carried = set(own.values_list("channel", flat=True))
    shown = [each for each in Channel if each in carried | flags]
    return Choices(
        [ChannelChoice(each, each not in flags) for each in shown],
        _services(link, carried, language=language, now=now),
        ANY_CHANNEL in flags,
    )


def _services(
    link: Link, carried: Collection[int], *, language: str, now: datetime
) -> list[ServiceChoice]:
    own = Subscription.objects.filter(profile_id=link.profile_id)
    current = set(own.current(now).values_list("service_id", flat=True))
    offered = Service.objects.filter(
        Q(pk__in=current) | Q(is_open=True, channel__in=carried)
    )
    return [
        ServiceChoice(
            service,
            service.public_name_in(language),
            text.description if (text := service.text_in(language)) else "",
            service.pk in current,
        )
        for service in offered.prefetch_related("texts")
    ]


def as_ticked(choices: Choices, wanted: Wanted) -> Choices:
    """Give the choices with the boxes as they were sent, not as things are."""
    return replace(
        choices,
        channels=[
            replace(each, is_on=each.channel in wanted.channels)
            for each in choices.channels
        ],
        services=[
            replace(each, is_on=each.service.pk in wanted.services)
            for each in choices.services
        ],
    )


@transaction.atomic
def choose(link: Link, wanted: Wanted, *, language: str, now: datetime) -> Changes:
    """Do what a person chose on the page of this link."""
    profile = (
        Profile.objects.select_for_update(no_key=True)
        .filter(pk=link.profile_id)
        .first()
    )
    if profile is None:
        return Changes([], [], [], ())
    events = ConsentEvent.objects.filter(profile_id=profile.pk)
    before = events.order_by("-pk").values_list("pk", flat=True).first() or 0
    change = _Change(profile, link, language=language, now=now)
    change.all(wanted)
    change.channels(wanted)
    change.services(wanted)
    new = events.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True)
    return Changes(change.stopped, change.started, change.refused, tuple(new))


class _Change:
    """Carries out the wishes of one person."""

    def __init__(
        self, profile: Profile, link: Link, *, language: str, now: datetime
    ) -> None:
        self.stopped: list[str] = []
        self.started: list[str] = []
        self.refused: list[str] = []
        self._profile, self._link = profile, link
        self._how: dict[str, Any] = {
            "by": "",
            "source": ConsentSource.LANDING_PAGE,
            "delivery_id": link.delivery_id or None,
            "language": language,
            "now": now,
        }
        self._language = language

    def all(self, wanted: Wanted) -> None:
        if wanted.is_all_stopped:
            self._stop_channel(ANY_CHANNEL, "")
        elif wanted.is_all_started:
            self._start_channel(ANY_CHANNEL, "")

    def channels(self, wanted: Wanted) -> None:
        for channel in _known(wanted.shown_channels - wanted.channels):
            self._stop_channel(channel, str(channel.label))
        for channel in _known(wanted.shown_channels & wanted.channels):
            self._start_channel(channel, str(channel.label))

    def services(self, wanted: Wanted) -> None:
        shown = Service.objects.filter(pk__in=wanted.shown_services)
        for service in shown.prefetch_related("texts"):
            name = service.public_name_in(self._language)
            if service.pk in wanted.services:
                self._start_service(service, name)
            else:
                self._stop_service(service, name)

    def _stop_channel(self, channel: int, name: str) -> None:
        if preferences.opt_out(self._profile, channel, **self._how).changed:
            self.stopped.append(name)

    def _start_channel(self, channel: int, name: str) -> None:
        flag = OptOut.objects.filter(profile=self._profile, channel=channel)
        if not flag.exists():
            return
        if self._is_overtaken(channel=channel):
            self.refused.append(name)
        elif preferences.opt_in(self._profile, channel, **self._how):
            self.started.append(name)

    def _stop_service(self, service: Service, name: str) -> None:
        # Without a subscription there is nothing to stop on this page.
        if self._is_subscribed(service) and subscriptions.unsubscribe(
            self._profile, service, **self._how
        ):
            self.stopped.append(name)

    def _start_service(self, service: Service, name: str) -> None:
        if self._is_subscribed(service):
            return
        if not service.is_open or self._is_overtaken(service_id=service.pk):
            self.refused.append(name)
        elif subscriptions.subscribe(self._profile, service, **self._how):
            self.started.append(name)

    def _is_subscribed(self, service: Service) -> bool:
        own = Subscription.objects.current(self._how["now"])
        return own.filter(profile=self._profile, service=service).exists()

    def _is_overtaken(self, **scope: int) -> bool:
        return is_overtaken(self._profile, self._link, **scope)


def is_overtaken(profile: Profile, link: Link, **scope: int) -> bool:
    """Say whether a person is erased, or stopped this after their link was made.

    The scope is `channel` or `service_id`. A merge may have brought any stop.
    """
    is_stop = Q(profile_id=profile.pk, direction=Direction.OUT, **scope)
    is_merge = Q(other_profile_id=profile.pk)
    stops = ConsentEvent.objects.filter(is_stop | is_merge, at__gte=link.made_at)
    return profile.erased_at is not None or stops.exists()


def _known(channels: Iterable[int]) -> list[Channel]:
    return [Channel(each) for each in sorted(channels) if each in Channel.values]
