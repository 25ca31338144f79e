"""Parts: ranges of the profiles of a delivery, each worked on by one slot at a time.

A lease decides nothing about anybody: it only says who may bring these messages to
the gate. Nothing but the slot that has a part updates its leased rows; to pause or
cancel is to write the delivery, which the gate looks at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Min, Q

from delivery import giving_up
from delivery.channels.outcomes import OutcomeKind, Phase
from delivery.models import Attempt, Delivery, ExtractionRow, Message, Part, Slot
from delivery.states import DeliveryStatus, MessageStatus
from profiles.channels import Channel

MESSAGES_PER_PART: Final = 1_000
# A text message that may have gone is not sent again; an email is.
AT_MOST_ONCE: Final = frozenset({Channel.SMS})

_ENDING: Final = (DeliveryStatus.SENDING, DeliveryStatus.PAUSED, DeliveryStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Leased:
    """One message of a part, as it was made by the analysis."""

    profile_id: int
    digest: UUID | str
    address: str
    attempt_count: int


def build(analysis_id: int, *, due_at: datetime) -> int:
    """Cut what an analysis has to send into parts; gives how many there are."""
    table = Message._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO delivery_part"
            " (analysis_id, first_profile_id, last_profile_id, due_at, is_done)"
            " SELECT %s, MIN(profile_id), MAX(profile_id), %s, %s FROM"
            " (SELECT profile_id, (row_number() OVER (ORDER BY profile_id) - 1) / %s"
            f" AS part FROM {table} WHERE analysis_id = %s AND status = %s) numbered"
            " GROUP BY part ORDER BY part",
            [
                analysis_id,
                connection.ops.adapt_datetimefield_value(due_at),
                False,
                MESSAGES_PER_PART,
                analysis_id,
                MessageStatus.READY.value,
            ],
        )
        return int(cursor.rowcount)


def lease(slot: Slot, *, now: datetime) -> Part | None:
    """Take a part in which there is something to do; None when there is none.

    That is one of a delivery being sent that is due, and any of a delivery that was
    cancelled or whose validity is over.
    """
    # A look costs nothing; the UPDATE would take SQLite's one write lock.
    if not Part.objects.filter(is_done=False, slot=None).exists():
        return None
    at = connection.ops.adapt_datetimefield_value(now)
    states = ", ".join(f"'{status}'" for status in _ENDING)
    is_postgresql = connection.vendor == "postgresql"
    lock = "FOR UPDATE OF part SKIP LOCKED" if is_postgresql else ""
    found = Part.objects.raw(
        "UPDATE delivery_part SET slot_id = %s WHERE slot_id IS NULL AND id = ("
        "SELECT part.id FROM delivery_part part"
        " JOIN delivery_delivery delivery"
        " ON delivery.current_analysis_id = part.analysis_id"
        " WHERE NOT part.is_done AND part.slot_id IS NULL AND"
        f" (delivery.status = '{DeliveryStatus.CANCELLED}'"
        f" OR delivery.status IN ({states}) AND delivery.expires_at <= %s"
        f" OR delivery.status = '{DeliveryStatus.SENDING}' AND part.due_at <= %s)"
        f" ORDER BY part.due_at, part.id LIMIT 1 {lock}) RETURNING *",
        [slot.pk, at, at],
    )
    return next(iter(found), None)


def lease_messages(part: Part, *, now: datetime) -> list[Leased]:
    """Lease the messages of a part that are due, by profile id."""
    due = "(due_at IS NULL OR due_at <= %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Message._meta.db_table} SET status = %s WHERE analysis_id = %s"
            f" AND profile_id BETWEEN %s AND %s AND status = %s AND {due}"
            " RETURNING profile_id, digest, address, attempt_count",
            [
                MessageStatus.LEASED.value,
                part.analysis_id,
                part.first_profile_id,
                part.last_profile_id,
                MessageStatus.READY.value,
                connection.ops.adapt_datetimefield_value(now),
            ],
        )
        return sorted(
            (Leased(*row) for row in cursor.fetchall()),
            key=lambda message: message.profile_id,
        )


def defer(part: Part, profile_ids: Sequence[int], *, due_at: datetime) -> None:
    """Put leased messages of a part off until later."""
    rows = messages_of(part).filter(
        profile_id__in=profile_ids, status=MessageStatus.LEASED
    )
    rows.update(status=MessageStatus.READY, due_at=due_at)


@transaction.atomic
def release(part: Part, *, not_before: datetime | None = None) -> bool:
    """Give a part back: what was not begun is ready again; tells whether it is done.

    `not_before` is when somebody may take it again, when that is not at once.
    """
    rows = messages_of(part)
    rows.filter(status=MessageStatus.LEASED).update(status=MessageStatus.READY)
    ready = rows.filter(status=MessageStatus.READY)
    waiting = ready.aggregate(due_at=Min("due_at"))
    is_done = not ready.exists()
    has_due = ready.filter(due_at=None).exists()
    due_at = part.due_at if has_due else waiting["due_at"] or part.due_at
    if not_before is not None:
        due_at = max(due_at, not_before)
    _give_up(part, due_at=due_at, is_done=is_done)
    return is_done


@transaction.atomic
def close(part: Part, status: MessageStatus) -> None:
    """End a part of a delivery that was cancelled, or whose validity is over."""
    unsent = Q(status=MessageStatus.READY) | Q(status=MessageStatus.LEASED)
    messages_of(part).filter(unsent).update(status=status)
    if status == MessageStatus.EXPIRED:
        giving_up.mark(part)
    _give_up(part, due_at=part.due_at, is_done=True)


def recover(slot_id: int, *, now: datetime) -> int:
    """Free the parts of a dead slot, exactly; gives how many there were.

    Of each part at most one message is in doubt: it was begun, and what came of it
    was not recorded. An email is tried again; a text message stays unknown. Nothing is
    in doubt of a message that has its row in a file.
    """
    parts = list(Part.objects.filter(slot_id=slot_id, is_done=False))
    for part in parts:
        with transaction.atomic():
            _settle_doubtful(part, slot_id, now=now)
            messages_of(part).filter(status=MessageStatus.LEASED).update(
                status=MessageStatus.READY
            )
            _give_up(part, due_at=now, is_done=False)
    return len(parts)


def has_open(delivery: Delivery) -> bool:
    """Say whether any part of a delivery is not done."""
    return Part.objects.filter(
        analysis=delivery.current_analysis, is_done=False
    ).exists()


def messages_of(part: Part) -> Any:
    """Give the messages of a part."""
    return Message.objects.filter(
        analysis_id=part.analysis_id,
        profile_id__gte=part.first_profile_id,
        profile_id__lte=part.last_profile_id,
    )


def _settle_doubtful(part: Part, slot_id: int, *, now: datetime) -> None:
    delivery = Delivery.objects.get(current_analysis_id=part.analysis_id)
    written = ExtractionRow.objects.filter(
        extraction_id=delivery.pk,
        profile_id__range=(part.first_profile_id, part.last_profile_id),
    )
    doubtful = (
        messages_of(part)
        .filter(status=MessageStatus.SENDING)
        .exclude(profile_id__in=written.values("profile_id"))
    )
    Attempt.objects.bulk_create(
        Attempt(
            analysis_id=part.analysis_id,
            profile_id=message.profile_id,
            number=message.attempt_count,
            slot_id=slot_id,
            started_at=now,
            ended_at=now,
            outcome=OutcomeKind.AMBIGUOUS,
            phase=Phase.CONTENT,
            code="worker_lost",
        )
        for message in doubtful
    )
    fields: Mapping[str, Any] = {"status": MessageStatus.READY, "due_at": now}
    if delivery.channel in AT_MOST_ONCE:
        fields = {"status": MessageStatus.UNKNOWN}
    doubtful.update(**fields)


def _give_up(part: Part, *, due_at: datetime, is_done: bool) -> None:
    Part.objects.filter(pk=part.pk, slot=part.slot).update(
        slot=None, due_at=due_at, is_done=is_done
    )
