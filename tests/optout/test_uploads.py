"""Files given to the worker: accept, read once, stop, report."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django_tasks_db.models import DBTaskResult

from optout import tasks, upload_runs, uploads
from optout.models import ConsentEvent, Upload
from optout.models.uploads import UploadKind, UploadStatus
from optout.uploads import UploadError
from profiles import locks
from profiles.reading import Progress
from quarantine.models import QuarantinedAddress
from tests.optout.upload_files import NOW, ROWS, run


def test_file_is_kept_under_a_random_name_for_us_alone(
    make_upload: Callable[..., Upload],
) -> None:
    upload = make_upload()

    path = Path(upload.file.path)
    assert path.is_relative_to(settings.MEDIA_ROOT)
    assert "quarantine" not in path.name
    assert path.stat().st_mode & 0o777 == 0o600
    assert upload.file_name == "quarantine.csv"
    assert upload.bytes_total == len(ROWS)


def test_task_is_enqueued_once_the_upload_is_committed(
    make_upload: Callable[..., Upload],
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        upload = make_upload()
        assert not DBTaskResult.objects.exists()

    assert DBTaskResult.objects.get().args_kwargs["args"] == [upload.pk]


def test_reading_stores_summary_and_report_and_deletes_the_file(
    make_upload: Callable[..., Upload],
) -> None:
    upload = make_upload()
    path = Path(upload.file.path)

    tasks.import_upload.call(upload.pk)

    upload.refresh_from_db()
    assert upload.status == UploadStatus.FINISHED
    assert upload.finished_at is not None
    assert upload.summary["applied"] == 2
    assert upload.summary["failed"] == 1
    assert upload.rows_read == 3
    assert upload.bytes_read == upload.bytes_total == len(ROWS)
    assert b"channel" in Path(upload.report.path).read_bytes()
    assert not path.exists() and not upload.file
    assert QuarantinedAddress.objects.count() == 2


def test_dry_run_counts_and_writes_nothing(make_upload: Callable[..., Upload]) -> None:
    upload = run(make_upload(is_dry_run=True))

    assert upload.summary["applied"] == 2
    assert not QuarantinedAddress.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b" \n", "is empty"),
        (b"PK\x03\x04", "is not a text file"),
        (b"name,age\nx,1\n", "channel"),
    ],
    ids=["empty", "zipped", "wrong header"],
)
def test_unreadable_file_fails_with_a_sentence(
    make_upload: Callable[..., Upload], content: bytes, sentence: str
) -> None:
    upload = run(make_upload(content))

    assert upload.status == UploadStatus.FAILED
    assert sentence in upload.error
    assert upload.error.startswith("quarantine.csv ")
    assert not upload.file


def test_upload_without_failed_rows_keeps_no_report(
    make_upload: Callable[..., Upload],
) -> None:
    upload = run(make_upload(ROWS.replace(b"pigeon,coo", b"email,coo@example.com")))

    assert upload.summary["failed"] == 0
    assert not upload.report
    assert not list(Path(settings.MEDIA_ROOT).glob("*.csv"))


def test_finished_upload_is_not_read_again(make_upload: Callable[..., Upload]) -> None:
    upload = run(make_upload())
    finished_at = upload.finished_at

    assert run(upload).finished_at == finished_at


def test_upload_that_is_being_read_is_not_read_twice(
    make_upload: Callable[..., Upload],
) -> None:
    upload = make_upload()

    with locks.held(upload_runs.lock_of(upload.pk)):
        run(upload)

    assert upload.status == UploadStatus.WAITING


def test_upload_of_a_killed_worker_is_read_again(
    make_upload: Callable[..., Upload],
) -> None:
    upload = make_upload()
    Upload.objects.update(status=UploadStatus.RUNNING)
    upload.refresh_from_db()
    assert upload_runs.is_interrupted(upload)

    assert run(upload).status == UploadStatus.FINISHED


def test_stop_ends_a_waiting_upload_at_once(
    make_upload: Callable[..., Upload],
) -> None:
    upload = make_upload()

    uploads.request_stop(upload, now=NOW)

    assert run(upload).status == UploadStatus.STOPPED
    assert not upload.file


def test_stop_is_honoured_while_the_file_is_read(
    make_upload: Callable[..., Upload], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = make_upload()

    def read(
        *args: object, progress: Callable[[Progress], None], **rest: object
    ) -> None:
        uploads.request_stop(Upload.objects.get(), now=NOW)
        progress(Progress(7, 70, 100))
        raise AssertionError("the progress should have stopped the reading")

    monkeypatch.setitem(upload_runs.READERS, UploadKind.QUARANTINE, read)

    run(upload)

    assert upload.status == UploadStatus.STOPPED
    assert upload.rows_read == 7
    assert not upload.file


def test_progress_is_saved_once_a_second(
    make_upload: Callable[..., Upload],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    progress = upload_runs.ReadingProgress(make_upload().pk)

    with django_assert_max_num_queries(2):  # type: ignore[attr-defined]
        for row in range(100):
            progress(Progress(row, row, 100))

    monkeypatch.setattr(upload_runs, "SAVE_EVERY", 0)
    progress(Progress(101, 100, 100))
    assert Upload.objects.get().rows_read == 101


def test_ended_upload_can_neither_be_stopped_nor_started(
    make_upload: Callable[..., Upload],
) -> None:
    upload = run(make_upload())

    with pytest.raises(UploadError, match="has ended already"):
        uploads.request_stop(upload, now=NOW)
    with pytest.raises(UploadError, match="was not interrupted"):
        uploads.start_again(upload)


def test_profiles_are_read_as_well(operator: User) -> None:
    upload = uploads.accept(
        SimpleUploadedFile("people.csv", b"external_id,no_email\na,1\nb,\n"),
        kind=UploadKind.PROFILES,
        is_dry_run=False,
        by=operator,
        now=NOW,
    )

    run(upload)

    opt_out = ConsentEvent.objects.get()
    assert upload.summary["created"] == 2
    assert opt_out.actor == operator.username
    assert opt_out.at == NOW
