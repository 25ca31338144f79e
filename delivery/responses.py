"""What came back from a delivery: people who stopped, complaints, bounces, receipts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Count

from delivery.models import Delivery, Report, ReportKind
from optout.models import ConsentEvent
from optout.models.ledger import Direction

# What comes later is hardly about this delivery, and the ledger is long.
WITHIN: Final = timedelta(days=30)


@dataclass(frozen=True)
class Responses:
    """How many people answered a delivery, each counted once a kind."""

    sent: int
    stopped: int
    complaints: int
    bounces: int
    delivered: int

    @property
    def stopped_percent(self) -> float:
        return self._percent(self.stopped)

    @property
    def complaints_percent(self) -> float:
        return self._percent(self.complaints)

    @property
    def bounces_percent(self) -> float:
        return self._percent(self.bounces)

    @property
    def delivered_percent(self) -> float:
        return self._percent(self.delivered)

    def _percent(self, count: int) -> float:
        return 100 * count / self.sent if self.sent else 0.0


def of(delivery: Delivery, *, sent: int) -> Responses | None:
    """Count what came back; None before it began. `sent` is what shares are of."""
    if delivery.started_at is None:
        return None
    reports = Report.objects.filter(analysis_id=delivery.current_analysis_id or 0)
    by_kind = dict(reports.values_list("kind").annotate(count=Count("pk")))
    stopped = ConsentEvent.objects.filter(
        delivery_id=delivery.pk,
        direction=Direction.OUT,
        at__gte=delivery.started_at,
        at__lt=delivery.started_at + WITHIN,
    ).aggregate(count=Count("profile_id", distinct=True))
    return Responses(
        sent=sent,
        stopped=stopped["count"],
        complaints=by_kind.get(ReportKind.COMPLAINT, 0),
        bounces=by_kind.get(ReportKind.BOUNCE, 0),
        delivered=by_kind.get(ReportKind.DELIVERED, 0),
    )
