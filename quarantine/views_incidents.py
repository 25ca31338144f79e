"""Doors to incidents: what is held or proposed, its release, and the way back."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from profiles.paging import page_of
from quarantine import incidents, outages
from quarantine.forms_incidents import ConfirmForm, NoteForm, WindowForm
from quarantine.incidents import Proposal
from quarantine.models import BatchState, QuarantineBatch
from quarantine.transitions import QuarantineError

_MAY_RELEASE = [
    "quarantine.view_quarantinedaddress",
    "quarantine.release_quarantinedaddress",
    "quarantine.release_many",
]
_TIME = "%Y-%m-%dT%H:%M:%S.%f"


@login_required
@permission_required("quarantine.view_quarantinedaddress", raise_exception=True)
@require_safe
def incident_list(request: HttpRequest) -> HttpResponse:
    """List what is held as provisional, what is proposed, and what was decided."""
    now = timezone.now()
    decided = QuarantineBatch.objects.exclude(state=BatchState.OPEN)
    context = {
        "held": outages.with_counts(),
        "proposals": [(each, _query(each)) for each in incidents.proposals(now=now)],
        "page": page_of(decided, keys=("created_at", "id"), query=request.GET),
        "form": WindowForm(),
    }
    return render(request, "quarantine/incidents.html", context)


@login_required
@permission_required("quarantine.view_quarantinedaddress", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def incident(request: HttpRequest) -> HttpResponse:
    """Show what a release of an incident would do; by POST, release it."""
    if request.method == "POST":
        return _release(request)
    form = WindowForm(request.GET)
    if not form.is_valid():
        return _choose(request, form)
    return _show_incident(request, form, NoteForm())


@permission_required(_MAY_RELEASE, raise_exception=True)
def _release(request: HttpRequest) -> HttpResponse:
    form = WindowForm(request.GET)
    if not form.is_valid():
        return _choose(request, form)
    note_form = NoteForm(request.POST)
    if not note_form.is_valid():
        return _show_incident(request, form, note_form)
    try:
        batch = incidents.release(
            form.window,
            by=request.user.get_username(),
            note=note_form.cleaned_data["note"],
            now=timezone.now(),
        )
    except QuarantineError as error:
        messages.error(request, str(error))
        return redirect("incidents")
    messages.success(request, _released(batch.count))
    return redirect("quarantine_batch", batch.pk)


def _choose(request: HttpRequest, form: WindowForm) -> HttpResponse:
    page = {"form": form}
    return render(request, "quarantine/incident_choose.html", page, status=400)


def _show_incident(
    request: HttpRequest, form: WindowForm, note_form: NoteForm
) -> HttpResponse:
    window = form.window
    preview = incidents.preview(incidents.members(window))
    context = {"window": window, "preview": preview, "note_form": note_form}
    return render(request, "quarantine/incident.html", context)


@login_required
@permission_required("quarantine.view_quarantinedaddress", raise_exception=True)
@require_safe
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Show addresses that failed together, and what can be done about them."""
    return _show_batch(request, get_object_or_404(QuarantineBatch, pk=batch_id))


@login_required
@permission_required(_MAY_RELEASE, raise_exception=True)
@require_POST
def batch_confirm(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Make definite what an outage holds as provisional."""
    held = get_object_or_404(QuarantineBatch, pk=batch_id)
    form = ConfirmForm(request.POST, prefix="confirm")
    if not form.is_valid():
        return _show_batch(request, held, confirm_form=form)
    confirm = partial(outages.confirm, note=form.cleaned_data["note"])
    return _after(request, held, confirm, said=_kept)


@login_required
@permission_required(_MAY_RELEASE, raise_exception=True)
@require_POST
def batch_discard(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Release everything that an outage holds as provisional."""
    held = get_object_or_404(QuarantineBatch, pk=batch_id)
    form = NoteForm(request.POST, prefix="discard")
    if not form.is_valid():
        return _show_batch(request, held, discard_form=form)
    discard = partial(outages.discard, note=form.cleaned_data["note"])
    return _after(request, held, discard, said=_released)


@login_required
@permission_required(_MAY_RELEASE, raise_exception=True)
@require_POST
def batch_undo(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Take a release back."""
    done = get_object_or_404(QuarantineBatch, pk=batch_id)
    return _after(request, done, incidents.undo, said=_held_again)


def _after(
    request: HttpRequest,
    batch: QuarantineBatch,
    act: Callable[..., int],
    *,
    said: Callable[[int], str],
) -> HttpResponse:
    """Do it as this operator; say of how many addresses, or why not."""
    try:
        count = act(batch, by=request.user.get_username(), now=timezone.now())
    except QuarantineError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said(count))
    return redirect("quarantine_batch", batch.pk)


def _show_batch(
    request: HttpRequest,
    batch: QuarantineBatch,
    *,
    confirm_form: ConfirmForm | None = None,
    discard_form: NoteForm | None = None,
) -> HttpResponse:
    is_open = batch.state == BatchState.OPEN
    is_released = batch.state == BatchState.RELEASED
    context = {
        "batch": batch,
        "is_open": is_open,
        "is_released": is_released,
        "preview": incidents.preview(outages.provisional(batch)) if is_open else None,
        "undoable": incidents.released(batch).count() if is_released else 0,
        "definite_at": outages.definite_at(batch) if is_open else None,
        "confirm_form": confirm_form or ConfirmForm(prefix="confirm"),
        "discard_form": discard_form or NoteForm(prefix="discard"),
    }
    return render(request, "quarantine/batch.html", context)


def _released(count: int) -> str:
    text = ngettext(
        "%(count)d address was released.", "%(count)d addresses were released.", count
    )
    return text % {"count": count}


def _kept(count: int) -> str:
    text = ngettext(
        "%(count)d address stays in quarantine.",
        "%(count)d addresses stay in quarantine.",
        count,
    )
    return text % {"count": count}


def _held_again(count: int) -> str:
    text = ngettext(
        "%(count)d address is in quarantine again.",
        "%(count)d addresses are in quarantine again.",
        count,
    )
    return text % {"count": count}


def _query(proposal: Proposal) -> str:
    """Write an incident as the query of its page."""
    window = proposal.window
    return urlencode(
        {
            "domain": window.domain,
            "began_at": window.began_at.strftime(_TIME),
            "ended_at": window.ended_at.strftime(_TIME),
        }
    )
