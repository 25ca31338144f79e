"""The exclusion log of a delivery: its messages, filtered, searched and exported.

Millions of rows: nothing here counts rows or skips over them. How many there are is
known from the analysis.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import F, Q, QuerySet

from delivery.exporting import COLUMNS, verdict
from delivery.models import Analysis, Delivery, Message
from delivery.states import ExclusionReason, MessageStatus
from profiles.channels import Channel
from profiles.models import Address, Profile
from profiles.searching import digests_of
from profiles.spreadsheets import spreadsheet_safe

# More profiles than this with one address are not looked through.
MAX_FOUND = 1_000
_ROWS_AT_ONCE = 5_000


class Outcome(StrEnum):
    TO_SEND = "to_send"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class LogFilter:
    """Which rows of a log to show; empty parts let everything pass.

    `is_first` narrows `reason` to the rows where it is the primary one.
    """

    outcome: str = ""
    reason: ExclusionReason | None = None
    is_first: bool = False
    text: str = ""
    status: MessageStatus | None = None


def messages_of(delivery: Delivery, chosen: LogFilter | None) -> QuerySet[Message]:
    """Give the messages of the current analysis that pass; none without a filter."""
    analysis = delivery.current_analysis
    if analysis is None or chosen is None:
        return Message.objects.none()
    # The gate may exclude for reasons that the analysis never met.
    if not delivery.has_begun and not _can_match(analysis, chosen):
        return Message.objects.none()

    rows = Message.objects.filter(analysis=analysis).select_related("profile")
    if chosen.outcome:
        is_excluded = Q(status=MessageStatus.EXCLUDED)
        rows = rows.filter(
            is_excluded if chosen.outcome == Outcome.EXCLUDED else ~is_excluded
        )
    if chosen.status is not None:
        rows = rows.filter(status=chosen.status)
    if chosen.reason is not None:
        rows = _with_reason(rows, chosen.reason, is_first=chosen.is_first)
    if chosen.outcome or chosen.reason or chosen.status is not None:
        rows = _by_key_if_few(rows)
    if chosen.text:
        rows = rows.filter(profile_id__in=_found(delivery, chosen.text))
    return rows


def csv_of(
    messages: QuerySet[Message], *, count: Callable[[str, int], None]
) -> Iterator[str]:
    """Give the messages as CSV that a spreadsheet can open safely, piece by piece.

    `count` is told how many rows each piece has.
    """
    yield _csv([COLUMNS])
    piece: list[tuple[str, ...]] = []
    rows = messages.order_by("profile_id").values_list(
        "profile__external_id", "address", "status", "reasons"
    )
    for external_id, address, status, bits in rows.iterator(chunk_size=_ROWS_AT_ONCE):
        cells = (external_id or "", address, *verdict(status, bits))
        piece.append(tuple(spreadsheet_safe(cell) for cell in cells))
        if len(piece) == _ROWS_AT_ONCE:
            count("rows", len(piece))
            yield _csv(piece)
            piece = []
    count("rows", len(piece))
    yield _csv(piece)


def _can_match(analysis: Analysis, chosen: LogFilter) -> bool:
    # A reason that excluded nobody would cost a look at every row, for nothing.
    counts = analysis.excluded_counts if chosen.is_first else analysis.all_reason_counts
    return chosen.reason is None or counts.get(chosen.reason.code, 0) > 0


def _by_key_if_few(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Name the rows where they are few.

    In the order of the key, PostgreSQL would look for them a row at a time through the
    whole log; as they lie on the disk, it finds them many times as fast.
    """
    ids = rows.order_by().values_list("profile_id", flat=True)
    few = list(ids[: MAX_FOUND + 1])
    return rows.filter(profile_id__in=few) if len(few) <= MAX_FOUND else rows


def _with_reason(
    rows: QuerySet[Message], reason: ExclusionReason, *, is_first: bool
) -> QuerySet[Message]:
    if is_first:
        up_to_it = 2 * reason.bit - 1
        return rows.alias(hit=F("reasons").bitand(up_to_it)).filter(hit=reason.bit)
    return rows.alias(hit=F("reasons").bitand(reason.bit)).filter(hit=reason.bit)


def _found(delivery: Delivery, text: str) -> set[int]:
    """Find profiles by external id, or by an address they have on the channel."""
    digests = digests_of(text, channels=[Channel(delivery.channel)])
    by_address = Address.objects.filter(channel=delivery.channel, digest__in=digests)
    by_id = Profile.objects.filter(external_id=text)
    return {
        *by_id.values_list("pk", flat=True),
        *by_address.values_list("profile_id", flat=True)[:MAX_FOUND],
    }


def _csv(rows: Iterable[Iterable[str]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()
