"""Doors to what a landing page said, and to what it would write."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from optout import page_dry_run, pages
from optout.forms_page_trials import DryRunForm
from optout.models import LandingPage, LandingPageVersion
from optout.page_content import PAGE_LANGUAGES, PageContent
from optout.page_dry_run import DryRun
from optout.page_visitors import state_of
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
    """Show what the page would write for a profile; nothing is written.

    At first as if the person changed nothing on the page; with `sent`, what is ticked.
    """
    page = page_or_404(page_id)
    content = pages.editable_content(page)
    profile = _profile(request)
    form = DryRunForm(
        content,
        page.type,
        _tried(request, page, content, profile=profile),
        services=page_dry_run.service_names(content),
    )
    run = _run(page, content, form, profile=profile) if form.is_valid() else None
    context = {"page": page, "form": form, "run": run}
    return render(request, "optout/pages/dry_run.html", context)


def _profile(request: HttpRequest) -> Profile | None:
    external_id = request.GET.get("external_id", "").strip()
    return Profile.objects.known_as(external_id).first()


def _tried(
    request: HttpRequest,
    page: LandingPage,
    content: PageContent,
    *,
    profile: Profile | None,
) -> QueryDict | None:
    """Give what the form holds: nothing, what was sent, or the page as it stands."""
    if "external_id" not in request.GET:
        return None
    if profile is None or "sent" in request.GET:
        return request.GET
    state = state_of(profile, content, is_identified=True, now=timezone.now())
    tried = request.GET.copy()
    tried.setdefault("page_language", content.default_language)
    for name, values in page_dry_run.as_shown(page, content, state).items():
        tried.setlist(name, values)
    return tried


def _run(
    page: LandingPage,
    content: PageContent,
    form: DryRunForm,
    *,
    profile: Profile | None,
) -> DryRun | None:
    if profile is None:
        form.add_error("external_id", _("No profile has this external id."))
        return None
    return page_dry_run.run(
        page,
        content,
        profile,
        sent=page_dry_run.submission(content, form.cleaned_data),
        is_identified=form.cleaned_data["is_identified"],
        now=timezone.now(),
    )
