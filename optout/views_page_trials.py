"""Doors to what a landing page said, and to what it would write."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from optout import page_dry_run, pages
from optout.forms_pages import DryRunForm
from optout.models import LandingPage, LandingPageVersion
from optout.page_content import PAGE_LANGUAGES, PageContent
from optout.page_dry_run import DryRun
from optout.views_pages import page_or_404
from profiles.models import Profile


@login_required
@permission_required("optout.view_landingpage", raise_exception=True)
@require_safe
def landing_page_version(
    request: HttpRequest, page_id: int, number: int
) -> HttpResponse:
    """Show the whole wording of a version with its hashes, fit for printing."""
    version = get_object_or_404(
        LandingPageVersion.objects.select_related("page").defer("content"),
        page_id=page_id,
        number=number,
        published_at__isnull=False,
    )
    wordings = [
        (PAGE_LANGUAGES[code].capitalize(), code, text, version.wording_hashes[code])
        for code, text in version.wording.items()
    ]
    context = {"version": version, "page": version.page, "wordings": wordings}
    return render(request, "optout/pages/version.html", context)


@login_required
@permission_required(
    ["optout.view_landingpage", "profiles.view_profile"], raise_exception=True
)
@require_safe
def landing_page_dry_run(request: HttpRequest, page_id: int) -> HttpResponse:
    """Show what the page would write for a profile; nothing is written."""
    page = page_or_404(page_id)
    content = pages.editable_content(page)
    is_asked = "external_id" in request.GET
    form = DryRunForm(
        content,
        page.type,
        request.GET if is_asked else None,
        services=page_dry_run.service_names(content),
    )
    run = _run(page, content, form) if form.is_valid() else None
    context = {"page": page, "form": form, "run": run}
    return render(request, "optout/pages/dry_run.html", context)


def _run(page: LandingPage, content: PageContent, form: DryRunForm) -> DryRun | None:
    chosen = form.cleaned_data
    profile = (
        Profile.objects.not_erased().filter(external_id=chosen["external_id"]).first()
    )
    if profile is None:
        form.add_error("external_id", _("No profile has this external id."))
        return None
    return page_dry_run.run(
        page,
        content,
        profile,
        sent=page_dry_run.submission(content, chosen),
        is_identified=chosen["is_identified"],
        now=timezone.now(),
    )
