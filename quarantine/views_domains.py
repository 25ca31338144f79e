"""Doors to the block list of domains."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from profiles.paging import page_of
from quarantine import listing
from quarantine.forms import BlockForm
from quarantine.models import BlockedDomain
from quarantine.transitions import QuarantineError


@login_required
@permission_required("quarantine.view_blockeddomain", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def domains(request: HttpRequest) -> HttpResponse:
    """List the blocked domains; by POST, block one."""
    if request.method == "POST":
        return _block(request)
    return _show_domains(request, BlockForm())


@permission_required("quarantine.add_blockeddomain", raise_exception=True)
def _block(request: HttpRequest) -> HttpResponse:
    form = BlockForm(request.POST)
    if form.is_valid():
        try:
            blocked = listing.block_domain(
                form.cleaned_data["domain"],
                note=form.cleaned_data["note"],
                by=request.user.get_username(),
                now=timezone.now(),
            )
        except QuarantineError as error:
            form.add_error("domain", str(error))
        else:
            text = _("Domain %(domain)s is blocked.") % {"domain": blocked.domain}
            messages.success(request, text)
            return redirect("blocked_domains")
    return _show_domains(request, form)


def _show_domains(request: HttpRequest, form: BlockForm) -> HttpResponse:
    page = page_of(
        BlockedDomain.objects.all(), keys=("created_at", "id"), query=request.GET
    )
    return render(request, "quarantine/domains.html", {"form": form, "page": page})


@login_required
@permission_required("quarantine.delete_blockeddomain", raise_exception=True)
@require_POST
def unblock_domain(request: HttpRequest) -> HttpResponse:
    """Take a domain from the block list."""
    domain = request.POST.get("domain", "")
    try:
        listing.unblock_domain(
            domain, note="", by=request.user.get_username(), now=timezone.now()
        )
    except QuarantineError as error:
        messages.error(request, str(error))
    else:
        text = _("Domain %(domain)s is no longer blocked.") % {"domain": domain}
        messages.success(request, text)
    return redirect("blocked_domains")
