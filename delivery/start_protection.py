"""Opt-outs, quarantine and complaints on the start page: what a person decides."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Count, Q, QuerySet, Window
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_tasks_db.models import DBTaskResult

from delivery.models import HoldLevel, LaneHold
from delivery.start_page import LATEST, PATIENCE, RECENT, Task, bounded
from optout.models import Burst, StopRequest
from optout.models.bursts import BurstState
from quarantine import incidents, outages

May = Callable[[str], bool]


def tasks(may: May, now: datetime) -> Iterator[Task]:
    """Yield what somebody with these rights can decide about."""
    for right, found in _KINDS:
        if may(right):
            yield from found(now)


def _stopped_lanes(now: datetime) -> list[Task]:
    holding = Q(level=HoldLevel.STOPPED) | Q(level=HoldLevel.PAUSED, until__gt=now)
    rows, count = _first(LaneHold.objects.filter(holding), order_by="-since")
    url = reverse("lane_list")
    return bounded([_lane(hold, url) for hold in rows], count, url=url)


def _lane(hold: LaneHold, url: str) -> Task:
    note = _("%(complaints)s complaints about %(sent)s messages of one day") % {
        "complaints": intcomma(hold.complaints),
        "sent": intcomma(hold.sent),
    }
    is_stopped = hold.level == HoldLevel.STOPPED
    why = _("Stopped by complaints") if is_stopped else _("Paused by complaints")
    return Task(hold.domain, why, url, "bad" if is_stopped else "warn", note=note)


def _provisional(now: datetime) -> list[Task]:
    rows, count = _first(outages.with_counts(), order_by="-began_at")
    found = [
        Task(
            batch.domain,
            _("Gone, or an outage?"),
            reverse("quarantine_batch", args=[batch.pk]),
            "warn",
            note=_addresses(batch.held_count),
        )
        for batch in rows
    ]
    return bounded(found, count, url=reverse("incidents"))


def _proposed(now: datetime) -> list[Task]:
    url, proposals = reverse("incidents"), incidents.proposals(now=now)
    found = [
        Task(
            proposal.window.domain,
            _("Looks like an outage"),
            url,
            "info",
            note=_addresses(proposal.count),
        )
        for proposal in proposals[:LATEST]
    ]
    return bounded(found, len(proposals), url=url)


def _addresses(count: int) -> str:
    text = ngettext("%(count)s address", "%(count)s addresses", count)
    return text % {"count": intcomma(count)}


def _bursts(now: datetime) -> list[Task]:
    waiting = Burst.objects.filter(state=BurstState.FLAGGED)
    rows, count = _first(waiting, order_by="-began_at")
    found = [_burst(burst) for burst in rows]
    return bounded(found, count, url=reverse("bursts"))


def _burst(burst: Burst) -> Task:
    title = ngettext(
        "Burst of %(count)s opt-out", "Burst of %(count)s opt-outs", burst.count
    )
    return Task(
        title % {"count": intcomma(burst.count)},
        _("People, or a machine?"),
        reverse("burst", args=[burst.pk]),
        "warn",
    )


def _stop_requests(now: datetime) -> list[Task]:
    count = StopRequest.objects.filter(closed_at__isnull=True).count()
    if not count:
        return []
    title = ngettext("%(count)s request to stop", "%(count)s requests to stop", count)
    page = reverse("stop_requests")
    return [
        Task(
            title % {"count": intcomma(count)}, _("Wait for an operator"), page, "warn"
        )
    ]


def _background_tasks(now: datetime) -> list[Task]:
    """Find what failed in the background, or waits though a worker should run."""
    counts = DBTaskResult.objects.aggregate(
        failed=Count("pk", Q(status="FAILED", finished_at__gte=now - RECENT)),
        waiting=Count("pk", Q(status="READY", enqueued_at__lt=now - PATIENCE)),
    )
    url = reverse("admin:django_tasks_database_dbtaskresult_changelist")
    failed, waiting = counts["failed"], counts["waiting"]
    found = []
    if waiting:
        title = ngettext("%(count)s task", "%(count)s tasks", waiting)
        why = _("Waiting. Is a worker running?")
        found.append(Task(title % {"count": waiting}, why, url, "bad"))
    if failed:
        title = ngettext("%(count)s task", "%(count)s tasks", failed)
        why = _("Failed in the last week")
        found.append(Task(title % {"count": failed}, why, url, "warn"))
    return found


def _first(rows: "QuerySet[Any]", *, order_by: str) -> tuple[list[Any], int]:
    """Give the first rows, and how many there are in all, in one query."""
    found = list(rows.annotate(all=Window(Count("pk"))).order_by(order_by)[:LATEST])
    return found, found[0].all if found else 0


_KINDS: Final[tuple[tuple[str, Callable[[datetime], list[Task]]], ...]] = (
    ("delivery.lift_lanehold", _stopped_lanes),
    ("django_tasks_database.view_dbtaskresult", _background_tasks),
    ("optout.change_stoprequest", _stop_requests),
    ("optout.reverse_burst", _bursts),
    ("quarantine.release_many", _provisional),
    ("quarantine.release_many", _proposed),
)
