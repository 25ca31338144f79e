"""What the console shows of all that came in: figures, lists, and one report."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from delivery.models import Delivery, Inbound, InboundState, Report
from quarantine.models import QuarantinedAddress

COUNTED_FOR: Final = timedelta(days=30)
SHOWN_BYTES: Final = 64 * 1024
MEANINGS: Final[dict[str, Promise]] = {
    "bounce": _("Bounce"),
    "complaint": _("Complaint"),
    "delivered": _("Delivered"),
    "delayed": _("Delayed"),
    "auto_reply": _("Automatic reply"),
    "opt_out": _("Unsubscribed"),
    "stop": _("Asked to stop"),
    "reply": _("Reply of a person"),
    "auth_failure": _("Authentication report"),
    "not_spam": _("Not spam"),
    "subscription": _("Subscription to confirm"),
    "several": _("Several reports in one"),
    "other": _("Something else"),
}
_TONES: Final = {
    InboundState.APPLIED: "good",
    InboundState.FORGED: "bad",
    InboundState.FAILED: "bad",
    InboundState.TRIAGE: "warn",
    InboundState.STORED: "info",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One report as a row of the list shows it."""

    row: Inbound
    delivery: Delivery | None

    @property
    def meaning(self) -> str:
        return meaning_of(self.row)

    @property
    def tone(self) -> str:
        return _TONES.get(InboundState(self.row.state), "quiet")


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many reports of the last days are in one state."""

    state: InboundState
    count: int

    @property
    def tone(self) -> str:
        return _TONES.get(self.state, "") if self.count else ""


def counts(now: datetime) -> list[StateCount]:
    """Count the reports of the last 30 days by state, all states."""
    rows = Inbound.objects.filter(received_at__gte=now - COUNTED_FOR)
    found = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    return [StateCount(state, found.get(state, 0)) for state in InboundState]


def filtered(
    *,
    state: str = "",
    meaning: str = "",
    source: str = "",
    address: int | None = None,
    **_more: Any,
) -> QuerySet[Inbound]:
    """Narrow the reports; `address` is the id of a quarantined address."""
    rows = Inbound.objects.defer("raw")
    if state:
        rows = rows.filter(state=state)
    if meaning:
        rows = rows.filter(meaning=meaning)
    if source:
        rows = rows.filter(source=source)
    if address is not None:
        # Each way by its own index; joined with OR neither would be used.
        digest = QuarantinedAddress.objects.filter(pk=address).values("digest")
        about = Inbound.objects.filter(digest__in=digest).values("pk")
        told = Report.objects.filter(digest__in=digest).values("inbound_id")
        rows = rows.filter(pk__in=about.union(told))
    return rows


def lines(rows: Iterable[Inbound]) -> list[Line]:
    """Add to each report the delivery that it is about, with one question."""
    rows = list(rows)
    ids = {row.delivery_id for row in rows if row.delivery_id is not None}
    deliveries = Delivery.objects.in_bulk(ids)
    return [Line(row, deliveries.get(row.delivery_id or 0)) for row in rows]


def meaning_of(row: Inbound) -> str:
    """Give what a report was found to be, in words."""
    return str(MEANINGS.get(row.meaning, row.meaning))


def shown(row: Inbound) -> str:
    """Give the beginning of a report as text, whatever its bytes are."""
    raw = bytes(row.raw or b"")[:SHOWN_BYTES]
    text = raw.decode("utf-8", "backslashreplace")
    return "".join(
        each if each.isprintable() or each in "\n\t" else "�"
        for each in text.replace("\r\n", "\n")
    )
