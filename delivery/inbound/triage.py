"""What came in and needs a person: a list with a clock, and what they decide.

Due in one working day, late after five; what smells of a stop and nobody has read in
nine is taken for one (47 CFR 64.1200(a)(10): ten working days at the most). Holidays
count as working days, which is the stricter way.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery.inbound import numbers, text_messages
from delivery.models import Decision, Inbound, InboundKind, InboundState, TriageItem
from delivery.start_page import Task
from optout import preferences
from optout.models.ledger import ConsentSource
from profiles.addresses import ParsedAddress, parse
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, Profile
from quarantine.reasons import Source

DUE_AFTER: Final = 1  # working days
LATE_AFTER: Final = 5
ACTS_AFTER: Final = 9
MOST_SHOWN: Final = 20
MOST_AT_ONCE: Final = 100
LATEST_SHOWN: Final = 10
# Who decided when nobody did.
AUTOMATIC: Final = "automatic"
_SATURDAY: Final = 5
_CHANNELS: Final = {InboundKind.TEXT: Channel.SMS, InboundKind.MAIL: Channel.EMAIL}


class TriageError(Exception):
    """A decision that cannot be made; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Decided:
    """How many profiles a decision covers, and for how many it was news."""

    people: int
    changed: int


def add(inbound: Inbound, *, is_suspected_stop: bool, now: datetime) -> TriageItem:
    """Put what came in on the list of a person; a second time changes nothing.

    Sets the state of the report, which the caller saves.
    """
    inbound.state = InboundState.TRIAGE
    item, _is_new = TriageItem.objects.get_or_create(
        inbound=inbound,
        defaults={
            "is_suspected_stop": is_suspected_stop,
            "added_at": now,
            "due_at": working_days_after(now, DUE_AFTER),
            "acts_at": (
                working_days_after(now, ACTS_AFTER) if is_suspected_stop else None
            ),
        },
    )
    return item


def waiting() -> Sequence[TriageItem]:
    """List what waits for a decision, the most urgent first; MOST_SHOWN of them."""
    found = TriageItem.objects.filter(closed_at__isnull=True).select_related("inbound")
    return list(found.order_by("due_at", "pk")[:MOST_SHOWN])


def latest_decided() -> Sequence[TriageItem]:
    """List what was decided last, newest first."""
    closed = TriageItem.objects.filter(closed_at__isnull=False)
    return list(closed.order_by("-closed_at", "-pk")[:LATEST_SHOWN])


def count_waiting() -> int:
    return TriageItem.objects.filter(closed_at__isnull=True).count()


def tasks(now: datetime) -> list[Task]:
    """Give the start page's line about what waits here; none when nothing does."""
    open_ones = TriageItem.objects.filter(closed_at__isnull=True)
    counts = open_ones.aggregate(
        all=Count("pk"), overdue=Count("pk", Q(due_at__lte=now))
    )
    count, overdue = counts["all"], counts["overdue"]
    if not count:
        return []
    title = ngettext(
        "%(count)s message to decide about",
        "%(count)s messages to decide about",
        count,
    ) % {"count": count}
    why = _("%(count)s overdue") % {"count": overdue} if overdue else _("To be read")
    return [Task(title, why, reverse("triage"), "bad" if overdue else "warn")]


def choices_of(item: TriageItem, people: Sequence[Profile]) -> list[Decision]:
    """List the decisions that can be made about an item and the people it is about."""
    channel = channel_of(item)
    has_number = channel == Channel.SMS and item.inbound.digest is not None
    offered = []
    if has_number:
        offered.append(Decision.ADDRESS)
    if people and not has_number and channel is not None:
        offered.append(Decision.CHANNEL)
    if people:
        offered.append(Decision.PERSON)
    return [*offered, Decision.NOTHING]


def channel_of(item: TriageItem) -> Channel | None:
    return _CHANNELS.get(InboundKind(item.inbound.kind))


def people_of(item: TriageItem) -> list[Profile]:
    """List who one item is about, as people_of_all does."""
    return people_of_all([item])[item.pk]


