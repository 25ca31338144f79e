"""Doors to bursts of opt-outs, and to requests to stop."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from optout import bursts, reversing, triage
from optout.forms_bursts import EvidenceForm, ReverseForm
from optout.models import Burst, StopRequest
from optout.models.bursts import BurstState
from optout.reversing import BurstError, Decision
from profiles.paging import page_of


@login_required
@permission_required("optout.view_burst", raise_exception=True)
@require_safe
def burst_list(request: HttpRequest) -> HttpResponse:
    """List the bursts, newest first."""
    page = page_of(Burst.objects.all(), keys=("began_at", "id"), query=request.GET)
    return render(request, "optout/bursts.html", {"page": page})


@login_required
@permission_required("optout.reverse_burst", raise_exception=True)
@require_POST
def burst_look(request: HttpRequest) -> HttpResponse:
    """Look for bursts now."""
    found = bursts.detect(timezone.now())
    text = ngettext(
        "%(count)s new burst was flagged.", "%(count)s new bursts were flagged.", found
    )
    messages.info(request, text % {"count": found})
    return redirect("bursts")


@login_required
@permission_required("optout.view_burst", raise_exception=True)
@require_safe
def burst_detail(request: HttpRequest, burst_id: int) -> HttpResponse:
    """Show one burst, and what can be done about it."""
    return _show(request, get_object_or_404(Burst, pk=burst_id))


@login_required
@permission_required("optout.reverse_burst", raise_exception=True)
@require_POST
def burst_reverse(request: HttpRequest, burst_id: int) -> HttpResponse:
    """Take the opt-outs of a burst back."""
    burst = get_object_or_404(Burst, pk=burst_id)
    form = ReverseForm(request.POST, prefix="reverse")
    if not form.is_valid():
        return _show(request, burst, reverse_form=form)
    return _decide(request, burst, form.cleaned_data, act=_reverse)


@login_required
@permission_required("optout.reverse_burst", raise_exception=True)
@require_POST
def burst_dismiss(request: HttpRequest, burst_id: int) -> HttpResponse:
    """Leave the opt-outs of a burst as they are."""
    burst = get_object_or_404(Burst, pk=burst_id)
    form = EvidenceForm(request.POST, prefix="dismiss")
    if not form.is_valid():
        return _show(request, burst, dismiss_form=form)
    return _decide(request, burst, form.cleaned_data, act=_dismiss)


@login_required
@permission_required("optout.view_stoprequest", raise_exception=True)
@require_safe
def stop_requests(request: HttpRequest) -> HttpResponse:
    """List the requests to stop that wait for an operator."""
    waiting = StopRequest.objects.filter(closed_at__isnull=True)
    page = page_of(waiting, keys=("asked_at", "id"), query=request.GET)
    lines = triage.lines(page.rows)
    return render(request, "optout/requests.html", {"page": page, "lines": lines})


@login_required
@permission_required("optout.change_stoprequest", raise_exception=True)
@require_POST
def stop_request_close(request: HttpRequest, request_id: int) -> HttpResponse:
    """Close a request: it was decided, one way or the other."""
    by = request.user.get_username()
    if triage.close(request_id, by=by, now=timezone.now()):
        messages.success(request, _("The request is closed."))
    else:
        messages.info(request, _("The request was closed already."))
    return redirect("stop_requests")


def _decide(
    request: HttpRequest,
    burst: Burst,
    chosen: dict[str, str],
    *,
    act: Callable[[Burst, Decision], str],
) -> HttpResponse:
    """Decide as this operator; say what was done, or why it was not."""
    decision = Decision(
        by=request.user.get_username(),
        reason=chosen.get("reason", ""),
        note=chosen["note"],
    )
    try:
        messages.success(request, act(burst, decision))
    except BurstError as error:
        messages.error(request, str(error))
    return redirect("burst", burst.pk)


def _reverse(burst: Burst, decision: Decision) -> str:
    count = reversing.reverse(burst, decision, now=timezone.now())
    text = ngettext(
        "The opt-out of %(count)s person was reversed.",
        "The opt-outs of %(count)s people were reversed.",
        count,
    )
    return text % {"count": count}


def _dismiss(burst: Burst, decision: Decision) -> str:
    reversing.dismiss(burst, decision, now=timezone.now())
    return _("The opt-outs of this burst stay.")


def _show(
    request: HttpRequest,
    burst: Burst,
    *,
    reverse_form: ReverseForm | None = None,
    dismiss_form: EvidenceForm | None = None,
) -> HttpResponse:
    is_open = burst.state == BurstState.FLAGGED
    about = {
        "burst": burst,
        "is_open": is_open,
        "reversible": reversing.reversible(burst).count() if is_open else 0,
        "reverse_form": reverse_form or ReverseForm(prefix="reverse"),
        "dismiss_form": dismiss_form or EvidenceForm(prefix="dismiss"),
    }
    return render(request, "optout/burst.html", about)
