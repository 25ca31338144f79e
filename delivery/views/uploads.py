from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import (
    login_required,
    permission_required,
)
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from delivery.forms import UploadForm
from optout import uploads
from optout.models import Upload
from optout.models.uploads import UploadKind
from optout.uploads import UploadError
from profiles.paging import page_of


@login_required
@permission_required("optout.view_upload", raise_exception=True)
@require_safe
def upload_list(request: HttpRequest) -> HttpResponse:
    rows = Upload.objects.select_related("created_by")
    page = page_of(rows, keys=["id"], query=request.GET)
    context = {
        "page": page,
        "rows": [(upload, uploads.progress_of(upload)) for upload in page.rows],
        "can_upload": uploads.kinds_for(request.user),
    }
    return render(request, "optout/upload_list.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload_new(request: HttpRequest) -> HttpResponse:
    kinds = uploads.kinds_for(request.user)
    if not kinds:
        raise PermissionDenied
    may_only_try = not any(uploads.may_write(request.user, kind) for kind in kinds)
    form = UploadForm(
        request.POST or None,
        request.FILES or None,
        kinds=kinds,
        initial={"is_dry_run": may_only_try},
    )
    if request.method == "POST" and form.is_valid() and _may_upload(request, form):
        upload = uploads.accept(
            form.cleaned_data["file"],
            kind=UploadKind(form.cleaned_data["kind"]),
            is_dry_run=form.cleaned_data["is_dry_run"],
            by=cast(User, request.user),
            now=timezone.now(),
        )
        return redirect("upload_detail", upload.pk)
    return render(request, "optout/upload_new.html", {"form": form})


@login_required
@permission_required("optout.view_upload", raise_exception=True)
@require_safe
def upload_detail(request: HttpRequest, upload_id: int) -> HttpResponse:
    upload = _find(upload_id)
    context = {
        "upload": upload,
        "progress": uploads.progress_of(upload),
        "may_change": uploads.may_change(request.user, upload),
    }
    return render(request, "optout/upload_detail.html", context)


@login_required
@permission_required("optout.view_upload", raise_exception=True)
@require_safe
def upload_progress(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Give the progress alone; once the reading has ended, ask for the whole page."""
    upload = _find(upload_id)
    progress = uploads.progress_of(upload)
    context = {"upload": upload, "progress": progress}
    response = render(request, "optout/_upload_progress.html", context)
    if not progress.is_busy:
        response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def upload_stop(request: HttpRequest, upload_id: int) -> HttpResponse:
    upload = _change(request, upload_id)
    try:
        uploads.request_stop(upload, now=timezone.now())
    except UploadError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The upload stops after the batch in hand."))
    return redirect("upload_detail", upload.pk)


@login_required
@require_POST
def upload_start(request: HttpRequest, upload_id: int) -> HttpResponse:
    upload = _change(request, upload_id)
    try:
        uploads.start_again(upload)
    except UploadError as refusal:
        messages.error(request, str(refusal))
    return redirect("upload_detail", upload.pk)


@login_required
@permission_required("optout.view_upload", raise_exception=True)
@require_safe
def upload_report(request: HttpRequest, upload_id: int) -> HttpResponseBase:
    upload = _find(upload_id)
    if not upload.report:
        raise Http404(_("This upload has no report."))
    return FileResponse(
        upload.report.open("rb"),
        as_attachment=True,
        filename=f"upload-{upload.pk}-failed-rows.csv",
        content_type="text/csv; charset=utf-8",
    )


def _may_upload(request: HttpRequest, form: UploadForm) -> bool:
    kind, is_dry_run = form.cleaned_data["kind"], form.cleaned_data["is_dry_run"]
    if is_dry_run or uploads.may_write(request.user, UploadKind(kind)):
        return True
    text = _("Your account may only try a file. Tick “Dry run”, or ask for the right.")
    form.add_error("is_dry_run", text)
    return False


def _find(upload_id: int) -> Upload:
    return get_object_or_404(Upload.objects.select_related("created_by"), pk=upload_id)


def _change(request: HttpRequest, upload_id: int) -> Upload:
    """Find an upload for somebody who may upload files of its kind."""
    upload = _find(upload_id)
    if not uploads.may_change(request.user, upload):
        raise PermissionDenied
    return upload
