"""The door to merging: what it would write, and then writing it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from delivery import merging
from delivery.forms_profiles import MergeForm
from profiles.late_stops import tells_if_late
from profiles.models import Profile


@login_required
@permission_required(
    ["profiles.view_profile", "profiles.merge_profile"], raise_exception=True
)
@require_http_methods(["GET", "HEAD", "POST"])
@tells_if_late
def merge(request: HttpRequest, profile_id: int, other_id: int) -> HttpResponseBase:
    """Show what merging another profile into this one would write; on POST, do it."""
    keep = get_object_or_404(Profile, pk=profile_id)
    lose = get_object_or_404(Profile, pk=other_id)
    form = MergeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            merging.merge(
                keep,
                lose,
                by=request.user.get_username(),
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except merging.MergeError as error:
            form.add_error(None, str(error))
        else:
            text = _("“%(lose)s” was merged into this profile.") % {"lose": lose}
            messages.success(request, text)
            return redirect("profile", keep.pk)
    return _preview(request, keep, lose, form=form)


def _preview(
    request: HttpRequest, keep: Profile, lose: Profile, *, form: MergeForm
) -> HttpResponseBase:
    try:
        planned = merging.plan(keep, lose)
    except merging.MergeError as error:
        messages.error(request, str(error))
        return redirect("profile", keep.pk)
    context = {"plan": planned, "form": form, "now": timezone.now()}
    return render(request, "profiles/merge.html", context)
