"""From targeted to to send: how many each exclusion reason takes away, in rule order.

Each excluded profile counts once, for its primary reason, so that the bars add up:
targeted less all of them is to send.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from delivery.models import Analysis
from delivery.states import ExclusionReason

# Narrower than this, in percent of the picture, nobody sees a bar.
NARROWEST: Final = 0.5


@dataclass(frozen=True)
class Cause:
    """One exclusion reason, and the bar that shows what it takes away.

    `first` counts those for whom it is the primary reason, `all` all it applies to;
    `left` is how many remain after it. `percent` is the share of `first` in the
    target; `x` and `width` are in percent of the picture, whose width is the target.
    """

    reason: ExclusionReason
    first: int
    all: int
    left: int
    percent: float
    x: float
    width: float


@dataclass(frozen=True)
class Waterfall:
    """The figures of an analysis in the order of its rules.

    `never_first` are reasons that apply to somebody, but come after another one.
    """

    targeted: int
    to_send: int
    to_send_percent: float
    excluded: int
    excluded_percent: float
    causes: Sequence[Cause]
    never_first: Sequence[Cause]


def of(analysis: Analysis) -> Waterfall:
    """Draw what excludes the profiles that an analysis targeted."""
    left, causes = analysis.targeted_count, []
    for reason in ExclusionReason:
        first = analysis.excluded_counts.get(reason.code, 0)
        left -= first
        causes.append(_cause(analysis, reason, first=first, left=left))
    return Waterfall(
        targeted=analysis.targeted_count,
        to_send=analysis.to_send_count,
        to_send_percent=analysis.percent_of_target(analysis.to_send_count),
        excluded=analysis.excluded_count,
        excluded_percent=analysis.excluded_percent,
        causes=[each for each in causes if each.first],
        never_first=[each for each in causes if each.all and not each.first],
    )


def _cause(
    analysis: Analysis, reason: ExclusionReason, *, first: int, left: int
) -> Cause:
    percent = analysis.percent_of_target(first)
    width = max(percent, NARROWEST)
    return Cause(
        reason=reason,
        first=first,
        all=analysis.all_reason_counts.get(reason.code, 0),
        left=left,
        percent=percent,
        x=round(min(analysis.percent_of_target(left), 100 - width), 3),
        width=round(width, 3),
    )
