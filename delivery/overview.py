"""What the page of a delivery shows: its state, figures, causes and changes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from delivery import analysis, ordering
from delivery.models import Analysis, Delivery
from delivery.states import AnalysisStatus, ExclusionReason

HISTORY = 10


class State(StrEnum):
    """Where a delivery stands with its analysis."""

    NEW = "new"
    ORDERED = "ordered"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    ANALYSED = "analysed"

    @property
    def is_busy(self) -> bool:
        return self in {State.ORDERED, State.RUNNING}


@dataclass(frozen=True)
class Cause:
    """One exclusion reason with the profiles it excludes.

    `first` counts those for whom it is the primary reason, `all` all it applies to;
    `percent` is the share of `first` in the largest cause, for the picture.
    """

    reason: ExclusionReason
    first: int
    all: int
    percent: float


@dataclass(frozen=True)
class Change:
    """Profiles that the analysis before had not excluded."""

    reason: ExclusionReason
    count: int


@dataclass(frozen=True)
class Overview:
    """All that the page of a delivery shows of its analyses."""

    state: State
    last: Analysis | None
    current: Analysis | None
    excluded_count: int
    causes: list[Cause]
    newly_excluded: list[Change]
    history: list[Analysis]

    @property
    def percent(self) -> int:
        return percent_of(self.last) if self.state != State.ORDERED else 0


def of(delivery: Delivery, *, now: datetime) -> Overview:
    """Gather what is known of a delivery's analyses."""
    current = delivery.current_analysis
    last = analysis.last_run(delivery)
    return Overview(
        state=state_of(delivery, last, now=now),
        last=last,
        current=current,
        excluded_count=sum(current.excluded_counts.values()) if current else 0,
        causes=_causes(current),
        newly_excluded=_newly_excluded(current),
        history=list(delivery.analyses.order_by("-pk")[:HISTORY]),
    )


def state_of(delivery: Delivery, last: Analysis | None, *, now: datetime) -> State:
    """Tell where a delivery stands; `last` is its newest run."""
    if analysis.is_running(delivery, now=now):
        return State.RUNNING
    if ordering.is_ordered(delivery):
        return State.ORDERED
    if last is not None and last.status == AnalysisStatus.RUNNING:
        return State.INTERRUPTED
    if last is not None and last.status == AnalysisStatus.FAILED:
        return State.FAILED
    return State.ANALYSED if delivery.current_analysis_id else State.NEW


def percent_of(run: Analysis | None) -> int:
    """Give the progress of a run in whole percent."""
    if run is None or not run.profiles_total:
        return 0
    return min(100, 100 * run.profiles_done // run.profiles_total)


def _causes(current: Analysis | None) -> list[Cause]:
    if current is None:
        return []
    largest = max(current.excluded_counts.values(), default=0) or 1
    causes = (
        Cause(
            reason,
            first=current.excluded_counts.get(reason.code, 0),
            all=current.all_reason_counts.get(reason.code, 0),
            percent=100 * current.excluded_counts.get(reason.code, 0) / largest,
        )
        for reason in ExclusionReason
    )
    return [cause for cause in causes if cause.all]


def _newly_excluded(current: Analysis | None) -> list[Change]:
    if current is None or not current.changes:
        return []
    counts = current.changes["newly_excluded"]
    return [
        Change(reason, counts[reason.code])
        for reason in ExclusionReason
        if counts.get(reason.code)
    ]
