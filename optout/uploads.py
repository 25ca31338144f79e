"""Files that operators upload for the worker to read.

An upload waits, runs, and ends finished, stopped or failed. The task is only a nudge:
who reads the file claims the row first (optout.upload_runs).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from optout import tasks, upload_runs
from optout.models import Upload
from optout.models.uploads import UploadKind, UploadStatus
from profiles import locks

# The right that an upload of this kind asks for.
PERMISSIONS = {
    UploadKind.PROFILES: "profiles.import_profile",
    UploadKind.QUARANTINE: "quarantine.import_quarantinedaddress",
}


# The right to see what a file would do, of every kind.
TRIAL = "optout.add_upload"

ENDED = frozenset({UploadStatus.FINISHED, UploadStatus.STOPPED, UploadStatus.FAILED})


# What the summaries of both kinds count.
FIGURES: dict[str, Promise] = {
    "rows": gettext_lazy("Rows"),
    "created": pgettext_lazy("rows of a file", "Created"),
    "updated": gettext_lazy("Updated"),
    "applied": gettext_lazy("Applied"),
    "unchanged": gettext_lazy("Unchanged"),
    "repeated": gettext_lazy("Repeated in the file"),
    "kept": gettext_lazy("Kept as they were"),
    "failed": pgettext_lazy("rows of a file", "Failed"),
    "opt_outs_set": gettext_lazy("Opt-outs set"),
    "opt_outs_kept": gettext_lazy("Opt-outs kept"),
    "addresses_invalid": gettext_lazy("Addresses that cannot be delivered to"),
    "unreadable": gettext_lazy("Addresses that cannot be delivered to"),
}


class UploadError(Exception):
    """Something that cannot be done with an upload now; the sentence says why."""


@dataclass(frozen=True)
class UploadProgress:
    """Where an upload stands; an interrupted one is not busy."""

    is_busy: bool
    is_interrupted: bool
    is_stopping: bool
    percent: int
    figures: list[tuple[str, int]]


def kinds_for(user: User | AnonymousUser) -> list[UploadKind]:
    """List the kinds of files that somebody may upload, if only for a dry run."""
    may_try = user.has_perm(TRIAL)
    return [
        kind for kind, right in PERMISSIONS.items() if may_try or user.has_perm(right)
    ]


def may_write(user: User | AnonymousUser, kind: UploadKind) -> bool:
    """Say whether somebody may have a file of this kind written."""
    return user.has_perm(PERMISSIONS[kind])


def may_change(user: User | AnonymousUser, upload: Upload) -> bool:
    """Say whether somebody may stop or start an upload: as who may make such a one."""
    may_try = upload.is_dry_run and user.has_perm(TRIAL)
    return may_try or may_write(user, UploadKind(upload.kind))


def progress_of(upload: Upload) -> UploadProgress:
    """Tell where an upload stands, and what it counted once it has ended."""
    is_interrupted = upload_runs.is_interrupted(upload)
    is_busy = upload.status not in ENDED and not is_interrupted
    read, total = upload.bytes_read, upload.bytes_total
    return UploadProgress(
        is_busy=is_busy,
        is_interrupted=is_interrupted,
        is_stopping=is_busy and upload.stop_requested_at is not None,
        percent=min(100, 100 * read // total) if total else 0,
        figures=[
            (str(label), upload.summary[name])
            for name, label in FIGURES.items()
            if name in upload.summary
        ],
    )


@transaction.atomic
def accept(
    file: "UploadedFile[bytes]",
    *,
    kind: UploadKind,
    is_dry_run: bool,
    by: User,
    now: datetime,
) -> Upload:
    """Store a file under a random name, readable by us alone, and have it read."""
    upload = Upload(
        kind=kind,
        file_name=(file.name or "")[-255:],
        is_dry_run=is_dry_run,
        bytes_total=file.size or 0,
        created_at=now,
        created_by=by,
    )
    upload.file.save(f"{secrets.token_hex(16)}.csv", file, save=False)
    upload.save()
    _enqueue(upload)
    return upload


def request_stop(upload: Upload, *, now: datetime) -> None:
    """Ask the reading of a file to stop; one that nobody reads ends at once.

    Batches that were written stay. Raises UploadError when the upload has ended.
    """
    with locks.held(upload_runs.lock_of(upload.pk)) as is_unread:
        upload.refresh_from_db()
        if upload.status in ENDED:
            raise UploadError(
                _("Upload ‘%(file)s’ cannot be stopped: it has ended already.")
                % {"file": upload.file_name}
            )
        upload.stop_requested_at = now
        upload.save(update_fields=["stop_requested_at"])
        if is_unread:
            upload_runs.finish(upload, UploadStatus.STOPPED, now=now)


def start_again(upload: Upload) -> None:
    """Have an interrupted upload read again, from its start.

    What was written already counts as unchanged. Raises UploadError for an upload
    that is being read, or has ended.
    """
    is_waiting = upload.status == UploadStatus.WAITING
    if not is_waiting and not upload_runs.is_interrupted(upload):
        raise UploadError(
            _("Upload ‘%(file)s’ was not interrupted. Upload the file again.")
            % {"file": upload.file_name}
        )
    _enqueue(upload)


def _enqueue(upload: Upload) -> None:
    transaction.on_commit(lambda: tasks.import_upload.enqueue(upload.pk))
