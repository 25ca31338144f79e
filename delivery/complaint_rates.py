"""Complaint rates per recipient domain, and what they do to its marketing mail.

Mailbox providers judge a sender by the share of messages that are called unwanted, and
stop taking its mail at 0.3 %. So long before that the lane of the domain is paused.

Messages are counted on the day they were sent, complaints on the day of their message:
a share is of what one day's recipients made of it, however late they complain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from delivery.models import DomainDay, HoldLevel, LaneHold

PAUSED_FOR: Final = timedelta(days=1)
# What is held until a person says so is looked at again so soon.
LOOK_AGAIN: Final = timedelta(minutes=5)
_HOLDING: Final = (HoldLevel.PAUSED, HoldLevel.STOPPED)


class LaneError(Exception):
    """A lane that cannot be resumed; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class _Figures:
    sent: int
    complaints: int

    @property
    def level(self) -> HoldLevel | None:
        """Give what they call for; None when they are few or good."""
        if not self.complaints or self.sent < settings.COMPLAINT_MINIMUM:
            return None
        share = self.complaints / self.sent
        for least, level in (
            (settings.COMPLAINT_STOP, HoldLevel.STOPPED),
            (settings.COMPLAINT_PAUSE, HoldLevel.PAUSED),
            (settings.COMPLAINT_WARNING, HoldLevel.WARNED),
        ):
            if share >= least:
                return level
        return None


def count_sent(sent: Mapping[tuple[str, date], int]) -> None:
    """Count what was sent, by domain and day, in one statement."""
    if not sent:
        return
    table = DomainDay._meta.db_table
    # In one order everywhere, so that no two senders wait for each other.
    rows = [
        value
        for domain, day in sorted(sent)
        for value in (domain[:255], day, sent[domain, day], 0, 0, 0)
    ]
    places = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(sent))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (domain, day, sent, complaints, forgiven_sent,"
            f" forgiven_complaints) VALUES {places} ON CONFLICT (domain, day)"
            f" DO UPDATE SET sent = {table}.sent + EXCLUDED.sent",
            rows,
        )


def sent_since(domain: str, since: datetime) -> int:
    """Give how many messages a domain got since a moment, in whole days."""
    days = DomainDay.objects.filter(domain=domain, day__gte=since.date())
    return days.aggregate(sent=Sum("sent"))["sent"] or 0


@transaction.atomic
def count_complaint(domain: str, day: date, *, now: datetime) -> None:
    """Count a complaint about a message of a day, and judge the lane by that day."""
    DomainDay.objects.get_or_create(domain=domain, day=day)
    rows = DomainDay.objects.filter(domain=domain, day=day)
    rows.update(complaints=F("complaints") + 1)
    row = rows.get()
    figures = _Figures(
        row.sent - row.forgiven_sent, row.complaints - row.forgiven_complaints
    )
    level = figures.level
    if level is not None:
        _judge(domain, level, figures, day=day, now=now)


def held_until(*, now: datetime) -> dict[str, datetime]:
    """Give the domains that get no marketing mail, and when to look again."""
    rows = LaneHold.objects.filter(level__in=_HOLDING)
    return {
        domain: until if until is not None else now + LOOK_AGAIN
        for domain, until in rows.values_list("domain", "until")
        if until is None or until > now
    }


@transaction.atomic
def lift(hold_id: int, *, by: str, now: datetime) -> LaneHold:
    """Let a domain have its marketing mail again; what was complained of is forgiven.

    Raises LaneError when it has it already.
    """
    hold = LaneHold.objects.select_for_update().filter(pk=hold_id).first()
    if hold is None or hold.level not in _HOLDING:
        raise LaneError(
            _("The lane cannot be resumed: it is not paused. Reload the page.")
        )
    DomainDay.objects.filter(domain=hold.domain).update(
        forgiven_sent=F("sent"), forgiven_complaints=F("complaints")
    )
    hold.level, hold.until = HoldLevel.LIFTED, None
    hold.lifted_at, hold.lifted_by = now, by
    hold.save(update_fields=["level", "until", "lifted_at", "lifted_by"])
    return hold


def _judge(
    domain: str, level: HoldLevel, figures: _Figures, *, day: date, now: datetime
) -> None:
    """Make the hold of a domain as strict as its figures call for, never milder."""
    fields = {
        "level": level,
        "since": now,
        "until": now + PAUSED_FOR if level == HoldLevel.PAUSED else None,
        "day": day,
        "sent": figures.sent,
        "complaints": figures.complaints,
        "lifted_at": None,
        "lifted_by": "",
    }
    hold, is_new = LaneHold.objects.select_for_update().get_or_create(
        domain=domain, defaults=fields
    )
    if not is_new and _order(level) >= _order(_standing(hold, now=now)):
        if hold.level == level and hold.until is None:
            fields["since"] = hold.since
        for name, value in fields.items():
            setattr(hold, name, value)
        hold.save()


def _standing(hold: LaneHold, *, now: datetime) -> HoldLevel:
    """Give the level that a hold still has: a pause ends by itself."""
    if hold.level == HoldLevel.PAUSED and hold.until and hold.until <= now:
        return HoldLevel.WARNED
    return HoldLevel(hold.level)


def _order(level: HoldLevel) -> int:
    return list(HoldLevel).index(level)
