"""Whether the exclusions of a delivery are usual: next to those before it.

Compared are shares of the target: with the last deliveries of the same channel and
service, or of the same kind where there is no service, and with the earlier analyses
of the delivery itself. What is far from usual is worth a look before anybody confirms:
much more may be a bad list, much less may be protections that were lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from delivery.models import Analysis, Delivery
from delivery.states import AnalysisStatus, ExclusionReason

MOST: Final = 8  # deliveries before this one
MOST_CAUSES: Final = 5  # that get a picture

# To stand out a share is so far from the usual one, in all of three ways.
FEWEST_BEFORE: Final = 3  # deliveries
_POINTS: Final = 1.0  # percent of the target
_TIMES: Final = 1.5
_PROFILES: Final = 10

_STEP: Final = 10  # from bar to bar, in units of the picture


@dataclass(frozen=True)
class Bar:
    """A share as a bar; its picture is 100 high."""

    percent: float
    x: int
    y: float
    height: float
    is_now: bool


@dataclass(frozen=True)
class Trend:
    """The share of one cause in each target, oldest first, the one at hand last.

    Without a `reason`, of all that are excluded. `usual` is what `now` is held against.
    """

    reason: ExclusionReason | None
    label: str | Promise
    now: float
    usual: float
    bars: Sequence[Bar]

    @property
    def largest(self) -> float:
        return max(bar.percent for bar in self.bars)

    @property
    def width(self) -> int:
        return (MOST + 1) * _STEP - 2


@dataclass(frozen=True)
class Row:
    """One analysis, and the shares of all trends in it."""

    run: Analysis
    shares: Sequence[float]


@dataclass(frozen=True)
class Comparison:
    """An analysis next to those before it, oldest first."""

    before: Sequence[Analysis]
    trends: Sequence[Trend]
    standing_out: Sequence[Trend]

    @property
    def rows(self) -> list[Row]:
        """List those before, newest first."""
        rows = [
            Row(run, [trend.bars[number].percent for trend in self.trends])
            for number, run in enumerate(self.before)
        ]
        return rows[::-1]


def with_similar(
    delivery: Delivery, current: Analysis, *, is_marketing: bool
) -> Comparison | None:
    """Compare with the last similar deliveries; None when there are none."""
    similar = Delivery.objects.filter(
        channel=delivery.channel,
        service=delivery.service,
        current_analysis__lt=current.pk,
        current_analysis__status=AnalysisStatus.FINISHED,
        current_analysis__targeted_count__gt=0,
    ).exclude(pk=delivery.pk)
    if delivery.service_id is None and is_marketing:
        similar = similar.exclude(content__is_marketing=False)
    elif delivery.service_id is None:
        similar = similar.filter(content__is_marketing=False)
    newest = Analysis.objects.filter(pk__in=similar.values("current_analysis"))
    found = newest.select_related("delivery").order_by("-pk")[:MOST]
    return _compare(list(found)[::-1], current, usual=median)


def with_earlier(history: Sequence[Analysis], current: Analysis) -> Comparison | None:
    """Compare with the earlier analyses of a delivery, newest first; None without."""
    earlier = [
        run
        for run in history
        if run.status == AnalysisStatus.FINISHED and run.pk < current.pk
    ]
    return _compare(earlier[:MOST][::-1], current, usual=_newest)


def _newest(shares: Sequence[float]) -> float:
    return shares[-1]


def _compare(
    before: Sequence[Analysis],
    current: Analysis,
    *,
    usual: Callable[[Sequence[float]], float],
) -> Comparison | None:
    if not before:
        return None

    def trend_of(reason: ExclusionReason | None) -> Trend:
        return _trend(reason, before, current, usual=usual)

    trends = [trend_of(reason) for reason in ExclusionReason]
    standing_out = [each for each in trends if _stands_out(each, len(before), current)]
    # What stands out has its picture, however small it is.
    trends.sort(key=lambda each: (each not in standing_out, -each.largest))
    seen = [each for each in trends if each.largest]
    return Comparison(
        before=before,
        trends=[trend_of(None), *seen[: max(MOST_CAUSES, len(standing_out))]],
        standing_out=standing_out,
    )


def _trend(
    reason: ExclusionReason | None,
    before: Sequence[Analysis],
    current: Analysis,
    *,
    usual: Callable[[Sequence[float]], float],
) -> Trend:
    shares = [_share(run, reason) for run in [*before, current]]
    highest = max(shares) or 1.0
    return Trend(
        reason=reason,
        label=reason.label if reason is not None else _("Excluded in all"),
        now=shares[-1],
        usual=usual(shares[:-1]),
        bars=[
            Bar(
                percent=share,
                x=(MOST + 1 - len(shares) + number) * _STEP,
                y=round(100 - 100 * share / highest, 1),
                height=round(100 * share / highest, 1),
                is_now=number == len(shares) - 1,
            )
            for number, share in enumerate(shares)
        ],
    )


def _share(run: Analysis, reason: ExclusionReason | None) -> float:
    if reason is None:
        return run.excluded_percent
    return run.percent_of_target(run.excluded_counts.get(reason.code, 0))


def _stands_out(trend: Trend, count: int, current: Analysis) -> bool:
    difference = abs(trend.now - trend.usual)
    low, high = sorted((trend.now, trend.usual))
    return (
        count >= FEWEST_BEFORE
        and difference >= _POINTS
        and high >= _TIMES * low
        and difference * current.targeted_count >= 100 * _PROFILES
    )
