"""Bounces of a period, hard and soft, counted by reason and by domain."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Q, QuerySet

from profiles.channels import Channel
from profiles.periods import Period
from quarantine.figures import IS_NEW
from quarantine.models import QuarantineEvent
from quarantine.reasons import ERRORS, Event

SOFT: Final = frozenset({Event.SOFT_ERROR, Event.SOFT_LIMIT})
HARD: Final = ERRORS - SOFT
MOST_DOMAINS: Final = 20
_COUNTS: Final = {
    "hard": Count("pk", filter=Q(event__in=HARD)),
    "soft": Count("pk", filter=Q(event__in=SOFT)),
    "noted": Count("pk", filter=Q(event=Event.ERROR_NOTED)),
    "held": Count("pk", filter=IS_NEW),
}


@dataclass(frozen=True, slots=True)
class Bounces:
    """Errors that have `key` in common, the code of a reason or a domain.

    `noted` are those that changed nothing; `held` of all put their address into
    quarantine.
    """

    key: str
    hard: int
    soft: int
    noted: int
    held: int

    @property
    def total(self) -> int:
        return self.hard + self.soft + self.noted


@dataclass(frozen=True, slots=True)
class Report:
    """Bounces by reason and by domain, most frequent first; `others` have no row."""

    reasons: list[Bounces]
    domains: list[Bounces]
    others: Bounces


def report(period: Period, channel: Channel | None) -> Report:
    """Count the errors of a period."""
    events = _events(period, channel)
    reasons = _grouped(events, "reason")
    domains = _grouped(events.exclude(domain=""), "domain", most=MOST_DOMAINS)
    everything = _sum("", reasons)
    return Report(reasons, domains, _minus(everything, _sum("", domains)))


def total(period: Period) -> int:
    """Count the errors of a period, those that changed nothing too."""
    return _events(period, None).count()


def of_domains(period: Period, domains: Collection[str]) -> dict[str, Bounces]:
    """Count the errors of some domains."""
    events = _events(period, Channel.EMAIL).filter(domain__in=domains)
    return {row.key: row for row in _grouped(events, "domain")}


def _events(period: Period, channel: Channel | None) -> QuerySet[QuarantineEvent]:
    events = QuarantineEvent.objects.filter(
        **period.holds("at"), event__in={*ERRORS, Event.ERROR_NOTED}
    )
    return events if channel is None else events.filter(channel=channel)


def _grouped(
    events: QuerySet[QuarantineEvent], field: str, *, most: int | None = None
) -> list[Bounces]:
    rows = events.values(field).annotate(errors=Count("pk"), **_COUNTS)
    return [_row(field, row) for row in rows.order_by("-errors", field)[:most]]


def _row(field: str, row: dict[str, Any]) -> Bounces:
    return Bounces(row[field], *(row[name] for name in _COUNTS))


def _sum(key: str, rows: list[Bounces]) -> Bounces:
    return Bounces(key, *(sum(getattr(row, name) for row in rows) for name in _COUNTS))


def _minus(whole: Bounces, part: Bounces) -> Bounces:
    return Bounces(
        whole.key,
        *(getattr(whole, name) - getattr(part, name) for name in _COUNTS),
    )
