"""Bursts: many opt-outs of one delivery within seconds, found in the ledger.

Some mail scanners press buttons. What they did cannot be told
from what people did, so it takes effect, and a burst is only flagged. Somebody with
the right `optout.reverse_burst` (asked at the door) may reverse it as a batch.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from optout.models import Burst, ConsentEvent
from optout.models.bursts import BurstState
from optout.models.ledger import ConsentSource, Direction
from profiles import bulk

# So many within this time. People take minutes to hours to read a message; a share of
# the delivery (such as 3 % within 60 s) can be added once it is known what was sent.
FEWEST: Final = 20
WITHIN: Final = timedelta(seconds=10)
# Opt-outs that are older are not looked at again.
LOOK_BACK: Final = timedelta(days=7)
WATCHED: Final = (ConsentSource.LANDING_PAGE, ConsentSource.ONE_CLICK)


@dataclass(frozen=True, slots=True)
class _Found:
    delivery_id: int
    began_at: datetime
    ended_at: datetime
    count: int


def detect(now: datetime) -> int:
    """Flag the bursts of the last days; returns how many are new."""
    return sum(_flag(found, now=now) for found in _find(now - LOOK_BACK))


def opt_outs(burst: Burst) -> QuerySet[ConsentEvent]:
    """List the opt-outs of a burst in the ledger."""
    return _watched(burst.delivery_id).filter(
        at__gte=burst.began_at, at__lte=burst.ended_at
    )


@transaction.atomic
def _flag(found: _Found, *, now: datetime) -> bool:
    """Keep what was found; a burst that goes on stays one while nobody decided."""
    known = (
        Burst.objects.select_for_update()
        .filter(
            delivery_id=found.delivery_id,
            began_at__lte=found.ended_at,
            ended_at__gte=found.began_at,
        )
        .order_by("-ended_at")
        .first()
    )
    if known is None:
        return _create(found, now=now)
    if known.ended_at >= found.ended_at:
        return False
    if known.state == BurstState.FLAGGED:
        known.ended_at = found.ended_at
        known.count = opt_outs(known).count()
        known.save(update_fields=["ended_at", "count"])
        return False
    later = _watched(found.delivery_id).filter(
        at__gt=known.ended_at, at__lte=found.ended_at
    )
    first = later.order_by("at").first()
    count = later.count()
    if first is None or count < FEWEST:
        return False
    rest = _Found(found.delivery_id, first.at, found.ended_at, count)
    return _create(rest, now=now)


def _create(found: _Found, *, now: datetime) -> bool:
    _row, is_new = Burst.objects.get_or_create(
        delivery_id=found.delivery_id,
        began_at=found.began_at,
        defaults={
            "ended_at": found.ended_at,
            "count": found.count,
            "found_at": now,
        },
    )
    return is_new


def _watched(delivery_id: int) -> QuerySet[ConsentEvent]:
    return ConsentEvent.objects.filter(
        delivery_id=delivery_id, direction=Direction.OUT, source__in=WATCHED
    )


def _find(since: datetime) -> list[_Found]:
    """Find the runs of opt-outs that are dense: FEWEST of them in WITHIN.

    A run ends before an opt-out that is in no dense window, or that comes later than
    WITHIN after the one before.
    """
    within = int(WITHIN.total_seconds() * 1000)
    parameters = [
        Direction.OUT.value,
        *(source.value for source in WATCHED),
        connection.ops.adapt_datetimefield_value(since),
        within,
        within,
    ]
    rows = bulk.select(_statement(), parameters)
    return [
        _Found(row[0], bulk.moment(row[1]), bulk.moment(row[2]), row[3]) for row in rows
    ]


def _statement() -> str:
    ahead, back = FEWEST - 1, _milliseconds("at", "before")
    return f"""
        WITH watched AS (
            SELECT id, delivery_id, at,
                LEAD(at, {ahead}) OVER w AS last,
                LAG(at) OVER w AS before
            FROM optout_consentevent
            WHERE delivery_id IS NOT NULL AND direction = %s
                AND source IN (%s, %s) AND at >= %s
            WINDOW w AS (PARTITION BY delivery_id ORDER BY at, id)
        ), starts AS (
            SELECT id, delivery_id, at,
                CASE WHEN {_milliseconds("last", "at")} <= %s
                    THEN 1 ELSE 0 END AS is_start,
                CASE WHEN {back} <= %s THEN 0 ELSE 1 END AS is_far
            FROM watched
        ), members AS (
            SELECT id, delivery_id, at, is_far,
                MAX(is_start) OVER (PARTITION BY delivery_id ORDER BY at, id
                    ROWS BETWEEN {ahead} PRECEDING AND CURRENT ROW) AS is_member
            FROM starts
        ), runs AS (
            SELECT delivery_id, at, is_member,
                SUM(CASE WHEN is_member = 0 OR is_far = 1 THEN 1 ELSE 0 END)
                    OVER (PARTITION BY delivery_id ORDER BY at, id
                    ROWS UNBOUNDED PRECEDING) AS run
            FROM members
        )
        SELECT delivery_id, MIN(at), MAX(at), COUNT(*)
        FROM runs WHERE is_member = 1
        GROUP BY delivery_id, run ORDER BY delivery_id, run"""


def _milliseconds(later: str, earlier: str) -> str:
    """Write the time between two moments; null when one of them is."""
    if connection.vendor == "postgresql":
        return f"ROUND(EXTRACT(EPOCH FROM {later} - {earlier}) * 1000)"
    return f"ROUND((julianday({later}) - julianday({earlier})) * 86400000)"
