"""Stopping by a public link, and taking that back for half an hour.

Whoever holds the link may stop messages to the person it names and nothing else. An
undo is offered to the one who pressed the button only: it is a nonce in the form of
that answer, never in a mail, and never follows one click.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.core import signing
from django.db import transaction
from django.db.models import F, Q

from optout import ledger, preferences, repeated_stops, subscriptions
from optout.models import ConsentEvent, OptOut, Service, Subscription
from optout.models.ledger import ConsentSource, Direction
from optout.tokens import Link
from profiles import merged
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile

UNDO_WITHIN: Final = timedelta(minutes=30)
FORM_LIFETIME: Final = timedelta(hours=24)
# Scanners that submit forms do so at once; people read first.
_READING_TIME: Final = timedelta(seconds=1)
_form = signing.TimestampSigner(salt="optout.public-form")
_undo = signing.TimestampSigner(salt="optout.undo")


def stop(
    link: Link, *, source: ConsentSource, language: str, now: datetime
) -> int | None:
    """Stop what a link is about; a second time changes nothing.

    That is the subscription to its service, else its channel; its channel as well
    when the service is gone. Gives the id of the ledger row, or None when it was no
    news. Somebody who was erased is stopped like anybody: the empty row is kept for
    that. The link of a profile that was merged stops the one that lives on.
    """
    how: dict[str, Any] = {
        "source": source,
        "delivery_id": link.delivery_id or None,
        "language": language,
        "now": now,
    }
    service = service_of(link)
    if service is None:
        event_id = preferences.opt_out_one(link.profile_id, link.channel, **how)
    else:
        event_id = _leave(link, service, **how)
    if event_id is None:
        again = link if service else replace(link, service_id=0)
        repeated_stops.note(living(again), now=now)
    return event_id


@transaction.atomic
def _leave(link: Link, service: Service, **how: Any) -> int | None:
    link = living(link)
    profile = Profile.objects.filter(pk=link.profile_id).first()
    if profile is None:
        return None
    is_news = subscriptions.unsubscribe(profile, service, by="", **how)
    return _last_events(link, 1)[0].pk if is_news else None


@transaction.atomic
def living(link: Link) -> Link:
    """Give a link as it is about who lives on, when its profile was merged."""
    return replace(link, profile_id=merged.living_id(link.profile_id))


def service_of(link: Link) -> Service | None:
    """Give the service that a link is about; None without one, or when it is gone."""
    if not link.service_id:
        return None
    return Service.objects.prefetch_related("texts").filter(pk=link.service_id).first()


def is_stopped(link: Link) -> bool:
    """Say whether what a link is about was stopped, by itself or with more."""
    is_out = OptOut.objects.filter(
        profile_id=link.profile_id, channel__in=[link.channel, ANY_CHANNEL]
    ).exists()
    has_left = Subscription.objects.filter(
        profile_id=link.profile_id,
        service_id=link.service_id,
        unsubscribed_at__isnull=False,
    )
    return is_out or (bool(link.service_id) and has_left.exists())


def mask(channel: int, value: str) -> str:
    """Hide an address so far that only its owner knows it again.

    `jane@example.org` gives `j•••@e•••.org`, `+46701234567` gives `+46•••67`. What
    has no such parts is hidden whole.
    """
    if channel == Channel.EMAIL and "@" in value:
        local, _, domain = value.rpartition("@")
        name, _, top = domain.rpartition(".")
        return f"{_first(local)}•••@{_first(name)}•••.{top}"
    if channel in (Channel.SMS, Channel.PHONE, Channel.FAX) and len(value) > 8:
        return f"{value[:3]}•••{value[-2:]}"
    return ""


def _first(text: str) -> str:
    return text[:1] if len(text) > 1 else ""


def form_nonce(token: str) -> str:
    """Give the value that the form of a page needs to be accepted."""
    return _form.sign(_short(token))


def is_from_form(nonce: str, token: str, *, now: datetime) -> bool:
    """Say whether a nonce is of this link's page, read for a second, at most a day."""
    made_at = _made_at(_form, nonce, _short(token))
    return made_at is not None and _READING_TIME <= now - made_at <= FORM_LIFETIME


