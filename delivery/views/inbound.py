from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from delivery import complaint_rates
from delivery.complaint_rates import LaneError
from delivery.forms_inbound import InboundFilterForm
from delivery.inbound import browsing, processing
from delivery.models import Inbound, Lane, LaneHold
from profiles import showing
from profiles.paging import page_of

MOST_LANES = 100


@login_required
@permission_required("delivery.view_inbound", raise_exception=True)
@require_safe
def inbound_list(request: HttpRequest) -> HttpResponse:
    """List what came in, narrowed by the filters in the query."""
    form = InboundFilterForm(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    rows = browsing.filtered(**chosen)
    page = page_of(rows, keys=("received_at", "id"), query=request.GET)
    context = {
        "form": form,
        "page": page,
        "lines": browsing.lines(page.rows),
        "counts": browsing.counts(timezone.now()),
        "is_filtered": any(value not in ("", None) for value in chosen.values()),
    }
    return render(request, "delivery/inbound_list.html", context)


@login_required
@permission_required("delivery.view_inbound", raise_exception=True)
@require_safe
def inbound_detail(request: HttpRequest, inbound_id: int) -> HttpResponse:
    """Show one report; as it came only to who has the right of its own."""
    row = get_object_or_404(Inbound, pk=inbound_id)
    may_see_raw = request.user.has_perm("delivery.view_inbound_raw")
    if may_see_raw and row.raw:
        showing.count(request)
    context = {
        "line": browsing.lines([row])[0],
        "row": row,
        "shown": browsing.shown(row) if may_see_raw else "",
        "is_cut": len(row.raw or b"") > browsing.SHOWN_BYTES,
    }
    return render(request, "delivery/inbound_detail.html", context)


@login_required
@permission_required("delivery.view_inbound_raw", raise_exception=True)
@require_safe
def inbound_raw(request: HttpRequest, inbound_id: int) -> HttpResponse:
    """Give a report as it came, to be saved: a browser never shows it."""
    row = get_object_or_404(Inbound, pk=inbound_id)
    response = HttpResponse(
        bytes(row.raw or b""), content_type="application/octet-stream"
    )
    response["Content-Disposition"] = f'attachment; filename="inbound-{row.pk}.bin"'
    return response


@login_required
@permission_required("delivery.change_inbound", raise_exception=True)
@require_POST
def inbound_again(request: HttpRequest, inbound_id: int) -> HttpResponse:
    """Let a report that could not be read be read once more."""
    if processing.read_again(inbound_id):
        messages.success(request, _("It will be read again within a minute."))
    else:
        messages.warning(
            request, _("Nothing was changed: it was read already. Reload the page.")
        )
    return redirect("inbound_detail", inbound_id)


@login_required
@permission_required("delivery.view_lanehold", raise_exception=True)
@require_safe
def lane_list(request: HttpRequest) -> HttpResponse:
    """List the recipient domains whose mail is held back, and why."""
    held = LaneHold.objects.all()
    asked = Lane.objects.filter(paused_until__gt=timezone.now()).order_by("domain")
    context = {
        "page": page_of(held, keys=("since", "id"), query=request.GET),
        "lanes": asked[:MOST_LANES],
        "lane_count": asked.count(),
    }
    return render(request, "delivery/lane_list.html", context)


@login_required
@permission_required("delivery.lift_lanehold", raise_exception=True)
@require_POST
def lane_lift(request: HttpRequest, hold_id: int) -> HttpResponse:
    """Let a domain have its marketing mail again."""
    by = request.user.get_username()
    try:
        hold = complaint_rates.lift(hold_id, by=by, now=timezone.now())
    except LaneError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            _("Mail to %(domain)s goes out again within minutes.")
            % {"domain": hold.domain},
        )
    return redirect("lane_list")
