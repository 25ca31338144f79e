"""Doors to the figures of the quarantine: errors counted, and how it grew."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from quarantine import figures, growth
from quarantine.figures import PERIODS, Grouping
from quarantine.forms_incidents import FiguresForm


@login_required
@permission_required("quarantine.view_quarantinedaddress", raise_exception=True)
@require_safe
def error_figures(request: HttpRequest) -> HttpResponse:
    """Show the errors of a period, counted by what they have in common."""
    by, days = _chosen(request)
    now = timezone.now()
    series = figures.days_of(days=days, now=now)
    context = {
        "by": by,
        "days": days,
        "groupings": Grouping.choices,
        "periods": PERIODS,
        "rows": figures.counted(by, days=days, now=now),
        "most_rows": figures.MOST_ROWS,
        "series": series,
        "width": 10 * len(series),
        "held": sum(day.held for day in series),
        "released": sum(day.released for day in series),
    }
    return render(request, "quarantine/figures.html", context)


@login_required
@permission_required("quarantine.view_quarantinedaddress", raise_exception=True)
@require_safe
def error_figures_csv(request: HttpRequest) -> HttpResponseBase:
    """Download the counts, safe to open in a spreadsheet."""
    by, days = _chosen(request)
    response = StreamingHttpResponse(
        figures.csv_of(by, days=days, now=timezone.now()),
        content_type="text/csv; charset=utf-8",
    )
    name = f"quarantine-by-{by.value}-{days}-days.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@login_required
@permission_required("quarantine.view_quarantinedaddress", raise_exception=True)
@require_safe
def growth_of_quarantine(request: HttpRequest) -> HttpResponse:
    """Show how the quarantine grew in a year, next to normal wear."""
    context = {
        "growth": growth.growth(now=timezone.now()),
        "first_year": growth.FIRST_YEAR,
        "second_year": growth.SECOND_YEAR,
    }
    return render(request, "quarantine/growth.html", context)


def _chosen(request: HttpRequest) -> tuple[Grouping, int]:
    form = FiguresForm({"by": "reason", "days": "30", **request.GET.dict()})
    if not form.is_valid():
        raise Http404(_("There is no such figure."))
    return Grouping(form.cleaned_data["by"]), form.cleaned_data["days"]
