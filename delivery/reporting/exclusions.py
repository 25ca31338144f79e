"""Report: who was excluded and why, one delivery after the other."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from delivery.models import Analysis, Delivery
from delivery.reporting import pictures
from delivery.reporting.sections import Choice, Section, moment_text, share
from delivery.reporting.tables import Row, Table, shown
from delivery.states import ExclusionReason

MOST_DELIVERIES: Final = 30


def sections(choice: Choice) -> list[Section]:
    """Count by primary reason, as the current analysis of each delivery did."""
    rows = _analyses(choice)
    deliveries = [analysis.delivery for analysis in rows]
    causes = _causes(rows)
    table = Table(
        _("Delivery"),
        [
            *(_("Analysed"), _("Channel"), _("Targeted"), _("To send")),
            *(_("Excluded"), _("Excluded, %")),
            *(str(cause.label) for cause in causes),
        ],
        [
            Row(
                delivery.label,
                [*_totals(analysis), *_counts(analysis, causes)],
                reverse("delivery_detail", args=[delivery.pk]),
            )
            for delivery, analysis in zip(deliveries, rows, strict=True)
        ],
    )
    section = Section(
        "deliveries",
        _("Excluded, as a share of those targeted"),
        _(
            "The newest %(count)s analyses of the period, newest first; each person"
            " counts once, by the first reason that applies. Whom the last check"
            " before sending excluded is in the log of the delivery."
        )
        % {"count": MOST_DELIVERIES},
        table,
        bars=_bars(table, rows, causes),
    )
    return [section]


def last_figure(choice: Choice) -> tuple[int, str] | None:
    """Give how many the newest analysis excluded, and of which delivery."""
    newest = _finished().first()
    if newest is None:
        return None
    excluded = newest.targeted_count - newest.to_send_count
    return excluded, _("excluded from “%(delivery)s”") % {"delivery": newest.delivery}


def _finished() -> QuerySet[Analysis]:
    current = Delivery.objects.filter(current_analysis__isnull=False)
    return (
        Analysis.objects.filter(pk__in=current.values("current_analysis_id"))
        .select_related("delivery")
        .order_by("-started_at", "-pk")
    )


def _analyses(choice: Choice) -> list[Analysis]:
    rows = _finished().filter(**choice.period.holds("started_at"))
    if choice.channel is not None:
        rows = rows.filter(delivery__channel=choice.channel)
    return list(rows[:MOST_DELIVERIES])


def _causes(rows: Sequence[Analysis]) -> list[ExclusionReason]:
    """List the reasons that excluded anybody, in rule order."""
    return [
        reason
        for reason in ExclusionReason
        if any(analysis.excluded_counts.get(reason.code) for analysis in rows)
    ]


def _totals(analysis: Analysis) -> list[int | float | str | None]:
    excluded = analysis.targeted_count - analysis.to_send_count
    return [
        moment_text(analysis.started_at),
        str(analysis.delivery.get_channel_display()),
        analysis.targeted_count,
        analysis.to_send_count,
        excluded,
        share(excluded, analysis.targeted_count),
    ]


def _counts(analysis: Analysis, causes: Sequence[ExclusionReason]) -> list[int]:
    return [int(analysis.excluded_counts.get(cause.code, 0)) for cause in causes]


def _bars(
    table: Table, rows: Sequence[Analysis], causes: Sequence[ExclusionReason]
) -> pictures.Bars:
    """Draw the most frequent causes apart, and the others together."""
    drawn, others = _drawn(rows, causes)
    names = [str(cause.label) for cause in drawn]
    folded = Table(
        table.heading,
        [*names, _("Other causes")] if others else names,
        [
            Row(
                row.label,
                [
                    *_counts(analysis, drawn),
                    *([sum(_counts(analysis, others))] if others else []),
                ],
                row.url,
            )
            for row, analysis in zip(table.rows, rows, strict=True)
        ],
    )
    return pictures.bars_of(
        folded,
        folded.columns,
        title=_("Exclusions by cause, delivery by delivery"),
        description=_("One bar for each delivery, newest first."),
        values=[_value(analysis) for analysis in rows],
        of=[analysis.targeted_count for analysis in rows],
    )


def _drawn(
    rows: Sequence[Analysis], causes: Sequence[ExclusionReason]
) -> tuple[list[ExclusionReason], list[ExclusionReason]]:
    """Part the causes into those with a pattern of their own and the others."""
    if len(causes) <= pictures.MOST_SERIES:
        return list(causes), []
    counts = Counter[ExclusionReason]()
    for row in rows:
        counts.update(dict(zip(causes, _counts(row, causes), strict=True)))
    most = {cause for cause, _count in counts.most_common(pictures.MOST_SERIES - 1)}
    return [each for each in causes if each in most], [
        each for each in causes if each not in most
    ]


def _value(analysis: Analysis) -> str:
    excluded = analysis.targeted_count - analysis.to_send_count
    percent = share(excluded, analysis.targeted_count) or 0
    return f"{shown(excluded)} ({shown(percent, 1)} %)"
