"""The pages behind public links, and one click (RFC 8058).

Nothing here looks at a session, a cookie or a login: the token says it all. GET, HEAD
and OPTIONS write nothing. Nothing answers with a redirect (RFC 8058 section 3.1).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from io import BytesIO
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from optout import choosing, stopping, tokens
from optout.choosing import Wanted
from optout.models.ledger import ConsentSource
from optout.tokens import ExpiredToken, InvalidToken, Link, Purpose
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile

MAX_BODY: Final = 4096  # bytes
# Exact, so that another verb can be added (RFC 8058 section 3.2).
_ONE_CLICK: Final = [("List-Unsubscribe", "One-Click")]
METHODS: Final = ["GET", "HEAD", "OPTIONS", "POST"]
_View: TypeAlias = Callable[[HttpRequest, str], HttpResponse]


def open_to_all(view: _View) -> _View:
    """Let anybody in, with or without a body, by the four methods of a page.

    Answers 415 to a packed body, and names what is taken (RFC 7694 section 3):
    unpacking for strangers is how a few bytes become gigabytes.
    """

    @csrf_exempt
    @require_http_methods(METHODS)
    @wraps(view)
    def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        coding = request.headers.get("Content-Encoding", "").strip().lower()
        if coding not in ("", "identity"):
            return HttpResponse(status=415, headers={"Accept-Encoding": "identity"})
        return view(request, *args, **kwargs)

    return answer


@open_to_all
def one_click(request: HttpRequest, token: str) -> HttpResponse:
    """Stop at once when a mail client posts the exact pair; else show the button."""
    try:
        link = tokens.read(token, Purpose.ONE_CLICK, now=timezone.now())
    except InvalidToken:
        return unknown(request)
    with translation.override(_language(request, link)):
        if request.method == "POST" and form_of(request) == _ONE_CLICK:
            _stop(link, ConsentSource.ONE_CLICK)
            return page(request, "stopped", _about(link))
        # The button is of another purpose than the header's link.
        return _ask(request, link, tokens.make(link, Purpose.STOP))


@open_to_all
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ask with one button; stop when it was pressed; take it back for half an hour."""
    try:
        link = tokens.read(token, Purpose.STOP, now=timezone.now())
    except InvalidToken:
        return unknown(request)
    with translation.override(_language(request, link)):
        form = dict(form_of(request)) if request.method == "POST" else {}
        if "undo" in form:
            return _take_back(request, link, form["undo"])
        nonce = form.get("form", "")
        if not stopping.is_from_form(nonce, token, now=timezone.now()):
            return _ask(request, link, token)
        link = _chosen(link, form.get("stop", ""))
        event_id = _stop(link, ConsentSource.LANDING_PAGE)
        undo = stopping.undo_nonce(event_id) if event_id else ""
        return page(request, "stopped", _about(link) | {"token": token, "undo": undo})


