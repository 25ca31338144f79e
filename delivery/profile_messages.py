"""The last messages to one person, for their page: what was sent, and what came of it.

The table of messages is cut by analysis and has no index by profile: that would cost
every analysis a write per row. So the latest deliveries that began are looked through
by key, a fixed number of them whatever there are, in one question.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import OuterRef, Subquery

from delivery.models import Attempt, Delivery, Message
from delivery.states import MessageStatus
from profiles.models import Profile

LOOKED_THROUGH: Final = 100  # deliveries
SHOWN: Final = 20  # messages


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message of one delivery; `at` is its last attempt, or when sending began.

    `reply` is what the server said last, or our own word.
    """

    delivery: Delivery
    status: MessageStatus
    at: datetime
    reply: str


def latest_of(profile: Profile) -> list[SentMessage]:
    """List the messages of the latest deliveries to a person, the newest first."""
    begun = Delivery.objects.filter(
        started_at__isnull=False, current_analysis__isnull=False
    ).order_by("-started_at", "-pk")[:LOOKED_THROUGH]
    deliveries = {each.current_analysis_id: each for each in begun}
    attempts = Attempt.objects.filter(
        analysis_id=OuterRef("analysis_id"), profile_id=OuterRef("profile_id")
    ).order_by("-number", "-pk")[:1]
    rows = (
        # As literals, so that PostgreSQL opens these partitions and no other.
        Message.objects.filter(analysis_id__in=list(deliveries), profile_id=profile.pk)
        .annotate(
            tried_at=Subquery(attempts.values("started_at")),
            reply=Subquery(attempts.values("reply")),
            code=Subquery(attempts.values("code")),
        )
        .values_list("analysis_id", "status", "tried_at", "reply", "code")
    )
    found = {row[0]: row for row in rows}
    shown = [pk for pk in deliveries if pk in found][:SHOWN]
    return [_message(deliveries[pk], *found[pk][1:]) for pk in shown]


def _message(
    delivery: Delivery, status: int, tried_at: datetime | None, /, *said: str | None
) -> SentMessage:
    at = tried_at or delivery.started_at
    assert at is not None
    reply = next((text for text in said if text), "")
    return SentMessage(delivery, MessageStatus(status), at, reply)
