"""What the start page shows: figures, what needs a person now, the latest work."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from delivery.models import Delivery
from delivery.states import AnalysisStatus
from optout.models import OptOut, Upload
from optout.models.uploads import UploadStatus
from profiles.counting import Count, count
from profiles.models import Profile
from quarantine.models import QuarantinedAddress

LATEST = 5
# Older failures have been seen or are past mending.
RECENT = timedelta(days=7)


@dataclass(frozen=True)
class Figures:
    """How many people there are, and how many of them are protected."""

    profiles: Count
    opt_outs: Count
    quarantined: Count


@dataclass(frozen=True)
class Task:
    """One thing that needs a person: what it is, why, and where to do it."""

    title: str
    why: str
    url: str
    tone: str


def figures() -> Figures:
    """Count people and protections; estimates where there are very many."""
    return Figures(
        profiles=count(Profile.objects.not_erased()),
        opt_outs=count(OptOut.objects.all()),
        quarantined=count(QuarantinedAddress.objects.excluding()),
    )


def delivery_tasks() -> list[Task]:
    """List the deliveries that wait for somebody, newest first."""
    waiting = Delivery.objects.filter(current_analysis__isnull=True)
    waiting = waiting.exclude(analyses__status=AnalysisStatus.RUNNING)
    return [
        Task(
            title=delivery.label,
            why=_("Not analysed yet"),
            url=reverse("delivery_detail", args=[delivery.pk]),
            tone="info",
        )
        for delivery in waiting.order_by("-pk")[:LATEST]
    ]


def upload_tasks(now: datetime) -> list[Task]:
    """List the uploads of the last days that failed, or that nothing works on."""
    is_stuck = Q(
        status=UploadStatus.WAITING, created_at__lt=now - timedelta(minutes=10)
    )
    needing = Upload.objects.filter(
        Q(status=UploadStatus.FAILED) | is_stuck, created_at__gte=now - RECENT
    )
    return [
        Task(
            title=upload.file_name,
            why=(
                _("Upload failed")
                if upload.status == UploadStatus.FAILED
                else _("Waiting. Is a worker running?")
            ),
            url=reverse("upload_detail", args=[upload.pk]),
            tone="bad" if upload.status == UploadStatus.FAILED else "warn",
        )
        for upload in needing.order_by("-pk")[:LATEST]
    ]


def latest_deliveries() -> list[Delivery]:
    """List the newest deliveries, with the analysis that counts."""
    newest = Delivery.objects.select_related("current_analysis")
    return list(newest.order_by("-pk")[:LATEST])


def latest_uploads() -> list[Upload]:
    return list(Upload.objects.select_related("created_by").order_by("-pk")[:LATEST])