@open_to_all
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a person gets, with boxes; save what they chose.

    A link that is too old for that still stops messages.
    """
    try:
        link = tokens.read(token, Purpose.PREFERENCES, now=timezone.now())
    except ExpiredToken as expired:
        link = expired.link
        with translation.override(_language(request, link)):
            stop_token = tokens.make(link, Purpose.STOP)
            return _ask(request, link, stop_token, is_expired=True)
    except InvalidToken:
        return unknown(request)
    with translation.override(_language(request, link)):
        form = form_of(request) if request.method == "POST" else []
        fields = dict(form)
        if "undo" in fields:
            return _take_back(request, link, fields["undo"])
        if stopping.is_from_form(fields.get("form", ""), token, now=timezone.now()):
            return _choose(request, link, token, form=form)
        # A form that is too old is shown again with what was ticked.
        return _offer(request, link, token, ticked=form)


def _choose(
    request: HttpRequest, link: Link, token: str, *, form: list[tuple[str, str]]
) -> HttpResponse:
    changes = choosing.choose(
        link,
        _wanted(form),
        language=translation.get_language() or "",
        now=timezone.now(),
    )
    about = {
        "changes": changes,
        "token": token,
        "undo": stopping.undo_nonce(*changes.event_ids) if changes.event_ids else "",
    }
    return page(request, "chosen", _about(link) | about)


def _offer(
    request: HttpRequest, link: Link, token: str, *, ticked: list[tuple[str, str]]
) -> HttpResponse:
    language = translation.get_language() or ""
    choices = choosing.choices_of(link, language=language, now=timezone.now())
    if ticked:
        choices = choosing.as_ticked(choices, _wanted(ticked))
    about = {
        "choices": choices,
        "token": token,
        "nonce": stopping.form_nonce(token),
        "is_again": bool(ticked),
    }
    return page(request, "preferences", _about(link) | about)


def _wanted(form: list[tuple[str, str]]) -> Wanted:
    """Read the boxes of the page; what is no number of ours is passed over."""
    ids: dict[str, set[int]] = {}
    for name, value in form:
        if value.isascii() and value.isdecimal() and len(value) < 19:
            ids.setdefault(name, set()).add(int(value))
    pressed = dict(form).get("do", "")
    if pressed in ("stop_all", "start_all"):
        # Who presses one of these means that, and not the boxes.
        ids = {}
    return Wanted(
        channels=frozenset(ids.get("channel", ())),
        services=frozenset(ids.get("service", ())),
        shown_channels=frozenset(ids.get("shown_channel", ())),
        shown_services=frozenset(ids.get("shown_service", ())),
        is_all_stopped=pressed == "stop_all",
        is_all_started=pressed == "start_all",
    )


def _chosen(link: Link, choice: str) -> Link:
    """Give what was pressed on a page: the service of its link, or all of it."""
    return replace(link, service_id=0) if choice == "channel" else link


def _stop(link: Link, source: ConsentSource) -> int | None:
    language = translation.get_language() or ""
    return stopping.stop(link, source=source, language=language, now=timezone.now())


def _take_back(request: HttpRequest, link: Link, nonce: str) -> HttpResponse:
    language = translation.get_language() or ""
    is_undone = stopping.undo(link, nonce, language=language, now=timezone.now())
    if is_undone or not stopping.is_stopped(link):
        return page(request, "undone", _about(link))
    return page(request, "stopped", _about(link) | {"is_too_late": True})


def _ask(
    request: HttpRequest, link: Link, token: str, *, is_expired: bool = False
) -> HttpResponse:
    about = {
        "action": reverse("stop", args=[token]),
        "nonce": stopping.form_nonce(token),
        "is_stopped": stopping.is_stopped(link),
        "is_expired": is_expired,
    }
    return page(request, "stop", _about(link) | about)


def _about(link: Link) -> dict[str, Any]:
    """Say what a link stops, in words, and to which address."""
    service = stopping.service_of(link)
    channel = _("all messages")
    if link.channel != ANY_CHANNEL:
        label = Channel(link.channel).label
        channel = _("messages by %(channel)s") % {"channel": label}
    what = channel
    if service is not None:
        name = service.public_name_in(translation.get_language() or "")
        what = _("messages of “%(service)s”") % {"service": name}
    return {
        "what": what,
        "channel": channel,
        "has_service": service is not None,
        "address": stopping.masked_address(link),
    }


def unknown(request: HttpRequest) -> HttpResponse:
    """Answer a link that is not ours, or not whole."""
    with translation.override(translation.get_language_from_request(request)):
        return page(request, "unknown", {}, status=404)


def form_of(request: HttpRequest) -> list[tuple[str, str]]:
    """Read a small form in either encoding, nothing from anything else."""
    body = _body(request)
    if request.content_type != "multipart/form-data":
        # Some senders leave the type out, or end the pair in a line break.
        return parse_qsl(body.decode(errors="replace").strip(), keep_blank_values=True)
    meta = request.META | {"CONTENT_LENGTH": str(len(body))}
    try:
        fields, files = MultiPartParser(
            meta, BytesIO(body), request.upload_handlers, "utf-8"
        ).parse()
    except (MultiPartParserError, SuspiciousOperation):
        return []
    pairs = [(name, value) for name, values in fields.lists() for value in values]
    return [] if files else [(name, str(value).strip()) for name, value in pairs]


def _body(request: HttpRequest) -> bytes:
    """Read a body of at most MAX_BODY bytes; a longer one is nothing to us.

    A body in chunks has no length, and Django takes it for empty.
    """
    is_chunked = request.META.get("wsgi.input_terminated", False)
    source = request.META["wsgi.input"] if is_chunked else request
    body: bytes = source.read(MAX_BODY + 1)
    return body if len(body) <= MAX_BODY else b""


def _language(request: HttpRequest, link: Link) -> str:
    """Choose the profile's language, else the browser's."""
    known = Profile.objects.filter(pk=link.profile_id).values_list(
        "language", flat=True
    )
    return supported(request, known.first() or "")


def supported(request: HttpRequest, wanted: str) -> str:
    """Give a language that pages are in: the wanted one, else the browser's."""
    try:
        return translation.get_supported_language_variant(wanted)
    except LookupError:
        return translation.get_language_from_request(request)


def page(
    request: HttpRequest, name: str, about: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Show a page of templates/public in the language at hand."""
    language = translation.get_language()
    # Without the request: nothing of the console or a session gets into the page.
    text = render_to_string(f"public/{name}.html", {"language": language, **about})
    response = HttpResponse(text, status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Content-Language"] = language or settings.LANGUAGE_CODE
    patch_vary_headers(response, ["Accept-Language"])
    return response
