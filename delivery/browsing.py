"""The list of deliveries: filtered, searched by label, with how far each one is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet

from delivery.channels.transport import BY_FILE
from delivery.models import Analysis, Delivery, Message, Part
from delivery.overview import percent_of
from delivery.states import TERMINAL, AnalysisStatus, DeliveryStatus, MessageStatus
from profiles.channels import Channel

# Of larger deliveries the parts are counted, a thousand messages each.
_MOST_COUNTED: Final = 100_000  # messages
_BEGUN: Final = frozenset(
    {DeliveryStatus.SENDING, DeliveryStatus.PAUSED, DeliveryStatus.FAILED}
)


@dataclass(frozen=True)
class DeliveryFilter:
    """Which deliveries to show; empty parts let everything pass."""

    text: str = ""
    status: DeliveryStatus | None = None
    channel: Channel | None = None


@dataclass(frozen=True)
class Line:
    """A delivery in the list; `percent` is how far it is while something goes on."""

    delivery: Delivery
    percent: int | None


def deliveries(chosen: DeliveryFilter | None) -> QuerySet[Delivery]:
    """Give the deliveries that pass a filter; none without one."""
    rows = Delivery.objects.select_related("current_analysis", "created_by")
    if chosen is None:
        return rows.none()
    if chosen.text:
        rows = rows.filter(label__icontains=chosen.text)
    if chosen.status is not None:
        rows = rows.filter(status=chosen.status)
    if chosen.channel is not None:
        rows = rows.filter(channel=chosen.channel)
    return rows


def lines(shown: Sequence[Delivery]) -> list[Line]:
    """Put beside each delivery how far it is, in three questions at most."""
    percents = _of_analyses(shown) | _of_sendings(shown)
    return [Line(each, percents.get(each.pk)) for each in shown]


def _of_analyses(shown: Sequence[Delivery]) -> dict[int, int]:
    ids = [each.pk for each in shown if each.status == DeliveryStatus.ANALYSING]
    if not ids:
        return {}
    runs = Analysis.objects.filter(delivery__in=ids, status=AnalysisStatus.RUNNING)
    return {run.delivery_id: percent_of(run) for run in runs}


def _of_sendings(shown: Sequence[Delivery]) -> dict[int, int]:
    begun = {
        each.current_analysis.pk: each
        for each in shown
        if each.status in _BEGUN and each.current_analysis is not None
    }
    counted = [
        analysis_id
        for analysis_id, each in begun.items()
        if each.current_analysis is not None
        and each.current_analysis.targeted_count <= _MOST_COUNTED
    ]
    files = [pk for pk in counted if begun[pk].channel in BY_FILE]
    percents = _by_messages(counted, files=files)
    percents |= _by_parts([pk for pk in begun if pk not in counted])
    return {begun[analysis_id].pk: each for analysis_id, each in percents.items()}


def _by_messages(
    analysis_ids: Sequence[int], *, files: Sequence[int]
) -> dict[int, int]:
    if not analysis_ids:
        return {}
    # As on the page of a delivery: a row that waits for its file is written.
    ended = Q(status__in=TERMINAL) | Q(
        status=MessageStatus.SENDING, analysis_id__in=files
    )
    rows = Message.objects.filter(analysis_id__in=analysis_ids)
    found = (
        rows.exclude(status=MessageStatus.EXCLUDED)
        .values_list("analysis_id")
        .annotate(done=Count("profile_id", filter=ended), total=Count("profile_id"))
    )
    return {analysis_id: 100 * done // total for analysis_id, done, total in found}


def _by_parts(analysis_ids: Sequence[int]) -> dict[int, int]:
    if not analysis_ids:
        return {}
    parts = Part.objects.filter(analysis_id__in=analysis_ids).values_list("analysis_id")
    found = parts.annotate(done=Count("pk", filter=Q(is_done=True)), total=Count("pk"))
    return {analysis_id: 100 * done // total for analysis_id, done, total in found}
