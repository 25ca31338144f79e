"""Doors to the audit trail: read, filter, download."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from delivery import audit
from delivery.forms_account import TrailForm
from delivery.models import ConsoleAction
from profiles.paging import page_of


@login_required
@permission_required("delivery.view_consoleaction", raise_exception=True)
@require_safe
def audit_trail(request: HttpRequest) -> HttpResponse:
    """List what was done in the console, newest first."""
    form = TrailForm(request.GET)
    status = 200 if form.is_valid() else 400
    rows = (
        audit.filtered(**form.chosen)
        if form.is_valid()
        else ConsoleAction.objects.none()
    )
    page = page_of(rows, keys=("at", "id"), query=request.GET)
    lines = [
        (row, audit.pairs(row.about), audit.pairs(row.counts)) for row in page.rows
    ]
    names = ("actor", "action", "outcome", "since", "until")
    context = {
        "form": form,
        "page": page,
        "lines": lines,
        "filter_query": urlencode({name: request.GET.get(name, "") for name in names}),
    }
    return render(request, "delivery/audit_trail.html", context, status=status)


@login_required
@permission_required(
    ["delivery.view_consoleaction", "delivery.export_consoleaction"],
    raise_exception=True,
)
@require_safe
def audit_trail_csv(request: HttpRequest) -> HttpResponseBase:
    """Stream the filtered trail; safe to open in a spreadsheet."""
    form = TrailForm(request.GET)
    if not form.is_valid():
        raise Http404(_("There is no such filter."))
    rows = audit.csv_of(audit.filtered(**form.chosen), audit.notes_of(request))
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit-trail.csv"'
    return response
