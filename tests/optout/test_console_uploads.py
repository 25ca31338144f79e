"""The console's pages of files: upload, progress, stop, report, and who may."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_tasks_db.models import DBTaskResult

from optout import upload_runs
from optout.models import Upload
from optout.models.uploads import UploadKind, UploadStatus
from profiles import locks
from tests.optout.upload_files import ROWS, run


def test_file_is_uploaded_in_the_console(
    console: Client, make_upload: Callable[..., Upload]
) -> None:
    file = SimpleUploadedFile("list.csv", ROWS)

    response = console.post(
        "/console/uploads/new/", {"kind": "quarantine", "file": file}, follow=True
    )

    upload = Upload.objects.get()
    assert response.redirect_chain[0][0] == f"/console/uploads/{upload.pk}/"
    assert "Waits for the worker." in response.text
    assert "<noscript><meta" in response.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "quarantine"}, "This field is required."),
        (
            {"kind": "quarantine", "file": SimpleUploadedFile("a.csv", b"")},
            "The submitted file is empty.",
        ),
        ({"kind": "weather"}, "weather is not one of the available choices."),
    ],
    ids=["no file", "empty file", "unknown kind"],
)
def test_bad_upload_is_refused_with_a_sentence(
    console: Client, fields: dict[str, object], sentence: str
) -> None:
    response = console.post("/console/uploads/new/", fields)

    assert sentence in response.text
    assert not Upload.objects.exists()


def test_page_shows_summary_and_gives_the_report(
    console: Client, make_upload: Callable[..., Upload]
) -> None:
    upload = run(make_upload())

    page = console.get(f"/console/uploads/{upload.pk}/")
    report = console.get(f"/console/uploads/{upload.pk}/report.csv")
    progress = console.get(f"/console/uploads/{upload.pk}/progress/")

    assert "What happened" in page.text
    assert "3 rows read – 100% of the file" in page.text
    assert b"".join(report).startswith(b"line,column,reason,cure")  # type: ignore[arg-type]
    assert "attachment" in report["Content-Disposition"]
    assert progress["HX-Refresh"] == "true"


def test_page_shows_progress(
    console: Client, make_upload: Callable[..., Upload]
) -> None:
    upload = make_upload()
    Upload.objects.update(
        status=UploadStatus.RUNNING, rows_read=500, bytes_read=30, bytes_total=100
    )

    with locks.held(upload_runs.lock_of(upload.pk)):
        page = console.get(f"/console/uploads/{upload.pk}/")
        part = console.get(f"/console/uploads/{upload.pk}/progress/")

    assert "500 rows read – 30% of the file" in page.text
    assert "500 rows read – 30% of the file" in part.text
    assert "HX-Refresh" not in part


def test_interrupted_upload_is_shown_and_started_again(
    console: Client,
    make_upload: Callable[..., Upload],
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    upload = make_upload()
    Upload.objects.update(status=UploadStatus.RUNNING)
    url = f"/console/uploads/{upload.pk}/"

    page = console.get(url)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        console.post(f"{url}start/")

    assert "Interrupted" in page.text and "Start again" in page.text
    assert DBTaskResult.objects.count() == 1


def test_stop_in_the_console(
    console: Client, make_upload: Callable[..., Upload]
) -> None:
    upload = make_upload()

    first = console.post(f"/console/uploads/{upload.pk}/stop/", follow=True)
    second = console.post(f"/console/uploads/{upload.pk}/stop/", follow=True)

    assert "Batches that were written before stay" in first.text
    assert "cannot be stopped: it has ended already." in second.text


def test_upload_without_report_has_none_to_give(
    console: Client, make_upload: Callable[..., Upload]
) -> None:
    upload = make_upload()

    assert console.get(f"/console/uploads/{upload.pk}/report.csv").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("get", "new/"),
        ("post", "new/"),
        ("get", "{pk}/"),
        ("get", "{pk}/progress/"),
        ("post", "{pk}/stop/"),
        ("post", "{pk}/start/"),
        ("get", "{pk}/report.csv"),
    ],
)
def test_somebody_without_rights_is_denied(
    client: Client,
    onlooker: User,
    make_upload: Callable[..., Upload],
    method: str,
    path: str,
) -> None:
    url = f"/console/uploads/{path}".format(pk=make_upload().pk)

    signed_out = getattr(client, method)(url)
    client.force_login(onlooker)
    without_rights = getattr(client, method)(url)

    assert signed_out.status_code == 302
    assert without_rights.status_code == 403


def test_right_for_one_kind_offers_that_kind_only(
    client: Client, onlooker: User, make_upload: Callable[..., Upload]
) -> None:
    onlooker.user_permissions.add(Permission.objects.get(codename="import_profile"))
    client.force_login(onlooker)

    page = client.get("/console/uploads/new/")
    refused = client.post(
        "/console/uploads/new/",
        {"kind": "quarantine", "file": SimpleUploadedFile("a.csv", ROWS)},
    )
    foreign = client.post(f"/console/uploads/{make_upload().pk}/stop/")

    assert 'value="quarantine"' not in page.text
    assert "not one of the available choices" in refused.text
    assert foreign.status_code == 403


def test_list_needs_few_queries(
    console: Client,
    make_upload: Callable[..., Upload],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    upload = make_upload()
    Upload.objects.bulk_create(
        Upload(
            kind=UploadKind.PROFILES,
            file_name="a.csv",
            status=UploadStatus.RUNNING,
            created_by=upload.created_by,
        )
        for _ in range(60)
    )

    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        assert console.get("/console/uploads/").status_code == 200
