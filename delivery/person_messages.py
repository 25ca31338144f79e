"""The messages of one person in the latest analyses: sent, waiting, or excluded.

The table of messages is cut by analysis and has no index by profile: that would cost
every analysis a write per row. So the current analyses of the latest deliveries are
looked through by key, a fixed number of them whatever there are, in one question.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import OuterRef, Subquery

from delivery.models import Attempt, Delivery, Message
from delivery.states import ExclusionReason, MessageStatus, reasons_in

LOOKED_THROUGH: Final = 100  # deliveries
SHOWN: Final = 20  # messages of deliveries that began
EXCLUDED: Final = frozenset({MessageStatus.EXCLUDED, MessageStatus.EXCLUDED_AFTER})


@dataclass(frozen=True, slots=True)
class PersonMessage:
    """A message of one delivery. `at` is its last attempt; without one, the analysis.

    `reply` is what the server said last, or our own word.
    """

    profile_id: int
    delivery: Delivery
    status: MessageStatus
    at: datetime
    attempt_count: int
    address: str
    reasons: list[ExclusionReason]
    reply: str

    @property
    def is_excluded(self) -> bool:
        return self.status in EXCLUDED


def latest_of(profile_ids: Collection[int]) -> list[PersonMessage]:
    """List the messages of a person, by their profiles, in the latest deliveries."""
    analysed = Delivery.objects.filter(current_analysis__finished_at__isnull=False)
    newest = analysed.order_by("-current_analysis_id")[:LOOKED_THROUGH]
    deliveries = {
        each.current_analysis_id: each
        for each in newest.select_related("current_analysis")
    }
    attempts = Attempt.objects.filter(
        analysis_id=OuterRef("analysis_id"), profile_id=OuterRef("profile_id")
    ).order_by("-number", "-pk")[:1]
    rows = (
        # As literals, so that PostgreSQL opens these partitions and no other.
        Message.objects.filter(
            analysis_id__in=list(deliveries), profile_id__in=list(profile_ids)
        )
        .annotate(
            tried_at=Subquery(attempts.values("started_at")),
            reply=Subquery(attempts.values("reply")),
            code=Subquery(attempts.values("code")),
        )
        .order_by("-analysis_id", "profile_id")
    )
    return [_message(deliveries[each.analysis_id], each) for each in rows]


def begun(messages: Iterable[PersonMessage]) -> list[PersonMessage]:
    """Keep the messages of the latest deliveries that began, the newest first."""
    started = [
        (each.delivery.started_at, each)
        for each in messages
        if each.delivery.started_at is not None
    ]
    # One that began at the same time as another keeps its place.
    started.sort(key=lambda pair: pair[0], reverse=True)
    return [each for _at, each in started[:SHOWN]]


def _message(delivery: Delivery, row: Message) -> PersonMessage:
    analysis = delivery.current_analysis
    assert analysis is not None
    at = getattr(row, "tried_at", None) or analysis.finished_at or analysis.started_at
    said = (getattr(row, "reply", None), getattr(row, "code", None))
    return PersonMessage(
        row.profile_id,
        delivery,
        MessageStatus(row.status),
        at,
        row.attempt_count,
        row.address,
        reasons_in(row.reasons),
        next((text for text in said if text), ""),
    )
