"""The figures of an analysis: counts by reason, and changes since the one before."""

from collections import Counter
from dataclasses import dataclass

from django.db import connection

from delivery import loading
from delivery.models import Analysis, Message
from delivery.states import ExclusionReason, MessageStatus, reasons_in


@dataclass(frozen=True)
class Counts:
    """The figures of an analysis; targeted = to_send + the sum of excluded.

    `excluded` counts by primary reason, `all_reasons` by every reason that applies;
    both have each reason's code, zeros included.
    """

    targeted: int
    to_send: int
    excluded: dict[str, int]
    all_reasons: dict[str, int]


@dataclass(frozen=True)
class Changes:
    """What differs from the analysis before, in numbers of profiles.

    `newly_excluded` counts, by the code of the primary reason, those who were to be
    sent to before.
    """

    new: int
    gone: int
    newly_to_send: int
    newly_excluded: dict[str, int]


def count(table: str, analysis: Analysis) -> Counts:
    """Count the rows of an analysis, in the table that holds them, by reason."""
    excluded: Counter[str] = Counter()
    all_reasons: Counter[str] = Counter()
    targeted = to_send = 0
    for bits, count in loading.count_by_reasons(table, analysis):
        targeted += count
        reasons = reasons_in(bits)
        if not reasons:
            to_send += count
            continue
        excluded[reasons[0].code] += count
        all_reasons.update({reason.code: count for reason in reasons})
    return Counts(targeted, to_send, _with_zeros(excluded), _with_zeros(all_reasons))


def _with_zeros(counts: Counter[str]) -> dict[str, int]:
    return {reason.code: counts[reason.code] for reason in ExclusionReason}


def compare(
    before: Analysis | None, analysis: Analysis, *, table: str, counts: Counts
) -> Changes | None:
    """Compare the rows of two analyses; None when there is none before."""
    if before is None:
        return None
    matched = newly_to_send = 0
    newly_excluded: Counter[str] = Counter()
    for bits, status_before, count in _changed_rows(before, table, analysis):
        if status_before is None:
            continue
        matched += count
        if status_before == MessageStatus.EXCLUDED and bits == 0:
            newly_to_send += count
        elif status_before != MessageStatus.EXCLUDED and bits != 0:
            newly_excluded[reasons_in(bits)[0].code] += count
    return Changes(
        new=counts.targeted - matched,
        gone=before.targeted_count - matched,
        newly_to_send=newly_to_send,
        newly_excluded=dict(newly_excluded),
    )


def _changed_rows(
    before: Analysis, table: str, analysis: Analysis
) -> list[tuple[int, int | None, int]]:
    """List (reasons now, status before or None, number of profiles)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT now.reasons, earlier.status, COUNT(*) FROM {table} now"
            f" LEFT JOIN {Message._meta.db_table} earlier"
            f" ON earlier.analysis_id = {before.pk:d}"
            " AND earlier.profile_id = now.profile_id"
            f" WHERE now.analysis_id = {analysis.pk:d}"
            " GROUP BY now.reasons, earlier.status"
        )
        return list(cursor.fetchall())
