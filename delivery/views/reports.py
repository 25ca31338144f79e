"""Doors to the reports: all of them, each one, and each table as a file."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from delivery import audit
from delivery.forms_reports import PeriodForm
from delivery.reporting import tables
from delivery.reporting.catalogue import REPORTS, Catalogued


@login_required
@require_safe
def report_list(request: HttpRequest) -> HttpResponse:
    """Show a card for each report that this operator may see."""
    shown = [each for each in REPORTS if request.user.has_perm(each.right)]
    if not shown:
        raise PermissionDenied
    form = PeriodForm(request.GET.__class__(), now=timezone.now())
    form.full_clean()
    choice = form.choice(may=request.user.has_perm)
    cards = [(each, reverse(each.url_name), each.last_figure(choice)) for each in shown]
    return render(request, "reports/report_list.html", {"cards": cards})


@login_required
@require_safe
def report(request: HttpRequest, kind: Catalogued) -> HttpResponse:
    """Show one report: for each of its tables a picture, and the table."""
    form = _form(request, kind)
    is_valid = form.is_valid()
    may = request.user.has_perm
    context = {
        "kind": kind,
        "form": form,
        "period": form.period if is_valid else None,
        "parts": kind.sections(form.choice(may=may)) if is_valid else [],
        "csv_url": reverse(f"{kind.url_name}_csv"),
        "query": urlencode(_query(form)) if is_valid else "",
        "is_narrowed": bool(request.GET),
    }
    status = 200 if is_valid else 400
    return render(request, "reports/report.html", context, status=status)


@login_required
@require_safe
def report_csv(request: HttpRequest, kind: Catalogued) -> HttpResponse:
    """Download one table of a report, exactly as its page has it."""
    form = _form(request, kind)
    if not form.is_valid():
        raise Http404(_("There is no such filter."))
    sections = kind.sections(form.choice(may=request.user.has_perm))
    found = [
        each
        for each in sections
        if each.name == request.GET.get("table", sections[0].name)
    ]
    if not found:
        raise Http404(_("There is no such table in this report."))
    table, period = found[0].table, form.period
    audit.notes_of(request).count("rows", len(table.rows))
    response = HttpResponse(
        tables.csv_of(table), content_type="text/csv; charset=utf-8"
    )
    name = f"{kind.slug}-{found[0].name}-{period.first}-{period.last}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _form(request: HttpRequest, kind: Catalogued) -> PeriodForm:
    if not request.user.has_perm(kind.right):
        raise PermissionDenied
    return kind.form(request.GET, now=timezone.now(), days=kind.days)


def _query(form: PeriodForm) -> dict[str, str]:
    """Give the query of this very page, for its files."""
    names = form.fields
    return {name: form.data[name] for name in names if form.data.get(name)}
