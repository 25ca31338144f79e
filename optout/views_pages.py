"""Doors to landing pages: list, make, look at, publish, close."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from optout import page_figures, page_overview, pages
from optout.forms_pages import LanguageForm, NewPageForm, SettingsForm
from optout.models import LandingPage
from optout.page_publishing import PageError
from optout.service_figures import PERIOD


def page_or_404(page_id: int) -> LandingPage:
    """Find a page with its brand, but not the brand's picture."""
    rows = LandingPage.objects.select_related("brand").defer("brand__logo")
    return get_object_or_404(rows, pk=page_id)


@login_required
@permission_required("optout.view_landingpage", raise_exception=True)
@require_safe
def landing_pages(request: HttpRequest) -> HttpResponse:
    lines = page_overview.lines()
    return render(request, "optout/pages/list.html", {"lines": lines})


@login_required
@permission_required("optout.add_landingpage", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def landing_page_new(request: HttpRequest) -> HttpResponse:
    form = NewPageForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        chosen = form.cleaned_data
        page = pages.create(
            chosen["name"],
            chosen["type"],
            by=request.user.get_username(),
            now=timezone.now(),
            brand=chosen["brand"],
            language=chosen["language"],
        )
        messages.success(request, _("Made “%(page)s” as a draft.") % {"page": page})
        return redirect("landing_page", page.pk)
    return render(request, "optout/pages/new.html", {"form": form})


@login_required
@permission_required("optout.view_landingpage", raise_exception=True)
@require_safe
def landing_page(request: HttpRequest, page_id: int) -> HttpResponse:
    """Show a page: its state, address, languages, versions, and what it lacks."""
    now = timezone.now()
    overview = page_overview.of(page_or_404(page_id), now)
    was_online = overview.page.published_version_id is not None
    context = {
        "overview": overview,
        "figures": page_figures.figures(overview.page, now=now) if was_online else None,
        "period": PERIOD,
        "page": overview.page,
        "language_form": LanguageForm(overview.content),
        "language": overview.content.default_language,
    }
    return render(request, "optout/pages/detail.html", context)


@login_required
@permission_required("optout.change_landingpage", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def landing_page_settings(request: HttpRequest, page_id: int) -> HttpResponse:
    """Change what applies at once: name, brand, times."""
    page = page_or_404(page_id)
    form = SettingsForm(page, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            pages.change_settings(
                page,
                form.settings,
                by=request.user.get_username(),
                now=timezone.now(),
            )
        except PageError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. It applies at once."))
            return redirect("landing_page", page.pk)
    return render(request, "optout/pages/settings.html", {"form": form, "page": page})


@login_required
@permission_required("optout.publish_landingpage", raise_exception=True)
@require_POST
def landing_page_publish(request: HttpRequest, page_id: int) -> HttpResponse:
    page = page_or_404(page_id)
    by, now = request.user.get_username(), timezone.now()
    return _after(
        request,
        page,
        lambda: pages.publish(page, by=by, now=now),
        said=_("“%(page)s” is online.") % {"page": page},
    )


@login_required
@permission_required("optout.publish_landingpage", raise_exception=True)
@require_POST
def landing_page_close(request: HttpRequest, page_id: int) -> HttpResponse:
    page = page_or_404(page_id)
    by, now = request.user.get_username(), timezone.now()
    return _after(
        request,
        page,
        lambda: pages.close(page, by=by, now=now),
        said=_("“%(page)s” is closed.") % {"page": page},
    )


@login_required
@permission_required("optout.change_landingpage", raise_exception=True)
@require_POST
def landing_page_discard(request: HttpRequest, page_id: int) -> HttpResponse:
    page = page_or_404(page_id)
    return _after(
        request,
        page,
        lambda: pages.discard_draft(page),
        said=_("The changes that were not published are gone."),
    )


@login_required
@permission_required("optout.add_landingpage", raise_exception=True)
@require_POST
def landing_page_duplicate(request: HttpRequest, page_id: int) -> HttpResponse:
    by, now = request.user.get_username(), timezone.now()
    copy = pages.duplicate(page_or_404(page_id), by=by, now=now)
    messages.success(request, _("Made “%(page)s” as a draft.") % {"page": copy})
    return redirect("landing_page", copy.pk)


def _after(
    request: HttpRequest, page: LandingPage, act: Callable[[], object], *, said: str
) -> HttpResponse:
    try:
        act()
    except PageError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("landing_page", page.pk)
