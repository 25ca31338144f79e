"""Doors to the content of a landing page: texts, offer, languages, preview."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from optout import page_defaults, page_overview, page_rendering, pages
from optout.forms_pages import LanguageForm, OfferForm, TextsForm
from optout.models import LandingPage
from optout.page_content import ContentError, PageContent, Texts
from optout.page_rendering import Shown, Visitor
from optout.page_visitors import masked_address, state_of
from optout.views_pages import page_or_404
from profiles.models import Profile

# Shown in a frame of the console, and of nobody else; its button leads nowhere.
_PREVIEW_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'self'"
)
_PARTS: Final[dict[str, Callable[[Shown], str]]] = {
    "confirmation": page_rendering.confirmation,
    "error": page_rendering.failure,
    "closed": page_rendering.closed,
}


@login_required
@permission_required("optout.change_landingpage", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def landing_page_texts(
    request: HttpRequest, page_id: int, language: str
) -> HttpResponse:
    """Edit what the page says in one language, beside the preview."""
    page = page_or_404(page_id)
    content = pages.editable_content(page)
    texts = _texts_or_404(content, language)
    post = request.POST if request.method == "POST" else None
    form = TextsForm(texts, content.agreement_count, post)
    if form.is_valid() and _keep(
        request, page, lambda now: now.with_texts(language, form.texts)
    ):
        return redirect("landing_page_texts", page.pk, language)
    [shown] = page_overview.languages(content, [language])
    context = {
        "form": form,
        "page": page,
        "language": shown,
        "others": page_overview.languages(content),
        "can_remove": not shown.is_default,
    }
    return render(request, "optout/pages/texts.html", context)


@login_required
@permission_required("optout.change_landingpage", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def landing_page_offer(request: HttpRequest, page_id: int) -> HttpResponse:
    """Edit what the page offers and what it does with what is sent."""
    page = page_or_404(page_id)
    content = pages.editable_content(page)
    post = request.POST if request.method == "POST" else None
    form = OfferForm(page.type, content, post)
    if form.is_valid() and _keep(
        request, page, lambda now: replace(now, **form.changes)
    ):
        return redirect("landing_page", page.pk)
    return render(request, "optout/pages/offer.html", {"form": form, "page": page})


@login_required
@permission_required("optout.change_landingpage", raise_exception=True)
@require_POST
def landing_page_add_language(request: HttpRequest, page_id: int) -> HttpResponse:
    page = page_or_404(page_id)
    content = pages.editable_content(page)
    form = LanguageForm(content, request.POST)
    if not form.is_valid():
        messages.warning(request, _("Nothing was added: choose a language."))
        return redirect("landing_page", page.pk)
    language = form.cleaned_data["language"]
    first = page_defaults.texts(page.type, language)
    _keep(request, page, lambda now: now.with_texts(language, first))
    return redirect("landing_page_texts", page.pk, language)


@login_required
@permission_required("optout.change_landingpage", raise_exception=True)
@require_POST
def landing_page_remove_language(
    request: HttpRequest, page_id: int, language: str
) -> HttpResponse:
    page = page_or_404(page_id)
    content = pages.editable_content(page)
    _texts_or_404(content, language)
    _keep(request, page, lambda now: now.without_language(language))
    return redirect("landing_page", page.pk)


@login_required
@permission_required("optout.view_landingpage", raise_exception=True)
@require_safe
def landing_page_preview(
    request: HttpRequest, page_id: int, language: str
) -> HttpResponse:
    """Show every part of the page in one language, each in a frame."""
    page = page_or_404(page_id)
    content = pages.editable_content(page)
    _texts_or_404(content, language)
    [shown] = page_overview.languages(content, [language])
    context = {
        "page": page,
        "language": shown,
        "others": page_overview.languages(content),
    }
    return render(request, "optout/pages/preview.html", context)


@xframe_options_sameorigin
@login_required
@permission_required("optout.view_landingpage", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def landing_page_frame(
    request: HttpRequest, page_id: int, language: str
) -> HttpResponse:
    """Show the page itself; by POST, with texts that are not saved."""
    page = page_or_404(page_id)
    content = pages.editable_content(page)
    texts = _texts_or_404(content, language)
    if request.method == "POST":
        form = TextsForm(texts, content.agreement_count, request.POST)
        if form.is_valid():
            content = content.with_texts(language, form.texts)
    shown = page_rendering.of_content(page, content, language)
    part = _PARTS.get(request.GET.get("part", ""))
    text = part(shown) if part else page_rendering.form(shown, _visitor(request, shown))
    if request.headers.get("HX-Request") == "true":
        return render(request, "optout/pages/_frame.html", {"html": text})
    response = HttpResponse(text)
    response["Content-Security-Policy"] = _PREVIEW_POLICY
    response["Cache-Control"] = "no-store"
    return response


def _visitor(request: HttpRequest, shown: Shown) -> Visitor:
    """Make whom the page is shown to: nobody, or the profile of `?external_id=`."""
    external_id = request.GET.get("external_id", "")
    if not external_id or not request.user.has_perm("profiles.view_profile"):
        return Visitor()
    known = Profile.objects.known_as(external_id).first()
    if known is None:
        return Visitor()
    state = state_of(known, shown.content, is_identified=True, now=timezone.now())
    return Visitor(state=state, masked_address=masked_address(known, shown.channel))


def _texts_or_404(content: PageContent, language: str) -> Texts:
    if language not in content.languages:
        raise Http404
    return content.languages[language]


def _keep(
    request: HttpRequest,
    page: LandingPage,
    change: Callable[[PageContent], PageContent],
) -> bool:
    """Change the draft, and say so; or say why not."""
    by = request.user.get_username()
    try:
        pages.change_draft(page, change, by=by, now=timezone.now())
    except ContentError as error:
        messages.error(request, str(error))
        return False
    messages.success(request, _("Saved as a draft. Publish it to put it online."))
    return True
