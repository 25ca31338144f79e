"""Doors to what came in and needs a person."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from delivery.inbound import triage, triage_lines
from delivery.inbound.triage import Decided, TriageError
from delivery.models import Decision


@login_required
@permission_required("delivery.view_triageitem", raise_exception=True)
@require_safe
def triage_list(request: HttpRequest) -> HttpResponse:
    """Show what waits for a decision, the most urgent first."""
    now = timezone.now()
    page = {
        "lines": triage_lines.lines(triage.waiting(), now=now),
        "count": triage.count_waiting(),
        "decided": triage.latest_decided(),
    }
    return render(request, "delivery/triage.html", page)


@login_required
@permission_required("delivery.change_triageitem", raise_exception=True)
@require_POST
def triage_decide(request: HttpRequest, item_id: int) -> HttpResponse:
    """Do what an operator decided about one message."""
    wanted = request.POST.get("decision", "")
    if wanted not in Decision.values:
        messages.error(request, _("Nothing was changed: choose what to do."))
        return redirect("triage")
    decision = Decision(wanted)
    try:
        decided = triage.decide(
            item_id, decision, by=request.user.get_username(), now=timezone.now()
        )
    except TriageError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _sentence(decision, decided))
    return redirect("triage")


def _sentence(decision: Decision, decided: Decided) -> str:
    if decision == Decision.NOTHING:
        return _("The message is closed, and nothing was changed.")
    if decision == Decision.ADDRESS:
        return ngettext(
            "The number gets no more texts. %(count)s profile carries it.",
            "The number gets no more texts. %(count)s profiles carry it.",
            decided.people,
        ) % {"count": decided.people}
    return ngettext(
        "%(count)s profile is opted out.",
        "%(count)s profiles are opted out.",
        decided.people,
    ) % {"count": decided.people}
