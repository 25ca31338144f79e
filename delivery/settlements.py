"""What came of messages, as it is recorded: their status, and a row per attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from delivery.channels.outcomes import REFUSALS, Outcome
from delivery.models import Attempt, Message, Part
from delivery.states import MessageStatus


@dataclass(frozen=True, slots=True)
class Settlement:
    """What came of a message that was begun: its status then, and when it is due.

    `number` counts its attempts from 1.
    """

    profile_id: int
    number: int
    started_at: datetime
    outcome: Outcome
    status: MessageStatus
    due_at: datetime | None = None


@transaction.atomic
def record(
    settlement: Settlement,
    part: Part,
    *,
    now: datetime,
    before: MessageStatus = MessageStatus.SENDING,
) -> bool:
    """Record a settlement while the message is in the status before; tells whether.

    The attempt is logged in any case: it happened.
    """
    rows = Message.objects.filter(
        analysis_id=part.analysis_id,
        profile_id=settlement.profile_id,
        status=before,
    )
    changed = rows.update(status=settlement.status, due_at=settlement.due_at)
    Attempt.objects.create(**attempt_fields(settlement, part, ended_at=now))
    return bool(changed)


def record_late(settlement: Settlement, part: Part, *, now: datetime) -> None:
    """Record through a new connection what the lost one may have recorded already."""
    known = Attempt.objects.filter(
        analysis_id=part.analysis_id,
        profile_id=settlement.profile_id,
        number=settlement.number,
    )
    if not known.exists():
        record(settlement, part, now=now)


def attempt_fields(
    settlement: Settlement, part: Part, *, ended_at: datetime
) -> dict[str, Any]:
    """Give the fields of the attempt that a settlement leaves in the log."""
    outcome = settlement.outcome
    return {
        "analysis_id": part.analysis_id,
        "profile_id": settlement.profile_id,
        "number": settlement.number,
        "slot_id": part.slot_id,
        "started_at": settlement.started_at,
        "ended_at": ended_at,
        "outcome": outcome.kind,
        "phase": outcome.phase,
        "reply_code": outcome.reply_code,
        "enhanced": outcome.enhanced,
        "code": outcome.code,
        "reply": outcome.reply,
        "is_unread": outcome.kind in REFUSALS,
    }
