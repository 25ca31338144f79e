"""What the start page shows: figures, uploads, and what a task on it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count as RowCount
from django.db.models import Q, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from optout.models import OptOut, Upload
from optout.models.uploads import UploadStatus
from profiles.counting import Count, count_each
from profiles.models import Profile
from quarantine.models import QuarantinedAddress

LATEST: Final = 5
# Older failures have been seen or are past mending.
RECENT: Final = timedelta(days=7)
# A worker takes what waits within seconds.
PATIENCE: Final = timedelta(minutes=10)
_URGENCY: Final = ("bad", "warn", "info")


@dataclass(frozen=True)
class Figures:
    """How many people there are, and how many of them are protected."""

    profiles: Count
    opt_outs: Count
    quarantined: Count


@dataclass(frozen=True)
class Task:
    """One thing that needs a person: what it is, why, and where to do it.

    `note` is a sentence where there is more to say than `why` has room for.
    """

    title: str
    why: str
    url: str
    tone: str
    note: str = ""


@dataclass(frozen=True)
class Uploads:
    """The newest uploads, and those that need somebody."""

    latest: list[Upload]
    tasks: list[Task]


def most_urgent_first(tasks: Iterable[Task]) -> list[Task]:
    """Put what is bad before what only waits; of one tone, in the order given."""
    return sorted(tasks, key=lambda task: _URGENCY.index(task.tone))


def bounded(tasks: Sequence[Task], count: int, *, url: str) -> list[Task]:
    """End a list of tasks of one kind with how many more there are of `count`."""
    left = count - len(tasks)
    if not tasks or left <= 0:
        return list(tasks)
    title = ngettext("and %(count)s more", "and %(count)s more", left)
    last = tasks[-1]
    return [*tasks, Task(title % {"count": left}, last.why, url, last.tone)]


def figures() -> Figures:
    """Count people and protections; estimates where there are very many."""
    several = [
        Profile.objects.not_erased(),
        OptOut.objects.all(),
        QuarantinedAddress.objects.excluding(),
    ]
    return Figures(*count_each(several))


def uploads(now: datetime) -> Uploads:
    """Find the newest uploads, and those of the last days that failed or wait."""
    is_stuck = Q(status=UploadStatus.WAITING, created_at__lt=now - PATIENCE)
    needs = Q(status=UploadStatus.FAILED) | is_stuck
    needs &= Q(created_at__gte=now - RECENT)
    rows = list(
        Upload.objects.annotate(
            newest=Window(RowNumber(), order_by="-pk"),
            needs=needs,
            place=Window(RowNumber(), partition_by="needs", order_by="-pk"),
            count=Window(RowCount("pk"), partition_by="needs"),
        )
        .filter(Q(newest__lte=LATEST) | Q(needs=True, place__lte=LATEST))
        .order_by("-pk")
    )
    needing = [row for row in rows if row.needs]
    tasks = [_upload_task(upload) for upload in needing]
    count = needing[0].count if needing else 0
    return Uploads(
        latest=[row for row in rows if row.newest <= LATEST],
        tasks=bounded(tasks, count, url=reverse("upload_list")),
    )


def _upload_task(upload: Upload) -> Task:
    has_failed = upload.status == UploadStatus.FAILED
    return Task(
        title=upload.file_name,
        why=_("Upload failed") if has_failed else _("Waiting. Is a worker running?"),
        url=reverse("upload_detail", args=[upload.pk]),
        tone="bad" if has_failed else "warn",
    )
