"""Erasing a person: what is known of them goes, what protects them stays.

In this order, in one transaction:
1. opt out of everything, so that nothing starts from here on;
2. denylist the digest of every address, and take the readable address from it;
3. delete the addresses, empty the profile, blank the evidence, the addresses in
   the sending logs and the name in the console's own log, leave every audience and
   every file that was not handed over yet;
4. keep an empty profile row, so that links in old messages still resolve.

All that was merged into the profile is the same person, and goes with it.

The digests stay, so the addresses can never be written to again, whoever imports
them (promise 10). The ledger stays: it holds ids, codes and digests only.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from delivery import extraction
from delivery.inbound import forgetting
from delivery.models import (
    Analysis,
    Attempt,
    AudienceEntry,
    Message,
)
from optout import ledger
from optout.models import Subscription
from optout.models.ledger import ConsentReason, ConsentSource
from optout.preferences import opt_out
from profiles.channels import ANY_CHANNEL
from profiles.models import Address, Profile
from quarantine.reasons import Event, Reason, Source
from quarantine.transitions import apply, identity_of

# All other fields of a profile are emptied, those of the future included.
KEPT_FIELDS = frozenset({"id", "created_at", "updated_at", "erased_at", "merged_into"})


class ErasureError(Exception):
    """A person who cannot be erased; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did, as counts."""

    opt_outs: int
    addresses: int
    denylisted: int
    evidence: int
    messages: int
    audience_entries: int


@transaction.atomic
def erase(profile: Profile, *, by: str, reason: str, now: datetime) -> Erasure:
    """Erase a person for ever, for a reason that is kept as evidence.

    Erasing an empty profile again does no harm; one that was merged means the one that
    it lives on as. Raises ErasureError without a reason.
    """
    if not reason.strip():
        raise ErasureError(
            _("The person was not erased: no reason was given. Write who asked for it.")
        )
    profile = _locked(profile.pk)
    gone = list(Profile.objects.filter(merged_into=profile).order_by("pk"))
    opted_out = opt_out(
        profile,
        ANY_CHANNEL,
        by=by,
        source=ConsentSource.ERASURE,
        reason=ConsentReason.ERASURE,
        note=reason,
        now=now,
    )
    why = ledger.record_evidence([profile.pk], reason, now=now)[profile.pk]
    denylisted = _denylist_addresses(profile, by=by, now=now)
    for each in (profile, *gone):
        forgetting.forget(each)
    deleted, _rows = Address.objects.filter(profile=profile).delete()
    Subscription.objects.filter(profile=profile).delete()
    entries = sum(_leave_audiences(each) for each in (profile, *gone))
    extraction.leave_open_files(each.pk for each in (profile, *gone))
    evidence = sum(
        ledger.erase_evidence(each.pk, now=now, keep=why) for each in (profile, *gone)
    )
    for each in (profile, *gone):
        _empty(each, now=now)
    return Erasure(
        opt_outs=len(opted_out.changed),
        addresses=deleted,
        denylisted=denylisted,
        evidence=evidence,
        messages=sum(_blank_logs(each) for each in (profile, *gone)),
        audience_entries=entries,
    )


def _locked(profile_id: int) -> Profile:
    """Lock a profile, or the one that it lives on as."""
    profile = Profile.objects.select_for_update().get(pk=profile_id)
    if profile.merged_into_id is None:
        return profile
    return Profile.objects.select_for_update().get(pk=profile.merged_into_id)


def _denylist_addresses(profile: Profile, *, by: str, now: datetime) -> int:
    # In one order everywhere, so that no two transactions wait for each other.
    addresses = list(
        Address.objects.filter(profile=profile).order_by("digest", "channel")
    )
    for address in addresses:
        apply(
            identity_of(address),
            Event.ERASE,
            by=by,
            source=Source.ERASURE,
            reason=Reason.ERASED,
            now=now,
        )
    return len(addresses)


def _leave_audiences(profile: Profile) -> int:
    if profile.external_id is None:
        return 0
    entries = AudienceEntry.objects.filter(external_id=profile.external_id)
    return entries.delete()[0]


def _empty(profile: Profile, *, now: datetime) -> None:
    for field in Profile._meta.concrete_fields:
        if field.name not in KEPT_FIELDS:
            setattr(profile, field.attname, field.get_default())
    profile.erased_at = profile.erased_at or now
    profile.updated_at = now
    profile.save()


def _blank_logs(profile: Profile) -> int:
    LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Profile),
        object_id=str(profile.pk),
    ).update(object_repr="", change_message="")
    # By analysis as well: the key of a log begins with it. Locked, so that a run that
    # ends now either shows us its rows or sees that the person was erased.
    locked = Analysis.objects.select_for_update().order_by("pk")
    analyses = list(locked.values_list("pk", flat=True))
    # What servers replied may quote the address.
    attempts = Attempt.objects.filter(analysis_id__in=analyses, profile_id=profile.pk)
    attempts.exclude(reply="").update(reply="")
    logged = Message.objects.filter(analysis_id__in=analyses, profile_id=profile.pk)
    return logged.exclude(address="").update(address="")
