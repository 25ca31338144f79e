"""The rows of an analysis: computed by the server, unseen until they are complete.

The steps are those that measurement left over (docs/decisions/0003). The losers of
the duplicate rule are found first; everything else is local to a profile, so the rest
is one INSERT ... SELECT per part, a part being a range of profile ids. What is read
is one snapshot, however many sessions read it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db import connection
from django.db.models import Max, Min

from delivery import audiences, eligibility
from delivery.eligibility import IdRange, Sql
from delivery.models import Analysis, Delivery
from delivery.models.audiences import AudienceKind
from delivery.states import ExclusionReason, MessageStatus
from profiles.models import Profile

# Parts below 50,000 profiles cost half as much again. Each part reads the whole
# quarantine once more, so a large target is not cut into more parts than it needs.
PROFILES_PER_PART = 100_000
MOST_PARTS = 16
SMALL_TARGET = 50_000


class Watch(Protocol):
    """Is told how far the work is, and says whether to go on."""

    def report(self, done: int) -> None:
        """Take the number of profiles done; raises to stop the analysis."""


@dataclass(frozen=True)
class Target:
    """How many profiles an analysis is about, at most, and where their ids are."""

    size: int
    ids: IdRange

    @property
    def is_small(self) -> bool:
        return self.size <= SMALL_TARGET

    def parts(self) -> Sequence[IdRange]:
        """Cut the range of ids into parts; a small target is one part."""
        if self.is_small:
            return [self.ids]
        count = self.ids.last + 1 - self.ids.first
        step = max(PROFILES_PER_PART, -(-count // MOST_PARTS))
        return [
            IdRange(start, min(start + step - 1, self.ids.last))
            for start in range(self.ids.first, self.ids.last + 1, step)
        ]


def measure(delivery: Delivery) -> Target | None:
    """Find the size and ids of a delivery's target; None when nobody is in it."""
    profiles = audiences.profiles_of(delivery.audience)
    if delivery.audience.kind == AudienceKind.EVERYBODY:
        # Counting a million rows would cost more than the figure is worth here.
        ends = Profile.objects.aggregate(first=Min("id"), last=Max("id"))
        if ends["first"] is None or not profiles.exists():
            return None
        size = ends["last"] - ends["first"] + 1
        return Target(size, IdRange(ends["first"], ends["last"]))

    size = profiles.count()
    if size == 0:
        return None
    ends = profiles.aggregate(first=Min("id"), last=Max("id"))
    return Target(size, IdRange(ends["first"], ends["last"]))


# What a row of an analysis is, from what outcomes() gives.
COLUMNS = "analysis_id, profile_id, status, reasons, address, digest"


def outcomes(analysis: Analysis, ids: IdRange, *, losers: str) -> Sql:
    """Give the query of one part: profile_id, reasons, address, digest.

    `losers` names a table of profile_id, the losers of the duplicate rule.
    """
    delivery = analysis.delivery
    everyone = eligibility.evaluated(
        delivery,
        now=analysis.started_at,
        within=eligibility.target(delivery),
        ids=ids,
    )
    duplicate = ExclusionReason.DUPLICATE_ADDRESS.bit
    return Sql(
        "SELECT each.profile_id, each.reasons"
        f" + CASE WHEN loser.profile_id IS NULL THEN 0 ELSE {duplicate} END AS reasons,"
        " COALESCE(each.address, '') AS address, each.digest"
        f" FROM ({everyone.text}) each"
        f" LEFT JOIN {losers} loser ON loser.profile_id = each.profile_id",
        everyone.params,
    )


def rows_from(source: str, analysis: Analysis) -> str:
    """Give the SELECT of COLUMNS from a table, or query, of outcomes.

    `source` must have its reasons computed: they are looked at twice here.
    """
    return (
        f"SELECT {analysis.pk:d}, profile_id, CASE WHEN reasons = 0"
        f" THEN {MessageStatus.READY:d} ELSE {MessageStatus.EXCLUDED:d} END,"
        f" reasons, address, digest FROM {source}"
    )


def count_by_reasons(table: str, analysis: Analysis) -> Iterator[tuple[int, int]]:
    """Yield (bit set of reasons, number of profiles) of the rows of an analysis.

    Those without a reason, nearly all, are counted apart: SQLite would sort them.
    """
    of_run = f"FROM {table} WHERE analysis_id = {analysis.pk:d}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 0, COUNT(*) {of_run} AND reasons = 0 UNION ALL"
            f" SELECT reasons, COUNT(*) {of_run} AND reasons <> 0 GROUP BY reasons"
        )
        yield from cursor.fetchall()
