"""How far the sending of a delivery is: counts by status, and how fast it goes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min

from delivery import lifecycle
from delivery.channels.transport import BY_FILE
from delivery.lifecycle import DeliveryEvent
from delivery.models import Attempt, Delivery, Message
from delivery.states import TERMINAL, DeliveryStatus, MessageStatus

_RATE_OVER = timedelta(minutes=1)
_LATEST = 5_000  # attempts that the rate is taken of
_LIVE = {DeliveryStatus.CONFIRMED, DeliveryStatus.SENDING}


@dataclass(frozen=True)
class StatusCount:
    """How many messages to send are in one status; `percent` of all of them."""

    status: MessageStatus
    count: int
    percent: float


@dataclass(frozen=True)
class SendingFigures:
    """All that the page of a delivery shows of its sending.

    `rate` is in messages a second over the last minute; `acts` are what may be done
    with the delivery now, by name.
    """

    counts: list[StatusCount]
    done: int
    total: int
    rate: int
    acts: list[str]
    is_live: bool
    can_analyse: bool

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


def of(delivery: Delivery, *, now: datetime) -> SendingFigures:
    """Gather what is known of the sending of a delivery."""
    counts = _counts(delivery) if delivery.has_begun else {}
    counts.pop(MessageStatus.EXCLUDED, None)
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
        done=sum(counts.get(status, 0) for status in ended),
        total=total,
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


def _counts(delivery: Delivery) -> dict[MessageStatus, int]:
    rows = Message.objects.filter(analysis_id=delivery.current_analysis_id or 0)
    found = rows.values_list("status").annotate(count=Count("profile_id"))
    return {MessageStatus(status): count for status, count in found}


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