def undo_nonce(*event_ids: int) -> str:
    """Give the value that takes back what these rows of the ledger say."""
    return _undo.sign(",".join(map(str, sorted(event_ids))))


@transaction.atomic
def undo(link: Link, nonce: str, *, language: str, now: datetime) -> bool:
    """Take back what was chosen, within half an hour; says whether it was.

    Only while it is the last thing that happened to this person's consent.
    """
    Profile.objects.select_for_update(no_key=True).filter(pk=link.profile_id).first()
    ids = nonce.partition(_undo.sep)[0]
    count = ids.count(",") + 1
    events = _last_events(link, count)
    if ids != ",".join(str(event.pk) for event in events):
        return False
    made_at = _made_at(_undo, nonce, ids)
    if made_at is None or now - made_at > UNDO_WITHIN:
        return False
    if not all(_is_in_force(event) for event in events):
        return False
    for event in events:
        _reverse(event, language=language, now=now)
    return True


def _is_in_force(event: ConsentEvent) -> bool:
    """Say whether what an event did still stands: nothing changes it without a row."""
    flags = OptOut.objects.filter(profile_id=event.profile_id)
    ended = Subscription.objects.filter(
        profile_id=event.profile_id,
        service_id=event.service_id or 0,
        unsubscribed_at__isnull=False,
    )
    is_out = ended.exists()
    if event.channel is not None:
        is_out = flags.filter(channel=event.channel).exists()
    return is_out is (event.direction == Direction.OUT)


def _reverse(event: ConsentEvent, *, language: str, now: datetime) -> None:
    if event.direction == Direction.OUT:
        direction = Direction.IN
        _lift(event)
    else:
        direction = Direction.OUT
        _set_again(event, now=now)
    ledger.record(
        event.profile_id,
        event.channel,
        direction,
        service_id=event.service_id,
        source=ConsentSource.LANDING_PAGE,
        by="",
        address_digest=event.address_digest,
        delivery_id=event.delivery_id,
        language=language,
        now=now,
    )


def _set_again(event: ConsentEvent, *, now: datetime) -> None:
    if event.channel is not None:
        OptOut.objects.create(
            profile_id=event.profile_id, channel=event.channel, opted_out_at=now
        )
        return
    rows = Subscription.objects.filter(
        profile_id=event.profile_id, service_id=event.service_id or 0
    )
    rows.update(unsubscribed_at=now)


def _lift(event: ConsentEvent) -> None:
    """Restore what was before an opt-out."""
    if event.channel is not None:
        flags = OptOut.objects.filter(profile_id=event.profile_id)
        flags.filter(channel=event.channel).delete()
        return
    ended = Subscription.objects.filter(
        profile_id=event.profile_id,
        service_id=event.service_id or 0,
        unsubscribed_at__isnull=False,
    )
    # Somebody who never subscribed has a row that began as it ended.
    ended.filter(subscribed_at=F("unsubscribed_at")).delete()
    ended.update(unsubscribed_at=None)


def _made_at(
    signer: signing.TimestampSigner, signed: str, value: str
) -> datetime | None:
    try:
        found, seconds = signing.Signer.unsign(signer, signed).rsplit(signer.sep, 1)
        made_at = signing.b62_decode(seconds)
    except (signing.BadSignature, ValueError):
        return None
    return datetime.fromtimestamp(made_at, UTC) if found == value else None


def _short(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()[:16]


def _last_events(link: Link, count: int) -> list[ConsentEvent]:
    """Give the latest changes of a person's consent, oldest first; merges are some."""
    events = ConsentEvent.objects.filter(
        Q(profile_id=link.profile_id) | Q(other_profile_id=link.profile_id)
    )
    return list(events.order_by("-pk")[:count])[::-1]
