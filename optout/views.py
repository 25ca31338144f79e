"""The door through which operators change what a person no longer wants."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from optout import boxes
from optout.forms import BoxesForm
from optout.preferences import ConsentError
from profiles.late_stops import tells_if_late
from profiles.models import Profile


@login_required
@permission_required(
    ["profiles.view_profile", "optout.add_optout"], raise_exception=True
)
@require_http_methods(["GET", "HEAD", "POST"])
@tells_if_late
def opt_outs(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Show the boxes of one person on a page of their own, and save them."""
    profile = get_object_or_404(Profile.objects.not_erased(), pk=profile_id)
    form = BoxesForm(
        profile,
        may_lift=request.user.has_perm("optout.lift_optout"),
        post=request.POST if request.method == "POST" else None,
    )
    if form.is_valid() and _save(request, profile, form):
        return redirect("profile", profile.pk)
    page = {"profile": profile, "boxes": form}
    return render(request, "optout/opt_outs.html", page)


def _save(request: HttpRequest, profile: Profile, form: BoxesForm) -> bool:
    wanted = form.wanted
    if not wanted:
        messages.info(request, _("Nothing was changed: the boxes are as they were."))
        return True
    try:
        boxes.save(
            profile,
            wanted,
            scope=form.chosen_scope,
            by=request.user.get_username(),
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["evidence"].strip(),
            now=timezone.now(),
        )
    except ConsentError as error:
        form.add_error(None, str(error))
        return False
    messages.success(
        request,
        _("Saved the opt-outs of “%(profile)s”.") % {"profile": profile},
    )
    return True
