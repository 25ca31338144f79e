"""What the page of a delivery shows: the state of its analyses, and changes."""

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


def _newly_excluded(current: Analysis | None) -> list[Change]:
    if current is None or not current.changes:
        return []
    counts = current.changes["newly_excluded"]
    return [
        Change(reason, counts[reason.code])
        for reason in ExclusionReason
        if counts.get(reason.code)
    ]
