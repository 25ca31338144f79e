"""Incidents: what looks like an outage of a domain afterwards, and how it is mended.

Bounces are grouped by domain and time. Where unusually many addresses of one domain
went into quarantine in one stretch of time, releasing them together is proposed. A
release can be undone: it restores the addresses that nothing changed since, exactly.
Whoever complained, answered STOP, was listed or erased is never part of an incident.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, OuterRef, Subquery
from django.utils.translation import gettext as _

from profiles import bulk
from profiles.addresses import mask
from quarantine import moving, outages
from quarantine.models import (
    BatchState,
    QuarantineBatch,
    QuarantinedAddress,
    QuarantinedAddressQuerySet,
    QuarantineEvent,
)
from quarantine.moving import Move
from quarantine.reasons import OUTAGE_REASONS, Event, Reason, Source, Status
from quarantine.release import check_note
from quarantine.transitions import QuarantineError

# How far back proposals look; an older incident is found by its domain and times.
LOOK_BACK: Final = timedelta(days=28)
MOST_PROPOSALS: Final = 20
SAMPLES: Final = 5
# Errors in neighbouring stretches belong together.
_STRETCH: Final = timedelta(minutes=10)
_ADDRESSES: Final = QuarantinedAddress._meta.db_table
_RELEASES: Final = (Event.RELEASE, Event.PROVISIONAL_DISCARDED)


@dataclass(frozen=True, slots=True)
class Window:
    """The errors of one domain that an incident consists of; an empty code is any."""

    channel: int
    domain: str
    began_at: datetime
    ended_at: datetime
    code: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A release that is proposed: how many addresses, of how many in four weeks."""

    window: Window
    count: int
    usual: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a release would do, with a few of the addresses, masked."""

    count: int
    reasons: list[tuple[str, int]]
    codes: list[tuple[str, int]]
    samples: list[str]


def proposals(*, now: datetime) -> list[Proposal]:
    """List what looks like an outage in the last four weeks, newest first."""
    stretches = _stretches(now - LOOK_BACK)
    runs = [run for each in stretches.values() for run in _runs(each)]
    totals = _totals({window.domain for window, _count in runs}, since=now - LOOK_BACK)
    found = []
    for window, count in runs:
        # Of those counted first, some may have been released meanwhile.
        total = max(totals.get((window.channel, window.domain), 0), count)
        if 100 * count >= settings.QUARANTINE_OUTAGE_USUAL_PERCENT * total:
            found.append(Proposal(window, count, total - count))
    found.sort(key=lambda each: each.window.began_at, reverse=True)
    return found[:MOST_PROPOSALS]


def members(window: Window) -> QuarantinedAddressQuerySet:
    """Keep the addresses that a release of this window would let go."""
    rows = outages.bounced(
        window.channel, window.domain, since=window.began_at, until=window.ended_at
    ).filter(is_provisional=False)
    return rows.filter(error_code=window.code) if window.code else rows


def preview(rows: QuarantinedAddressQuerySet) -> Preview:
    """Say what a release of these addresses would do, in three queries."""
    reasons = rows.values("reason").annotate(count=Count("pk")).order_by("-count")
    codes = rows.values("error_code").annotate(count=Count("pk")).order_by("-count")
    by_reason = [(str(Reason(row["reason"]).label), row["count"]) for row in reasons]
    return Preview(
        count=sum(count for _reason, count in by_reason),
        reasons=by_reason,
        codes=[(row["error_code"], row["count"]) for row in codes if row["error_code"]],
        samples=[
            mask(channel, address)
            for channel, address in rows.order_by("last_error_at").values_list(
                "channel", "address"
            )[:SAMPLES]
        ],
    )


@transaction.atomic
def release(window: Window, *, by: str, note: str, now: datetime) -> QuarantineBatch:
    """Release the addresses of an incident together.

    Raises QuarantineError with a sentence when there are none, or without a reason.
    """
    check_note(note)
    batch = QuarantineBatch.objects.create(
        channel=window.channel,
        domain=window.domain,
        began_at=window.began_at,
        ended_at=window.ended_at,
        code=window.code,
        state=BatchState.RELEASED,
        created_at=now,
        decided_at=now,
        decided_by=by,
        note=note.strip(),
    )
    what = Move(
        Event.RELEASE,
        Source.OPERATOR,
        now,
        by=by,
        note=note.strip(),
        batch=batch,
        fields={**outages.RELEASED, "batch": batch},
    )
    batch.count = moving.move(members(window), what)
    if not batch.count:
        raise QuarantineError(
            _(
                "Nothing was released: no address of %(domain)s is held by an error"
                " of this time any more. Reload the list of incidents."
            )
            % {"domain": window.domain}
        )
    batch.save(update_fields=["count"])
    return batch


@transaction.atomic
def undo(batch: QuarantineBatch, *, by: str, now: datetime) -> int:
    """Take a release back for the addresses that nothing changed since.

    Returns how many these are. Raises QuarantineError when there is nothing to undo.
    """
    batch = QuarantineBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if batch.state != BatchState.RELEASED:
        raise QuarantineError(
            _("Nothing was undone: this is not a release, or it was undone already.")
        )
    before = QuarantineEvent.objects.filter(
        channel=OuterRef("channel"),
        digest=OuterRef("digest"),
        batch=batch,
        event__in=_RELEASES,
    ).order_by("-pk")
    what = Move(
        Event.RELEASE_UNDONE,
        Source.OPERATOR,
        now,
        by=by,
        batch=batch,
        fields={
            "reason": Subquery(before.values("reason")[:1]),
            "significant_error_count": Subquery(before.values("error_count")[:1]),
            # As everything that belongs to an incident was.
            "source": Source.BOUNCE,
            "batch": None,
        },
    )
    batch.undone_count = moving.move(released(batch), what)
    batch.state, batch.undone_at, batch.undone_by = BatchState.UNDONE, now, by
    batch.save(update_fields=["state", "undone_at", "undone_by", "undone_count"])
    return batch.undone_count


def released(batch: QuarantineBatch) -> QuarantinedAddressQuerySet:
    """Keep the addresses of a release that nothing changed since."""
    return QuarantinedAddress.objects.filter(batch=batch, status=Status.VALID)


_Stretch = tuple[Window, int]


def _stretches(since: datetime) -> dict[tuple[int, str], list[_Stretch]]:
    """Count the addresses that bounces hold, by domain and stretch of time.

    Only stretches that could be part of an incident: those of ordinary days are many.
    """
    fewest = max(settings.QUARANTINE_OUTAGE_ERRORS // 10, 2)
    seconds = int(_STRETCH.total_seconds())
    reasons = sorted(OUTAGE_REASONS)
    rows = bulk.select(
        "SELECT channel, domain, MIN(last_error_at), MAX(last_error_at), COUNT(*)"
        f" FROM {_ADDRESSES}"
        " WHERE status = %s AND source = %s AND last_error_at >= %s AND domain <> ''"
        f" AND reason IN ({', '.join(['%s'] * len(reasons))})"
        " AND NOT is_provisional"
        f" GROUP BY channel, domain, {_stretch_of('last_error_at', seconds)}"
        " HAVING COUNT(*) >= %s ORDER BY channel, domain, MIN(last_error_at)",
        [
            Status.QUARANTINE.value,
            Source.BOUNCE.value,
            connection.ops.adapt_datetimefield_value(since),
            *reasons,
            fewest,
        ],
    )
    found: dict[tuple[int, str], list[_Stretch]] = defaultdict(list)
    for channel, domain, began, ended, count in rows:
        window = Window(channel, domain, bulk.moment(began), bulk.moment(ended))
        found[channel, domain].append((window, count))
    return found


def _runs(stretches: list[_Stretch]) -> list[_Stretch]:
    """Join the stretches of a domain that follow each other closely."""
    runs: list[_Stretch] = []
    for window, count in stretches:
        last, last_count = runs[-1] if runs else (None, 0)
        if last is not None and window.began_at - last.ended_at <= _STRETCH:
            joined = Window(last.channel, last.domain, last.began_at, window.ended_at)
            runs[-1] = (joined, last_count + count)
        else:
            runs.append((window, count))
    return [run for run in runs if run[1] >= settings.QUARANTINE_OUTAGE_ERRORS]


def _totals(domains: set[str], *, since: datetime) -> dict[tuple[int, str], int]:
    rows = QuarantinedAddress.objects.filter(
        domain__in=domains,
        status=Status.QUARANTINE,
        source=Source.BOUNCE,
        reason__in=OUTAGE_REASONS,
        last_error_at__gte=since,
        is_provisional=False,
    )
    counted = rows.values_list("channel", "domain").annotate(count=Count("pk"))
    return {(channel, domain): count for channel, domain, count in counted}


def _stretch_of(column: str, seconds: int) -> str:
    if connection.vendor == "postgresql":
        return f"FLOOR(EXTRACT(EPOCH FROM {column}) / {seconds:d})"
    return f"CAST(strftime('%%s', {column}) AS INTEGER) / {seconds:d}"
