"""Landing pages at their own address. A GET writes nothing, and sets no cookie."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_safe

from optout import page_rendering, pages
from optout.models import LandingPage
from optout.page_content import PageContent
from optout.page_rendering import Visitor


@require_safe
def page(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Show a page to somebody who came by no link of their own."""
    live = pages.live_version(public_id, timezone.now())
    if live.page is None or live.version is None:
        return _unknown(request)
    if not live.is_open and live.page.closed_url:
        return _elsewhere(live.page)
    content = live.version.read()
    shown = page_rendering.of_version(live.version, language_of(request, content))
    if not live.is_open:
        return answer(page_rendering.closed(shown), shown.language, status=410)
    if not content.is_for_anybody:
        return _unknown(request)
    visitor = Visitor(action=reverse("public_page", args=[public_id]))
    return answer(page_rendering.form(shown, visitor), shown.language)


def language_of(request: HttpRequest, content: PageContent) -> str:
    """Choose what `?language=` asks for, else what the browser does."""
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    wanted = [request.GET.get("language", ""), *(code for code, _weight in accepted)]
    return content.language_for(wanted)


def answer(text: str, language: str, *, status: int = 200) -> HttpResponse:
    """Give a page that nobody keeps, frames or finds by a search."""
    response = HttpResponse(text, status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    return response


def _elsewhere(page: LandingPage) -> HttpResponse:
    response = HttpResponseRedirect(page.closed_url)
    response["Cache-Control"] = "no-store"
    return response


def _unknown(request: HttpRequest) -> HttpResponse:
    language = translation.get_language_from_request(request)
    with translation.override(language):
        text = render_to_string("public/unknown.html", {"language": language})
    return answer(text, language or settings.LANGUAGE_CODE, status=404)
