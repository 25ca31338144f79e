"""What people did on a landing page: figures and their picture."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from optout.models import ConsentEvent, LandingPage, SignUp
from optout.service_figures import Day, days_of


@dataclass(frozen=True)
class PageFigures:
    """What came of a page in the last PERIOD days, by the rows of the ledger.

    A person who ends two things has two rows. Sign-ups wait in the mailbox for
    72 hours at most, and are forgotten then.
    """

    gained: int
    lost: int
    waiting: int
    days: list[Day]

    @property
    def width(self) -> int:
        return len(self.days) * 10

    @property
    def is_empty(self) -> bool:
        return not (self.gained or self.lost or self.waiting)


def figures(page: LandingPage, *, now: datetime) -> PageFigures:
    """Count what the versions of a page led to, in three queries."""
    versions = list(page.versions.values_list("pk", flat=True))
    events = ConsentEvent.objects.filter(landing_page_version_id__in=versions)
    waiting = SignUp.objects.filter(landing_page_version_id__in=versions).aggregate(
        count=Count("pk", filter=Q(confirmed_at__isnull=True))
    )
    days = days_of(events, now=now)
    return PageFigures(
        gained=sum(day.gained for day in days),
        lost=sum(day.lost for day in days),
        waiting=waiting["count"],
        days=days,
    )
