"""Deliveries on their way: how far each is, in two queries for all of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Min

from delivery.channels.transport import BY_FILE
from delivery.models import Attempt, Delivery, Message
from delivery.states import TERMINAL, DeliveryStatus, MessageStatus

_RATE_OVER: Final = timedelta(minutes=1)
_LATEST: Final = 5_000  # attempts that the rates are taken of


@dataclass(frozen=True)
class Journey:
    """How far one delivery is; `rate` is in messages a second, 0 when unknown."""

    delivery: Delivery
    to_send: int
    sent: int
    excluded: int
    failed: int
    done: int
    rate: int

    @property
    def percent(self) -> int:
        return 100 * self.done // self.to_send if self.to_send else 0

    @property
    def is_paused(self) -> bool:
        return self.delivery.status == DeliveryStatus.PAUSED

    @property
    def tone(self) -> str:
        return "warn" if self.is_paused else ""


def of(deliveries: Sequence[Delivery], *, now: datetime) -> list[Journey]:
    """Say how far these deliveries are."""
    ids = [each.current_analysis_id for each in deliveries if each.current_analysis_id]
    counts, rates = _counts(ids), _rates(ids, now=now)
    return [
        _journey(
            each,
            counts.get(each.current_analysis_id or 0, Counter()),
            rate=rates.get(each.current_analysis_id or 0, 0),
        )
        for each in deliveries
    ]


def _journey(delivery: Delivery, counts: Counter[int], *, rate: int) -> Journey:
    waiting_for_file = (
        counts[MessageStatus.SENDING] if delivery.channel in BY_FILE else 0
    )
    return Journey(
        delivery,
        to_send=counts.total(),
        sent=counts[MessageStatus.SENT] + waiting_for_file,
        excluded=counts[MessageStatus.EXCLUDED_AFTER],
        failed=counts[MessageStatus.FAILED],
        done=sum(counts[status] for status in TERMINAL) + waiting_for_file,
        rate=rate if delivery.status == DeliveryStatus.SENDING else 0,
    )


def _counts(analysis_ids: Sequence[int]) -> dict[int, Counter[int]]:
    """Count the messages that were to be sent, by analysis and status."""
    if not analysis_ids:
        return {}
    rows = Message.objects.filter(analysis_id__in=analysis_ids)
    rows = rows.exclude(status=MessageStatus.EXCLUDED)
    found: dict[int, Counter[int]] = {each: Counter() for each in analysis_ids}
    for analysis_id, status, count in rows.values_list(
        "analysis_id", "status"
    ).annotate(count=Count("profile_id")):
        found[analysis_id][status] = count
    return found


def _rates(analysis_ids: Sequence[int], *, now: datetime) -> dict[int, int]:
    """Give the messages a second of the last attempts, within the last minute."""
    if not analysis_ids:
        return {}
    latest = Attempt.objects.order_by("-pk").values("pk")[:_LATEST]
    rows = (
        Attempt.objects.filter(
            pk__in=latest, analysis_id__in=analysis_ids, ended_at__gt=now - _RATE_OVER
        )
        .values("analysis_id")
        .annotate(count=Count("pk"), first=Min("ended_at"), last=Max("ended_at"))
    )
    return {
        row["analysis_id"]: int(
            row["count"] / max((row["last"] - row["first"]).total_seconds(), 1.0)
        )
        for row in rows
    }
