"""Deliveries on the start page: what they wait for, and which of them are new.

One statement finds both, each kind of waiting bounded: a page that everybody opens
many times a day may not cost more when there are more deliveries.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, RowNumber
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery.models import Analysis, Attempt, Delivery, Part
from delivery.start_page import LATEST, PATIENCE, Task, bounded
from delivery.states import AnalysisStatus, DeliveryStatus

# A part that is due is taken within seconds by a worker that lives.
SILENT_AFTER: Final = timedelta(minutes=3)


class Kind(StrEnum):
    """What a delivery is waiting for."""

    NOTHING = ""
    ANALYSIS = "analysis"
    SIGN_OF_LIFE = "sign_of_life"
    CONFIRMATION = "confirmation"
    DECISION = "decision"
    RESUMPTION = "resumption"
    REPAIR = "repair"
    WORKER = "worker"
    SENDING = "sending"
    FETCHING = "fetching"


# Who may do something about it.
RIGHTS: Final = {
    Kind.REPAIR: "delivery.confirm_delivery",
    Kind.WORKER: "delivery.pause_delivery",
    Kind.SIGN_OF_LIFE: "delivery.analyse_delivery",
    Kind.DECISION: "delivery.confirm_delivery",
    Kind.RESUMPTION: "delivery.confirm_delivery",
    Kind.FETCHING: "delivery.download_extraction",
    Kind.CONFIRMATION: "delivery.confirm_delivery",
    Kind.ANALYSIS: "delivery.analyse_delivery",
}
# What is on its way, or about to be.
ON_THEIR_WAY: Final = frozenset({Kind.WORKER, Kind.SENDING, Kind.RESUMPTION})


@dataclass(frozen=True)
class Deliveries:
    """The deliveries of the start page, by what they wait for."""

    rows: list[Any]

    @property
    def latest(self) -> list[Delivery]:
        return [row for row in self.rows if row.newest <= LATEST]

    @property
    def on_their_way(self) -> list[Delivery]:
        return [row for row in self.rows if row.kind in ON_THEIR_WAY and row.has_begun]

    def tasks(self, may: Callable[[str], bool]) -> Iterator[Task]:
        """Yield what somebody with these rights can do about deliveries."""
        for kind, right in RIGHTS.items():
            rows = [row for row in self.rows if row.kind == kind]
            rows = [row for row in rows if row.place <= LATEST]
            if rows and may(right):
                tasks = [_TASKS[kind](row) for row in rows]
                yield from bounded(tasks, rows[0].count, url=reverse("delivery_list"))


def find(now: datetime) -> Deliveries:
    """Find the newest deliveries and those that wait, a few of each kind."""
    return Deliveries(
        list(
            _by_kind(Delivery.objects.all(), now)
            .annotate(newest=Window(RowNumber(), order_by="-pk"))
            .filter(Q(newest__lte=LATEST) | (~Q(kind="") & Q(place__lte=LATEST)))
            .select_related("current_analysis", "extraction")
            .order_by("-pk")
        )
    )


def begun(now: datetime) -> list[Delivery]:
    """Find the deliveries that are on their way."""
    states = (DeliveryStatus.SENDING, DeliveryStatus.PAUSED)
    rows = Delivery.objects.filter(status__in=states, started_at__isnull=False)
    found = _by_kind(rows, now).filter(place__lte=LATEST)
    return list(found.select_related("current_analysis").order_by("-pk"))


def _by_kind(rows: "QuerySet[Delivery]", now: datetime) -> "QuerySet[Any]":
    run = Analysis.objects.filter(delivery=OuterRef("pk")).order_by("-pk")
    last_sign = run.annotate(sign=Coalesce("heartbeat_at", "started_at")).values("sign")
    is_open = Q(status__in=[DeliveryStatus.DRAFT, DeliveryStatus.ANALYSING])
    return rows.annotate(
        last_run=_only_of(is_open, run.values("status")[:1], TextField()),
        last_error=_only_of(is_open, run.values("error")[:1], TextField()),
        last_sign=_only_of(is_open, last_sign[:1], DateTimeField()),
        kind=_kind(now),
        place=Window(RowNumber(), partition_by="kind", order_by="-pk"),
        count=Window(Count("pk"), partition_by="kind"),
    )


def _only_of(condition: Q, rows: "QuerySet[Any]", field: Any) -> Case:
    return Case(When(condition, then=Subquery(rows)), output_field=field)


def _kind(now: datetime) -> Case:
    status, silent_since = DeliveryStatus, now - SILENT_AFTER
    overdue = Part.objects.filter(
        analysis=OuterRef("current_analysis"), is_done=False, due_at__lt=silent_since
    )
    nobody_sends = ~Exists(
        Attempt.objects.filter(
            pk__in=Attempt.objects.order_by("-pk").values("pk")[:1],
            ended_at__gt=silent_since,
        )
    )
    file_waits = Q(
        extraction__produced_at__isnull=False,
        extraction__closed_at=None,
        extraction__dropped_at=None,
    )
    table: list[tuple[Any, Kind]] = [
        (Q(status=status.DRAFT), Kind.ANALYSIS),
        (
            Q(status=status.ANALYSING, last_sign__lt=now - PATIENCE),
            Kind.SIGN_OF_LIFE,
        ),
        (Q(status=status.ANALYSED, stop_note=""), Kind.CONFIRMATION),
        (Q(status=status.ANALYSED), Kind.DECISION),
        (Q(status=status.PAUSED), Kind.RESUMPTION),
        (Q(status=status.FAILED), Kind.REPAIR),
        (Q(status=status.SENDING) & Exists(overdue) & nobody_sends, Kind.WORKER),
        (Q(status=status.SENDING), Kind.SENDING),
        (file_waits, Kind.FETCHING),
    ]
    whens = [When(condition, then=Value(kind.value)) for condition, kind in table]
    return Case(*whens, default=Value(Kind.NOTHING.value), output_field=TextField())


def _analysis(row: Any) -> Task:
    has_failed = row.last_run == AnalysisStatus.FAILED
    return Task(
        row.label,
        _("Its analysis failed") if has_failed else _("Not analysed yet"),
        _page_of(row),
        "bad" if has_failed else "info",
        note=row.last_error if has_failed else "",
    )


def _sign_of_life(row: Any) -> Task:
    note = _("Its analysis stands still. Is a worker running?")
    return Task(row.label, _("No sign of life"), _page_of(row), "bad", note=note)


def _confirmation(row: Any) -> Task:
    count = row.current_analysis.to_send_count if row.current_analysis else 0
    note = ngettext("%(count)s message to send", "%(count)s messages to send", count)
    page = reverse("delivery_confirm", args=[row.pk])
    return Task(
        row.label,
        _("To be confirmed"),
        page,
        "info",
        note=note % {"count": intcomma(count)},
    )


def _decision(row: Any) -> Task:
    return Task(
        row.label, _("Did not begin"), _page_of(row), "warn", note=row.stop_note
    )


def _resumption(row: Any) -> Task:
    return Task(row.label, _("Paused"), _page_of(row), "warn", note=row.stop_note)


def _repair(row: Any) -> Task:
    return Task(
        row.label, _("Sending failed"), _page_of(row), "bad", note=row.stop_note
    )


def _worker(row: Any) -> Task:
    note = _("Messages are due and none goes out. Is a worker running?")
    return Task(row.label, _("No sign of life"), _page_of(row), "bad", note=note)


def _fetching(row: Any) -> Task:
    rows = row.extraction.row_count
    note = ngettext("%(count)s row", "%(count)s rows", rows) % {"count": intcomma(rows)}
    return Task(row.label, _("File to be fetched"), _page_of(row), "warn", note=note)


def _page_of(row: Any) -> str:
    return reverse("delivery_detail", args=[row.pk])


_TASKS: Final[dict[Kind, Callable[[Any], Task]]] = {
    Kind.ANALYSIS: _analysis,
    Kind.SIGN_OF_LIFE: _sign_of_life,
    Kind.CONFIRMATION: _confirmation,
    Kind.DECISION: _decision,
    Kind.RESUMPTION: _resumption,
    Kind.REPAIR: _repair,
    Kind.WORKER: _worker,
    Kind.FETCHING: _fetching,
}
