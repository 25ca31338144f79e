"""Reversing a burst of opt-outs as a batch, or leaving it as it is.

Only what nothing followed is reversed: the opt-out is still the last thing that
happened to that person's consent, and nobody asked for it again. Never of somebody
who was erased, and never of somebody with a denylisted address: who complained or
answered STOP stays out.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from optout import bursts, ledger
from optout.models import Burst, ConsentEvent, OptOut, RepeatedStop, Subscription
from optout.models.bursts import BurstState
from optout.models.ledger import ConsentReason, ConsentSource, Direction
from profiles.models import Address, Profile
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Status

REASONS = (ConsentReason.NOT_THEIRS, ConsentReason.MISTAKE)
_BATCH = 500


class BurstError(Exception):
    """A burst about which this cannot be decided; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides about a burst, why, and what shows it."""

    by: str
    reason: str
    note: str


@transaction.atomic
def reverse(burst: Burst, decision: Decision, *, now: datetime) -> int:
    """Take the opt-outs of a burst back; returns of how many people.

    One row of the ledger each, with the evidence. Raises BurstError with a sentence.
    """
    burst = _locked(burst)
    check_can_decide(burst, decision)
    if decision.reason not in REASONS:
        raise BurstError(_("Nothing was reversed: choose the reason."))
    people = list(reversible(burst).values_list("profile_id", flat=True))
    reversed_count = 0
    for start in range(0, len(people), _BATCH):
        # Locked before it is asked once more: nobody is erased in between.
        locked = _lock(people[start : start + _BATCH])
        events = reversible(burst).filter(profile_id__in=locked)
        reversed_count += _reverse(list(events), decision, now=now)
    burst.reversed_count = reversed_count
    _decide(burst, BurstState.REVERSED, decision, now=now)
    return reversed_count


@transaction.atomic
def dismiss(burst: Burst, decision: Decision, *, now: datetime) -> None:
    """Leave the opt-outs of a burst as they are. Raises BurstError with a sentence."""
    burst = _locked(burst)
    check_can_decide(burst, decision)
    _decide(burst, BurstState.DISMISSED, decision, now=now)


def check_can_decide(burst: Burst, decision: Decision) -> None:
    """Raise BurstError with a sentence when this cannot be decided now."""
    if burst.state != BurstState.FLAGGED:
        raise BurstError(
            _("Nothing was changed: %(who)s has decided about this burst already.")
            % {"who": burst.decided_by}
        )
    if not decision.note.strip():
        raise BurstError(
            _("Nothing was changed: write what shows who made these opt-outs.")
        )


def reversible(burst: Burst) -> QuerySet[ConsentEvent]:
    """List the opt-outs of a burst that may be reversed, by profile."""
    later = ConsentEvent.objects.filter(profile_id=OuterRef("profile_id")).filter(
        Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
    )
    merged = ConsentEvent.objects.filter(other_profile_id=OuterRef("profile_id"))
    living = Profile.objects.not_erased().filter(pk=OuterRef("profile_id"))
    denylisted = QuarantinedAddress.objects.filter(
        channel=OuterRef("channel"),
        digest=OuterRef("digest"),
        status=Status.DENYLISTED,
    )
    complained = Address.objects.filter(profile_id=OuterRef("profile_id")).filter(
        Exists(denylisted)
    )
    own = QuarantinedAddress.objects.filter(
        digest=OuterRef("address_digest"), status=Status.DENYLISTED
    )
    repeated = RepeatedStop.objects.filter(event_id=OuterRef("pk"))
    return (
        bursts.opt_outs(burst)
        .filter(Exists(living), ~Exists(later), ~Exists(complained), ~Exists(own))
        .filter(~Exists(merged.filter(at__gte=OuterRef("at"))), ~Exists(repeated))
        .order_by("profile_id")
    )


def _locked(burst: Burst) -> Burst:
    return Burst.objects.select_for_update().get(pk=burst.pk)


def _lock(profile_ids: list[int]) -> list[int]:
    people = Profile.objects.filter(pk__in=profile_ids).order_by("pk")
    return list(people.select_for_update(no_key=True).values_list("pk", flat=True))


def _reverse(events: list[ConsentEvent], decision: Decision, *, now: datetime) -> int:
    """Reverse some opt-outs, each of another person; says how many were still there."""
    lifted = [event for event in events if _lift(event)]
    evidence = ledger.record_evidence(
        [event.profile_id for event in lifted], decision.note, now=now
    )
    return ledger.record_many(
        ConsentEvent(
            at=now,
            profile_id=event.profile_id,
            address_digest=event.address_digest,
            direction=Direction.IN,
            channel=event.channel,
            service_id=event.service_id,
            source=ConsentSource.OPERATOR,
            delivery_id=event.delivery_id,
            actor=decision.by,
            reason=decision.reason,
            evidence_hash=evidence[event.profile_id],
        )
        for event in lifted
    )


def _lift(event: ConsentEvent) -> bool:
    """Take back what one opt-out did; says whether it was still there."""
    if event.channel is not None:
        flags = OptOut.objects.filter(
            profile_id=event.profile_id, channel=event.channel
        )
        return bool(flags.delete()[0])
    if event.service_id is None:
        return False
    # Whoever never subscribed has a row that ended when it began, and keeps it.
    ended = Subscription.objects.filter(
        profile_id=event.profile_id,
        service_id=event.service_id,
        unsubscribed_at__isnull=False,
        subscribed_at__lt=F("unsubscribed_at"),
    )
    return bool(ended.update(unsubscribed_at=None))


def _decide(
    burst: Burst, state: BurstState, decision: Decision, *, now: datetime
) -> None:
    burst.state = state
    burst.decided_at, burst.decided_by = now, decision.by
    burst.note = decision.note.strip()
    burst.save()
