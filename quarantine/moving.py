"""One event for many addresses: the rows, and a line of history for each of them.

What the event makes of a state is in quarantine.transitions, as it is for one address.
The addresses are locked in the order that everybody locks them in, so that nobody waits
for each other, and asked once more when they are locked: whatever was changed in the
meantime stays as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from profiles import bulk, in_flight
from quarantine.models import (
    QuarantineBatch,
    QuarantinedAddress,
    QuarantinedAddressQuerySet,
    QuarantineEvent,
)
from quarantine.reasons import EXCLUDING, Event, Source, Status
from quarantine.transitions import TABLE

CHUNK: Final = 5_000
_ADDRESSES: Final = QuarantinedAddress._meta.db_table
_EVENTS: Final = QuarantineEvent._meta.db_table


@dataclass(frozen=True, slots=True)
class Move:
    """What happens to many addresses, who makes it happen, and why.

    `fields` are those of the rows that change besides their status.
    """

    event: Event
    source: Source
    now: datetime
    by: str = ""
    note: str = ""
    batch: QuarantineBatch | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def from_statuses(event: Event) -> list[Status]:
    """List the statuses of which the table makes something by this event."""
    return [each for each in Status if isinstance(TABLE[each, event], Status)]


def target_of(event: Event) -> Status:
    """Give the one status that an event of many addresses leads to."""
    [target] = {
        cell
        for status in from_statuses(event)
        if isinstance(cell := TABLE[status, event], Status)
    }
    return target


def move(rows: QuarantinedAddressQuerySet, what: Move) -> int:
    """Move the addresses on which the event has an effect; returns how many.

    Each chunk is a transaction of its own, unless the caller has one: what was
    interrupted goes on where it stopped when it is done again.
    """
    return sum(in_chunks(rows, what))


def in_chunks(rows: QuarantinedAddressQuerySet, what: Move) -> Iterator[int]:
    """Move the addresses, and give the size of each chunk when it is done."""
    concerned = rows.filter(status__in=from_statuses(what.event))
    ordered = concerned.order_by("digest", "channel")
    keys = list(ordered.values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        yield _move_chunk(concerned, keys[start : start + CHUNK], what)


@transaction.atomic
def _move_chunk(rows: QuarantinedAddressQuerySet, keys: list[int], what: Move) -> int:
    locked = list(
        rows.filter(pk__in=keys)
        .order_by("digest", "channel")
        .select_for_update(of=("self",))
        .values_list("pk", "digest")
    )
    if not locked:
        return 0
    chosen = [key for key, _digest in locked]
    target = target_of(what.event)
    _remember(chosen, what, target)
    QuarantinedAddress.objects.filter(pk__in=chosen).update(
        **{
            "status": target,
            "updated_by": what.by,
            "updated_at": what.now,
            **what.fields,
        }
    )
    if target in EXCLUDING:
        in_flight.wait_until_none([], [digest for _key, digest in locked])
    return len(chosen)


def _remember(keys: list[int], what: Move, target: Status) -> None:
    """Write the history: each line says how its address was before."""
    condition, parameter = bulk.is_any_of("id", keys)
    at = connection.ops.adapt_datetimefield_value(what.now)
    bulk.execute(
        f"INSERT INTO {_EVENTS} (channel, digest, domain, from_status, reason,"
        " is_provisional, error_count, code, delivery_label, to_status, event, at,"
        " source, note, actor, batch_id)"
        " SELECT channel, digest, domain, status, reason, is_provisional,"
        " significant_error_count, error_code, last_delivery_label,"
        " %s, %s, %s, %s, %s, %s, %s"
        f" FROM {_ADDRESSES} WHERE {condition}",
        [
            target.value,
            what.event.value,
            at,
            what.source.value,
            what.note,
            what.by,
            what.batch.pk if what.batch is not None else None,
            parameter,
        ],
    )
