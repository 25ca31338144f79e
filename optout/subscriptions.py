"""Subscribing people to services and ending that, each with its row in the ledger.

Whoever unsubscribed stays out of a service until they subscribe again themselves, or
an operator with the right (`optout.resubscribe_subscription`, asked at the door) shows
their consent: no file brings them back (promise 7). Flags of opt-out are untouched.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from optout import ledger, service_mails, tasks_subscribing
from optout.models import Service, Subscription
from optout.models.ledger import ConsentReason, ConsentSource, Direction
from optout.preferences import ConsentError, lack_of_proof
from profiles import in_flight, merged
from profiles.models import Address, Profile

# Nobody stands behind a subscription by these but whoever made the file.
_NEVER_RENEWS = frozenset({ConsentSource.IMPORT, ConsentSource.ERASURE})


@transaction.atomic
def subscribe(
    profile: Profile,
    service: Service,
    *,
    by: str,
    source: ConsentSource,
    now: datetime,
    origin: str = "",
    reason: str = "",
    note: str = "",
    language: str = "",
    delivery_id: int | None = None,
    wording_hash: str = "",
    landing_page_version_id: int | None = None,
    tells: bool = True,
) -> bool:
    """Subscribe a profile, or begin the validity of its subscription anew.

    Returns whether that was news; a subscription that never ends is not renewed. An
    operator who subscribes somebody that unsubscribed gives a reason code and a note.
    `tells` lets the service mail who acted themselves (service_mails). Raises
    ConsentError with a sentence.
    """
    # Locked, so that nobody is erased between the question and the answer.
    profile = Profile.objects.select_for_update(no_key=True).get(pk=profile.pk)
    known = _locked(profile.pk, service.pk)
    check_can_subscribe(profile, known, source=source, reason=reason, note=note)
    expires_at = service.expiry(now)
    if known is not None and known.is_current(now) and known.expires_at == expires_at:
        return False

    Subscription.objects.update_or_create(
        profile=profile,
        service=service,
        defaults={
            "subscribed_at": now,
            "expires_at": expires_at,
            "unsubscribed_at": None,
            "source": source,
            "origin": origin,
        },
    )
    _record(
        profile,
        service,
        Direction.IN,
        source=source,
        by=by,
        reason=ConsentReason(reason),
        note=note,
        delivery_id=delivery_id,
        language=language,
        wording_hash=wording_hash,
        landing_page_version_id=landing_page_version_id,
        now=now,
    )
    if tells and service_mails.is_told(service, has_begun=True, source=source):
        _tell(profile, service, has_begun=True, language=language)
    return True


@transaction.atomic
def unsubscribe(
    profile: Profile,
    service: Service,
    *,
    by: str,
    source: ConsentSource,
    now: datetime,
    reason: str = "",
    note: str = "",
    language: str = "",
    delivery_id: int | None = None,
    wording_hash: str = "",
    landing_page_version_id: int | None = None,
    tells: bool = True,
) -> bool:
    """End the subscription of a profile; returns whether that was news.

    Somebody who never subscribed is recorded as well: no file may subscribe them. A
    second time changes nothing and leaves no second row in the ledger (promise 8). Of a
    profile that was merged, the one it lives on as is meant.
    """
    asked_id, living_id = profile.pk, merged.living_id(profile.pk)
    if living_id != asked_id:
        profile = Profile.objects.get(pk=living_id)
    # Who never subscribed is not told of an end; asked before there is one.
    was_subscribed = (
        tells
        and service_mails.is_told(service, has_begun=False, source=source)
        and Subscription.objects.current(now)
        .filter(profile=profile, service=service)
        .exists()
    )
    is_news = _end(profile.pk, service.pk, source=source, now=now)
    in_flight.wait_until_none({asked_id, living_id})
    if not is_news:
        return False
    _record(
        profile,
        service,
        Direction.OUT,
        source=source,
        by=by,
        reason=ConsentReason(reason),
        note=note,
        delivery_id=delivery_id,
        language=language,
        wording_hash=wording_hash,
        landing_page_version_id=landing_page_version_id,
        now=now,
    )
    if was_subscribed:
        _tell(profile, service, has_begun=False, language=language)
    return True


def check_can_subscribe(
    profile: Profile,
    known: Subscription | None,
    *,
    source: str,
    reason: str = "",
    note: str = "",
) -> None:
    """Raise ConsentError with a sentence when this person cannot be subscribed."""
    has_ended = known is not None and known.unsubscribed_at is not None
    why = ""
    if profile.erased_at is not None:
        why = _("its person was erased. Nothing can undo that.")
    elif has_ended and source in _NEVER_RENEWS:
        why = _("the person unsubscribed. Let them subscribe again themselves.")
    elif has_ended and source == ConsentSource.OPERATOR:
        why = lack_of_proof(reason, note)
    if why:
        raise ConsentError(
            _("Profile “%(profile)s” cannot be subscribed: %(why)s")
            % {"profile": profile, "why": why}
        )


def preferred_digest(profile_id: int, channel: int) -> UUID | None:
    """Give the digest of a profile's preferred address on a channel, or None."""
    preferred = Address.objects.filter(
        profile_id=profile_id, channel=channel, is_preferred=True
    )
    return preferred.values_list("digest", flat=True).first()


def _record(
    profile: Profile, service: Service, direction: Direction, **how: Any
) -> None:
    ledger.record(
        profile.pk,
        None,
        direction,
        service_id=service.pk,
        address_digest=preferred_digest(profile.pk, service.channel),
        **how,
    )


def _tell(
    profile: Profile, service: Service, *, has_begun: bool, language: str
) -> None:
    transaction.on_commit(
        lambda: tasks_subscribing.tell.enqueue(
            profile.pk, service.pk, has_begun=has_begun, language=language
        )
    )


def _locked(profile_id: int, service_id: int) -> Subscription | None:
    rows = Subscription.objects.select_for_update()
    return rows.filter(profile_id=profile_id, service_id=service_id).first()


def _end(
    profile_id: int, service_id: int, *, source: ConsentSource, now: datetime
) -> bool:
    """End a subscription, or note that there is to be none; the database decides."""
    own = Subscription.objects.filter(profile_id=profile_id, service_id=service_id)
    if own.filter(unsubscribed_at__isnull=True).update(unsubscribed_at=now):
        return True
    _row, is_new = Subscription.objects.get_or_create(
        profile_id=profile_id,
        service_id=service_id,
        defaults={
            "subscribed_at": now,
            "expires_at": now,
            "unsubscribed_at": now,
            "source": source,
        },
    )
    # Somebody subscribed them at this very moment.
    return is_new or bool(
        own.filter(unsubscribed_at__isnull=True).update(unsubscribed_at=now)
    )
