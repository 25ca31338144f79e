"""Reading an uploaded file, in the worker.

1. Claim the upload: hold its lock, then move it to running by one conditional UPDATE.
2. Read the file, saving progress and a sign of life about once a second, and
   looking each time whether an operator asked to stop.
3. Store the summary and the report of failed rows, or the sentence of the error.
4. Delete the file: it is full of addresses.

A worker that is killed lets go of the lock; the upload is then interrupted, and can
be run again: what the file already did is counted as unchanged.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.utils import timezone

from optout import importing as profile_importing
from optout.models import Upload
from optout.models.uploads import UploadKind, UploadStatus
from profiles import locks
from profiles.reading import FileError, Progress
from quarantine import importing as quarantine_importing

SAVE_EVERY = 1.0  # seconds

OUTCOME = ["status", "finished_at", "file", "report", "summary", "error"]

READERS: dict[str, Callable[..., Any]] = {
    UploadKind.PROFILES: profile_importing.import_profiles,
    UploadKind.QUARANTINE: quarantine_importing.import_file,
}


class UploadStopped(Exception):
    """An operator asked to stop."""


def lock_of(upload_id: int) -> str:
    """Name the lock that is held while the upload is read."""
    return f"upload-{upload_id}"


def is_interrupted(upload: Upload) -> bool:
    """Tell whether the upload should be running and nobody is reading it."""
    is_running = upload.status == UploadStatus.RUNNING
    return is_running and not locks.is_held(lock_of(upload.pk))


def run(upload_id: int, *, now: datetime) -> None:
    """Read the file of an upload, unless somebody else does or it was read already."""
    with locks.held(lock_of(upload_id)) as is_ours:
        if is_ours and _claim(upload_id, now=now):
            _read(
                Upload.objects.select_related("created_by").get(pk=upload_id), now=now
            )
            locks.forget(lock_of(upload_id))


def finish(upload: Upload, status: UploadStatus, *, now: datetime) -> None:
    """Move the upload to its last state and delete its file."""
    upload.status = status
    upload.finished_at = now
    upload.file.delete(save=False)
    upload.save(update_fields=OUTCOME)


def _claim(upload_id: int, *, now: datetime) -> bool:
    # Running without its lock held, which is ours now: its worker was killed.
    claimable = Q(status__in=[UploadStatus.WAITING, UploadStatus.RUNNING])
    return (
        Upload.objects.filter(claimable, pk=upload_id).update(
            status=UploadStatus.RUNNING, heartbeat_at=now
        )
        == 1
    )


def _read(upload: Upload, *, now: datetime) -> None:
    report = Path(settings.MEDIA_ROOT) / f"{secrets.token_hex(16)}.csv"
    report.touch(mode=0o600)
    status = UploadStatus.FINISHED
    try:
        upload.summary = _summary_of(upload, report=report, now=now)
    except UploadStopped:
        status = UploadStatus.STOPPED
    except (FileError, ImproperlyConfigured) as error:
        status = UploadStatus.FAILED
        # People know the file by the name that they gave it.
        stored_name = Path(upload.file.path).name
        upload.error = str(error).replace(stored_name, upload.file_name)

    if _has_rows(report):
        upload.report.name = report.name
    else:
        report.unlink()
    finish(upload, status, now=timezone.now())


def _summary_of(upload: Upload, *, report: Path, now: datetime) -> dict[str, Any]:
    progress = ReadingProgress(upload.pk)
    try:
        summary = READERS[upload.kind](
            Path(upload.file.path),
            by=upload.created_by.get_username(),
            is_dry_run=upload.is_dry_run,
            report=report,
            progress=progress,
            now=now,
        )
    finally:
        progress.save()
    return asdict(summary)


def _has_rows(report: Path) -> bool:
    with report.open("rb") as file:
        return len(list(islice(file, 2))) > 1  # the first line is the header


class ReadingProgress:
    """Saves how far the reading has come, and ends it when an operator asked to."""

    def __init__(self, upload_id: int) -> None:
        self._upload = Upload.objects.filter(pk=upload_id)
        self._latest: Progress | None = None
        self._saved_at = 0.0

    def __call__(self, progress: Progress) -> None:
        self._latest = progress
        if time.monotonic() - self._saved_at < SAVE_EVERY:
            return
        self.save()
        if self._upload.filter(stop_requested_at__isnull=False).exists():
            raise UploadStopped

    def save(self) -> None:
        self._saved_at = time.monotonic()
        if self._latest is not None:
            self._upload.update(
                rows_read=self._latest.rows,
                bytes_read=self._latest.bytes_read,
                bytes_total=self._latest.bytes_total,
                heartbeat_at=timezone.now(),
            )
