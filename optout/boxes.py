"""The "No longer contact" boxes: what an operator saves for one person at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from optout import preferences
from optout.models import OptOut
from optout.models.ledger import ConsentSource
from optout.preferences import Scope
from profiles.channels import ANY_CHANNEL
from profiles.models import Profile


@dataclass(frozen=True)
class Changes:
    """The boxes that were ticked, and those from which the tick was taken."""

    to_opt_out: frozenset[int]
    to_lift: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.to_opt_out or self.to_lift)


def changes(*, shown: Collection[int], ticked: Collection[int]) -> Changes:
    """Compare the boxes with what the page showed, not with what is true by now.

    An opt-out that arrived while the page was open is therefore never lifted by
    saving it (promise 7).
    """
    before, after = frozenset(shown), frozenset(ticked)
    return Changes(to_opt_out=after - before, to_lift=before - after)


def opted_out_channels(profile: Profile) -> list[int]:
    """List the channels, or ANY_CHANNEL, that this profile is opted out of."""
    flags = OptOut.objects.filter(profile=profile).order_by("channel")
    return list(flags.values_list("channel", flat=True))


def others_sharing_an_address(profile: Profile) -> int:
    """Count the other profiles that have any address of this one."""
    shared = preferences.profiles_sharing_address(profile, ANY_CHANNEL)
    return shared.exclude(pk=profile.pk).count()


@transaction.atomic
def save(
    profile: Profile,
    wanted: Changes,
    *,
    scope: Scope,
    by: str,
    reason: str,
    note: str,
    now: datetime,
) -> None:
    """Opt out and lift as the boxes say, all of it or nothing.

    Raises ConsentError with a sentence when a lift lacks its reason or evidence.
    """
    for channel in sorted(wanted.to_opt_out):
        preferences.opt_out(
            profile,
            channel,
            by=by,
            source=ConsentSource.OPERATOR,
            scope=scope,
            reason=reason,
            note=note,
            now=now,
        )
    for channel in sorted(wanted.to_lift):
        preferences.opt_in(
            profile,
            channel,
            by=by,
            source=ConsentSource.OPERATOR,
            reason=reason,
            note=note,
            now=now,
        )
