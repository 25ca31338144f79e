"""Opting profiles out and in: the flag and its ledger row, in one transaction.

Flags are independent: opting in to a channel never lifts the flag for all channels.
Anybody may strengthen protection. Who may lift it is asked at the door (permission
`optout.lift_optout`); that a reason and evidence are given is asked here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from optout import flagging, ledger
from optout.models import ConsentEvent, OptOut
from optout.models.ledger import ConsentReason, ConsentSource, Direction
from profiles import in_flight, merged
from profiles.channels import ANY_CHANNEL
from profiles.models import Address, Profile

# What may never opt anybody in (promise 7).
_NEVER_LIFTS = frozenset({ConsentSource.IMPORT, ConsentSource.ERASURE})


class ConsentError(Exception):
    """A change of consent that cannot be made; the text is a sentence."""


class Scope(Enum):
    """Whom an opt-out covers."""

    PROFILE = "profile"
    SHARED_ADDRESS = "shared_address"


@dataclass(frozen=True, slots=True)
class OptOutResult:
    """Which profiles an opt-out covered, and for which of them it was news."""

    covered: tuple[int, ...]
    changed: tuple[int, ...]


@transaction.atomic
def opt_out(
    profile: Profile,
    channel: int,
    *,
    by: str,
    source: ConsentSource,
    scope: Scope = Scope.PROFILE,
    reason: str = "",
    note: str = "",
    delivery_id: int | None = None,
    language: str = "",
    wording_hash: str = "",
    landing_page_version_id: int | None = None,
    now: datetime | None = None,
) -> OptOutResult:
    """Opt a profile out of a channel, or of all (ANY_CHANNEL); never fails twice.

    With Scope.SHARED_ADDRESS also every profile that carries one of its addresses of
    that channel (of any channel for ANY_CHANNEL). A profile that was opted out
    already gets no second flag and no second ledger row (promise 8); of one that was
    merged, the one it lives on as is meant. `language` is that of the page where it was
    asked for.
    """
    now = now or timezone.now()
    asked = [profile.pk]
    if scope is Scope.SHARED_ADDRESS:
        others = profiles_sharing_address(profile, channel)
        asked += others.values_list("pk", flat=True)

    covered = sorted(set(merged.living_ids(asked).values()))
    changed = _raise_flags(covered, channel, now=now)
    in_flight.wait_until_none({*asked, *covered})
    digests = _preferred_digests(changed, channel)
    evidence = ledger.record_evidence(changed, note, now=now)
    ledger.record_many(
        ConsentEvent(
            at=now,
            profile_id=profile_id,
            address_digest=digests.get(profile_id),
            direction=Direction.OUT,
            channel=channel,
            source=source,
            delivery_id=delivery_id,
            language=language,
            wording_hash=wording_hash,
            landing_page_version_id=landing_page_version_id,
            actor=by,
            reason=reason,
            evidence_hash=evidence.get(profile_id, ""),
        )
        for profile_id in changed
    )
    return OptOutResult(tuple(covered), tuple(changed))


def opt_out_one(
    profile_id: int,
    channel: int,
    *,
    source: ConsentSource,
    now: datetime,
    delivery_id: int | None = None,
    language: str = "",
) -> int | None:
    """Opt one profile out, whoever holds its link; a second time changes nothing.

    Gives the id of the ledger row; None when it was no news, or about nobody.
    """
    at = connection.ops.adapt_datetimefield_value(now)
    statement, parameters = flagging.raising((profile_id, channel), now=at)
    event = ConsentEvent(
        at=now,
        profile_id=profile_id,
        direction=Direction.OUT,
        channel=channel,
        source=source.value,
        delivery_id=delivery_id,
        language=language,
    )
    event_id = ledger.record_change(statement, parameters, event=event)
    living_id = merged.living_id(profile_id) if event_id is None else event.profile_id
    in_flight.wait_until_none({profile_id, living_id})
    return event_id


@transaction.atomic
def opt_in(
    profile: Profile,
    channel: int,
    *,
    by: str,
    source: ConsentSource,
    reason: str = "",
    note: str = "",
    delivery_id: int | None = None,
    language: str = "",
    wording_hash: str = "",
    landing_page_version_id: int | None = None,
    now: datetime | None = None,
) -> bool:
    """Lift one flag of one profile; the flags of other channels and of all stay.

    Needs a reason code and a note that says what proves it, but for what the person
    did on a page. Returns whether there was a flag to lift. Raises ConsentError with
    a sentence.
    """
    now = now or timezone.now()
    # Locked, so that nobody is erased between the question and the answer.
    profile = Profile.objects.select_for_update(no_key=True).get(pk=profile.pk)
    check_can_opt_in(profile, source=source, reason=reason, note=note)

    lifted, _rows = OptOut.objects.filter(profile=profile, channel=channel).delete()
    if not lifted:
        return False
    ledger.record(
        profile.pk,
        channel,
        Direction.IN,
        source=source,
        by=by,
        address_digest=_preferred_digests([profile.pk], channel).get(profile.pk),
        reason=ConsentReason(reason),
        note=note,
        delivery_id=delivery_id,
        language=language,
        wording_hash=wording_hash,
        landing_page_version_id=landing_page_version_id,
        now=now,
    )
    return True


def check_can_opt_in(profile: Profile, *, source: str, reason: str, note: str) -> None:
    """Raise ConsentError with a sentence when this opt-in cannot be made."""
    why = ""
    if profile.erased_at is not None:
        why = _("its person was erased. Nothing can undo that.")
    elif source in _NEVER_LIFTS:
        why = _("a file or an erasure only sets opt-outs. Let an operator lift it.")
    elif source == ConsentSource.LANDING_PAGE:
        why = ""
    else:
        why = lack_of_proof(reason, note)
    if why:
        raise ConsentError(
            _("Profile “%(profile)s” cannot be opted in: %(why)s")
            % {"profile": profile, "why": why}
        )


def lack_of_proof(reason: str, note: str) -> str:
    """Say what an operator who weakens protection did not give; empty for nothing."""
    if reason not in ConsentReason.values or reason in {"", ConsentReason.ERASURE}:
        return _("no reason was chosen. Choose how the person asked for it.")
    if not note.strip():
        return _("no evidence was given. Write where the person’s consent is kept.")
    return ""


def profiles_sharing_address(profile: Profile, channel: int) -> QuerySet[Profile]:
    """List the other profiles that carry an address of this one.

    Addresses of the channel only, preferred or not; of any channel for ANY_CHANNEL.
    """
    addresses = Address.objects.filter(profile=profile)
    if channel != ANY_CHANNEL:
        addresses = addresses.filter(channel=channel)
    sharing = Address.objects.filter(digest__in=addresses.values("digest"))
    others = Profile.objects.filter(pk__in=sharing.values("profile_id"))
    return others.filter(~Q(pk=profile.pk)).order_by("pk")


def _raise_flags(
    profile_ids: Sequence[int], channel: int, *, now: datetime
) -> list[int]:
    """Set the flag of each profile; give those that did not have it.

    The database decides: of two opt-outs at once, one gets the row back.
    """
    at = connection.ops.adapt_datetimefield_value(now)
    raised = flagging.raise_missing([(pk, channel) for pk in profile_ids], now=at)
    return sorted(profile_id for profile_id, _channel in raised)


def _preferred_digests(profile_ids: Sequence[int], channel: int) -> dict[int, UUID]:
    if channel == ANY_CHANNEL:
        return {}
    preferred = Address.objects.filter(
        profile_id__in=profile_ids, channel=channel, is_preferred=True
    )
    return dict(preferred.values_list("profile_id", "digest"))
