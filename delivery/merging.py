"""Merging two profiles of one person: one lives on, and the stricter state wins.

In one transaction, with both rows locked, so that no opt-out falls in between:
1. unite the opt-outs: what stopped either one stops the one that lives on;
2. unite the subscriptions: ended beats subscribed, the earlier end beats the later;
3. move the addresses; the preferred ones of the profile that lives on stay preferred;
4. fill its empty fields;
5. leave an empty row that says where it went, so that links in old messages, and rows
   of files with its external id, find the one that lives on (docs/decisions/0014);
6. add one row to the ledger: old id, new id. Its other rows are never rewritten.

What the preview shows is the plan that the merge carries out. Nothing takes a merge
back: what is united cannot be told apart any more.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from delivery import extraction
from delivery.merge_values import FieldLine, field_lines, fill
from optout import ledger
from optout.models import OptOut, Subscription
from optout.models.ledger import ConsentSource, Direction
from profiles import in_flight
from profiles.models import Address, Profile

# Shorter than PostgreSQL waits before it looks for deadlocks: we give up, not others.
LOCK_TIMEOUT: Final = "900ms"
_LOCK_NOT_AVAILABLE: Final = "55P03"  # SQLSTATE
# All other fields of a profile that was merged are emptied. The external id stays: by
# it, rows of files find the one that lives on, and nobody else can be given it.
_KEPT_FIELDS: Final = frozenset(
    {"id", "external_id", "created_at", "updated_at", "erased_at", "merged_into"}
)


class MergeError(Exception):
    """Two profiles that cannot be merged; the text is a sentence."""


@dataclass(frozen=True)
class SubscriptionLine:
    """What becomes of the subscription to one service.

    `kept` and `lost` are those of the two profiles; `result` is None when there is
    none in the end.
    """

    kept: Subscription | None
    lost: Subscription | None
    result: Subscription | None

    @property
    def service(self) -> str:
        known = self.kept or self.lost
        return str(known.service) if known else ""

    @property
    def is_stricter(self) -> bool:
        """Say whether the person gets less than one of the two did."""
        if self.result is None:
            return self.lost is not None and self.lost.unsubscribed_at is None
        return any(
            each is not None
            and (each.unsubscribed_at, each.expires_at)
            != (self.result.unsubscribed_at, self.result.expires_at)
            for each in (self.kept, self.lost)
        )


@dataclass(frozen=True)
class AddressLine:
    """An address of the profile that goes, and what becomes of it."""

    address: Address
    is_known: bool
    is_preferred: bool


@dataclass(frozen=True)
class Plan:
    """What a merge writes: the very thing that its preview shows."""

    keep: Profile
    lose: Profile
    fields: list[FieldLine]
    # What stops both of them already, and what stops one of them and then both.
    shared_opt_outs: list[OptOut]
    new_opt_outs: list[OptOut]
    lost_opt_outs: list[OptOut]
    subscriptions: list[SubscriptionLine]
    addresses: list[AddressLine]


def plan(keep: Profile, lose: Profile) -> Plan:
    """Say what merging would write, without writing it. Raises MergeError."""
    check_can_merge(keep, lose)
    flags = {pk: list(_flags(pk)) for pk in (keep.pk, lose.pk)}
    channels = {pk: {flag.channel for flag in found} for pk, found in flags.items()}
    addresses = _address_lines(keep, lose)
    return Plan(
        keep,
        lose,
        field_lines(keep, lose),
        [flag for flag in flags[keep.pk] if flag.channel in channels[lose.pk]],
        [flag for flag in flags[lose.pk] if flag.channel not in channels[keep.pk]],
        [flag for flag in flags[keep.pk] if flag.channel not in channels[lose.pk]],
        _subscription_lines(keep, lose, addresses),
        addresses,
    )


def merge(
    keep: Profile, lose: Profile, *, by: str, reason: str, now: datetime
) -> Profile:
    """Merge a profile into another for ever; gives the one that lives on.

    The reason is kept as evidence. Raises MergeError with a sentence.
    """
    if not reason.strip():
        raise MergeError(
            _("Nothing was merged: write why these two are one person, as evidence.")
        )
    with _giving_up(keep, lose), transaction.atomic():
        people = _locked(keep.pk, lose.pk)
        planned = plan(people[keep.pk], people[lose.pk])
        _carry_out(planned, now=now)
        _record(planned, by=by, reason=reason, now=now)
        # What is on its way to either was decided before the two were one.
        in_flight.wait_until_none([keep.pk, lose.pk])
    return planned.keep


def check_can_merge(keep: Profile, lose: Profile) -> None:
    """Raise MergeError with a sentence when these two cannot be merged."""
    why = ""
    if keep.pk == lose.pk:
        why = _("they are one profile already. Choose another one.")
    for profile in (keep, lose):
        if profile.merged_into_id is not None:
            why = _("“%(profile)s” was merged already. Search for it again.") % {
                "profile": profile
            }
        elif profile.erased_at is not None:
            why = _("the person of one was erased. Nothing can undo that.")
    if why:
        raise MergeError(_("These profiles cannot be merged: %(why)s") % {"why": why})


def _flags(profile_id: int) -> Iterable[OptOut]:
    return OptOut.objects.filter(profile_id=profile_id).order_by("channel")


def _address_lines(keep: Profile, lose: Profile) -> list[AddressLine]:
    kept = list(Address.objects.filter(profile=keep))
    known = {(each.channel, each.digest) for each in kept}
    taken = {each.channel for each in kept if each.is_preferred}
    lost = Address.objects.filter(profile=lose).order_by("channel", "-is_preferred")
    return [
        AddressLine(
            each,
            is_known=(each.channel, each.digest) in known,
            is_preferred=each.is_preferred and each.channel not in taken,
        )
        for each in lost
    ]


def _subscription_lines(
    keep: Profile, lose: Profile, addresses: Sequence[AddressLine]
) -> list[SubscriptionLine]:
    rows = Subscription.objects.filter(profile__in=[keep, lose])
    found: dict[int, dict[int, Subscription]] = {}
    for row in rows.select_related("service").order_by("service__label", "pk"):
        found.setdefault(row.service_id, {})[row.profile_id] = row
    return [
        _subscription_line(
            own.get(keep.pk), own.get(lose.pk), keep=keep, addresses=addresses
        )
        for own in found.values()
    ]


def _subscription_line(
    kept: Subscription | None,
    lost: Subscription | None,
    *,
    keep: Profile,
    addresses: Sequence[AddressLine],
) -> SubscriptionLine:
    if kept is None:
        assert lost is not None
        moves = lost.unsubscribed_at is not None or _is_mailbox_theirs(
            keep, lost.service.channel, addresses
        )
        return SubscriptionLine(None, lost, lost if moves else None)
    if lost is None:
        return SubscriptionLine(kept, None, kept)
    ends = [each for each in (kept.unsubscribed_at, lost.unsubscribed_at) if each]
    expiries = [each for each in (kept.expires_at, lost.expires_at) if each]
    result = Subscription(
        pk=kept.pk,
        profile=keep,
        service=kept.service,
        subscribed_at=kept.subscribed_at,
        expires_at=min(expiries, default=None),
        unsubscribed_at=min(ends, default=None),
        source=kept.source,
        origin=kept.origin,
    )
    return SubscriptionLine(kept, lost, result)


def _is_mailbox_theirs(
    keep: Profile, channel: int, addresses: Sequence[AddressLine]
) -> bool:
    """Say whether what was subscribed to would go where the subscriber gets it.

    Whoever subscribed with one mailbox did not ask for it in another.
    """
    own = Address.objects.filter(profile=keep, channel=channel, is_preferred=True)
    preferred = own.values_list("digest", flat=True).first()
    lost = {each.address.digest for each in addresses}
    return preferred is None or preferred in lost


def _carry_out(planned: Plan, *, now: datetime) -> None:
    keep, lose = planned.keep, planned.lose
    OptOut.objects.bulk_create(
        [
            OptOut(profile=keep, channel=each.channel, opted_out_at=each.opted_out_at)
            for each in planned.new_opt_outs
        ],
        ignore_conflicts=True,
    )
    for line in planned.subscriptions:
        _write_subscription(line, keep)
    Subscription.objects.filter(profile=lose).delete()
    _move_addresses(planned)
    fill(keep, planned.fields)
    keep.updated_at = now
    keep.save()
    _empty(lose, into=keep, now=now)
    # Of who lives on, each file asks again when it is handed over.
    extraction.leave_open_files([lose.pk])
    Profile.objects.filter(merged_into=lose).update(merged_into=keep)


def _write_subscription(line: SubscriptionLine, keep: Profile) -> None:
    if line.result is None:
        return
    if line.kept is None:
        Subscription.objects.filter(pk=line.result.pk).update(profile=keep)
        return
    line.result.save(update_fields=["expires_at", "unsubscribed_at"])


def _move_addresses(planned: Plan) -> None:
    lost = Address.objects.filter(profile=planned.lose)
    twins = [each.address.pk for each in planned.addresses if each.is_known]
    lost.filter(pk__in=twins).delete()
    preferred = [each.address.pk for each in planned.addresses if each.is_preferred]
    lost.exclude(pk__in=preferred).update(is_preferred=False)
    lost.update(profile=planned.keep)


def _empty(lose: Profile, *, into: Profile, now: datetime) -> None:
    for field in Profile._meta.concrete_fields:
        if field.name not in _KEPT_FIELDS:
            setattr(lose, field.attname, field.get_default())
    lose.merged_into = into
    lose.erased_at = lose.updated_at = now
    lose.save()


def _record(planned: Plan, *, by: str, reason: str, now: datetime) -> None:
    ledger.record(
        planned.lose.pk,
        None,
        Direction.MERGE,
        other_profile_id=planned.keep.pk,
        source=ConsentSource.OPERATOR,
        by=by,
        note=reason,
        now=now,
    )


def _locked(*profile_ids: int) -> dict[int, Profile]:
    """Lock the profiles, and those that were merged into them, against any change.

    In the order of their ids, and against the locks of profiles.merged: an opt-out
    that is being written ends before we look, one that comes later waits for us. Once
    the two are locked, nobody else is merged into them.
    """
    rows = Profile.objects.select_for_update().order_by("pk")
    people = {row.pk: row for row in rows.filter(pk__in=profile_ids)}
    list(rows.filter(merged_into__in=profile_ids))
    return people


@contextmanager
def _giving_up(keep: Profile, lose: Profile) -> Iterator[None]:
    """Say so when somebody else holds one of the two for too long."""
    try:
        if connection.vendor == "postgresql":
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                yield
            return
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise MergeError(
            _(
                "“%(keep)s” and “%(lose)s” were not merged: one of them is being"
                " changed at this moment, perhaps by a file. Try again in a minute."
            )
            % {"keep": keep, "lose": lose}
        ) from error