def people_of_all(items: Sequence[TriageItem]) -> dict[int, list[Profile]]:
    """List who each is about: the profile of its token, else who carries its address.

    Of a profile that was merged, it is the one that lives on. Three queries.
    """
    about = {each.pk: each.inbound for each in items}
    named = {each.profile_id for each in about.values() if each.profile_id is not None}
    living_id = Coalesce("merged_into_id", "pk")
    lives_on = dict(Profile.objects.filter(pk__in=named).values_list("pk", living_id))
    digests = {
        each.digest
        for each in about.values()
        if each.profile_id is None and each.digest is not None
    }
    carriers: dict[UUID | None, set[int]] = defaultdict(set)
    carrying = Address.objects.filter(digest__in=digests)
    for digest, profile_id in carrying.values_list("digest", "profile_id"):
        carriers[digest].add(profile_id)
    ids = {*lives_on.values(), *(pk for pks in carriers.values() for pk in pks)}
    living = Profile.objects.not_erased().in_bulk(ids)

    found = {}
    for number, each in about.items():
        meant = carriers[each.digest]
        if each.profile_id is not None:
            meant = {lives_on.get(each.profile_id, 0)}
        found[number] = [living[pk] for pk in sorted(meant & living.keys())]
    return found


@transaction.atomic
def decide(item_id: int, decision: Decision, *, by: str, now: datetime) -> Decided:
    """Do what somebody decided, and close the item.

    Raises TriageError when it is closed, or when that cannot be decided about it.
    """
    locked = TriageItem.objects.select_for_update(of=("self",))
    item = locked.select_related("inbound").filter(pk=item_id).first()
    if item is None or item.closed_at is not None:
        raise TriageError(
            _(
                "Nothing was changed: somebody has decided about this message already."
                " Reload the list."
            )
        )
    people = people_of(item)
    if decision not in choices_of(item, people):
        raise TriageError(
            _(
                "Nothing was changed: of this message nobody knows whom it is about."
                " Find the person by name, or choose that there is nothing to do."
            )
        )
    decided = _apply(item, decision, people, by=by, now=now)
    item.closed_at, item.closed_by, item.decision = now, by, decision
    item.save(update_fields=["closed_at", "closed_by", "decision"])
    is_nothing = decision == Decision.NOTHING
    state = InboundState.RECORDED if is_nothing else InboundState.APPLIED
    Inbound.objects.filter(pk=item.inbound_id).update(state=state)
    return decided


def act_on_unread(*, now: datetime) -> int:
    """Take for a stop what smells of one and nobody has read for nine working days.

    Gives how many there were. One of which nobody knows whom it is about waits on.
    """
    unread = TriageItem.objects.filter(closed_at__isnull=True, acts_at__lte=now)
    done = 0
    for item in unread.select_related("inbound").order_by("acts_at")[:MOST_AT_ONCE]:
        decision = choices_of(item, people_of(item))[0]
        if decision == Decision.NOTHING:
            continue
        try:
            decide(item.pk, decision, by=AUTOMATIC, now=now)
        except TriageError:
            # Somebody decided, or erased the person, at this very moment.
            continue
        done += 1
    return done


def working_days_after(moment: datetime, days: int) -> datetime:
    """Give the same time of day so many working days later (Monday to Friday)."""
    day = timezone.localtime(moment)
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day


def _apply(
    item: TriageItem,
    decision: Decision,
    people: Sequence[Profile],
    *,
    by: str,
    now: datetime,
) -> Decided:
    note = _("Read from inbound report %(number)s.") % {"number": item.inbound_id}
    if decision == Decision.ADDRESS:
        assert item.inbound.digest is not None
        change = numbers.stop(
            _number_of(item), by=by, source=Source.OPERATOR, note=note, now=now
        )
        return Decided(len(people), change.ledger_rows)
    if decision == Decision.NOTHING:
        return Decided(0, 0)
    channel: int | None = ANY_CHANNEL
    if decision == Decision.CHANNEL:
        channel = channel_of(item)
    assert channel is not None
    changed = [
        preferences.opt_out(
            each, channel, by=by, source=ConsentSource.OPERATOR, note=note, now=now
        ).changed
        for each in people
    ]
    return Decided(len(people), sum(map(len, changed)))


def _number_of(item: TriageItem) -> ParsedAddress:
    """Give the number of a text; only its digest once the text was erased."""
    inbound = item.inbound
    assert inbound.digest is not None
    sender = text_messages.read(bytes(inbound.raw)).sender if inbound.raw else ""
    number = parse(Channel.SMS, sender, country=settings.SMS_GATEWAY_COUNTRY)
    if number.digest == inbound.digest:
        return number
    return ParsedAddress(Channel.SMS, "", "", inbound.digest, "", True)
