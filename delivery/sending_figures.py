"""How far the sending of a delivery is: counts by status, and how fast it goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Case, Count, F, Max, Min, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from delivery import lifecycle
from delivery.channels.transport import BY_FILE
from delivery.lifecycle import DeliveryEvent
from delivery.models import Attempt, Delivery, Message
from delivery.states import (
    TERMINAL,
    DeliveryStatus,
    ExclusionReason,
    MessageStatus,
    reasons_in,
)

_RATE_OVER = timedelta(minutes=1)
_LATEST = 5_000  # attempts that the rate is taken of
_LIVE = {DeliveryStatus.CONFIRMED, DeliveryStatus.SENDING}

# What states are called when it is told what became of those to send.
_LABELS: Final[dict[MessageStatus, str | Promise]] = {
    MessageStatus.READY: _("Waiting"),
    MessageStatus.LEASED: _("Taken by a worker"),
    MessageStatus.SENDING: _("On the way"),
}


@dataclass(frozen=True)
class StatusCount:
    """How many messages to send are in one status; `percent` of all of them."""

    status: MessageStatus
    count: int
    percent: float

    @property
    def label(self) -> str | Promise:
        return _LABELS.get(self.status, self.status.label)


@dataclass(frozen=True)
class LateCause:
    """How many the gate excluded after the analysis, by the primary reason."""

    reason: ExclusionReason
    count: int


@dataclass(frozen=True)
class SendingFigures:
    """All that the page of a delivery shows of its sending.

    `rate` is in messages a second over the last minute; `acts` are what may be done
    with the delivery now, by name. `to_send` is what the analysis counted: what the
    statuses add up to.
    """

    counts: list[StatusCount]
    late_causes: Sequence[LateCause]
    done: int
    total: int
    to_send: int
    rate: int
    acts: list[str]
    is_live: bool
    can_analyse: bool

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def reconciles(self) -> bool:
        return self.total == self.to_send

    def count_of(self, status: MessageStatus) -> int:
        return sum(each.count for each in self.counts if each.status == status)


def of(delivery: Delivery, *, now: datetime) -> SendingFigures:
    """Gather what is known of the sending of a delivery."""
    counts, late = _counts(delivery) if delivery.has_begun else ({}, {})
    current = delivery.current_analysis
    total = sum(counts.values())
    # A row that waits for its file has nothing before it but the others.
    ended = (
        TERMINAL | {MessageStatus.SENDING} if delivery.channel in BY_FILE else TERMINAL
    )
    return SendingFigures(
        counts=[
            StatusCount(status, counts[status], 100 * counts[status] / total)
            for status in MessageStatus
            if counts.get(status)
        ],
        late_causes=[
            LateCause(reason, late[reason])
            for reason in ExclusionReason
            if reason in late
        ],
        done=sum(counts.get(status, 0) for status in ended),
        total=total,
        to_send=current.to_send_count if current is not None else 0,
        rate=_rate(delivery, now=now),
        acts=[
            name
            for name, event in ACTS.items()
            if lifecycle.can(delivery, event) and _makes_sense(delivery, event)
        ],
        is_live=delivery.status in _LIVE,
        can_analyse=lifecycle.can(delivery, DeliveryEvent.ANALYSE),
    )


ACTS = {
    "withdraw": DeliveryEvent.WITHDRAW,
    "pause": DeliveryEvent.PAUSE,
    "resume": DeliveryEvent.RESUME,
    "cancel": DeliveryEvent.CANCEL,
}


def _makes_sense(delivery: Delivery, event: DeliveryEvent) -> bool:
    return event is not DeliveryEvent.CANCEL or delivery.status not in {
        DeliveryStatus.DRAFT,
        DeliveryStatus.ANALYSED,
    }


def _counts(
    delivery: Delivery,
) -> tuple[dict[MessageStatus, int], dict[ExclusionReason, int]]:
    """Count those to send by status, and those excluded since by primary reason."""
    rows = Message.objects.filter(analysis_id=delivery.current_analysis_id or 0)
    after = When(status=MessageStatus.EXCLUDED_AFTER, then=F("reasons"))
    found = (
        rows.exclude(status=MessageStatus.EXCLUDED)
        .values_list("status", Case(after, default=Value(0)))
        .annotate(count=Count("profile_id"))
    )
    counts: dict[MessageStatus, int] = {}
    late: dict[ExclusionReason, int] = {}
    for number, bits, count in found:
        status = MessageStatus(number)
        counts[status] = counts.get(status, 0) + count
        for reason in reasons_in(bits)[:1]:
            late[reason] = late.get(reason, 0) + count
    return counts, late


def _rate(delivery: Delivery, *, now: datetime) -> int:
    """Give the messages a second of the last attempts, within the last minute."""
    if delivery.status != DeliveryStatus.SENDING:
        return 0
    latest = Attempt.objects.order_by("-pk").values("pk")[:_LATEST]
    recent = Attempt.objects.filter(
        pk__in=list(latest.values_list("pk", flat=True)),
        analysis_id=delivery.current_analysis_id or 0,
        ended_at__gt=now - _RATE_OVER,
    ).aggregate(count=Count("pk"), first=Min("ended_at"), last=Max("ended_at"))
    if not recent["count"]:
        return 0
    seconds = (recent["last"] - recent["first"]).total_seconds()
    return int(recent["count"] / max(seconds, 1.0))
