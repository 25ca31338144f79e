"""What every page behind a public link has in common: its door, its form, its answer.

Nothing here looks at a session, a cookie or a login. Nothing answers with a redirect
(RFC 8058 section 3.1).
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from io import BytesIO
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

MAX_BODY: Final = 4096  # bytes
METHODS: Final = ["GET", "HEAD", "OPTIONS", "POST"]
# Stricter than that of the console: no script at all, and nothing from elsewhere.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_ALIKE: Final = {"what", "channel", "has_service", "is_any", "address"}
_PAGES_KEPT: Final = 4096
_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])


def open_to_all(view: _View) -> _View:
    """Let anybody in, with or without a body, by the four methods of a page.

    Answers 415 to a packed body, and names what is taken (RFC 7694 section 3):
    unpacking for strangers is how a few bytes become gigabytes.
    """

    @csrf_exempt
    @require_http_methods(METHODS)
    @wraps(view)
    def answered(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        coding = request.headers.get("Content-Encoding", "").strip().lower()
        if coding not in ("", "identity"):
            return HttpResponse(status=415, headers={"Accept-Encoding": "identity"})
        return view(request, *args, **kwargs)

    return cast(_View, answered)


def page(name: str, about: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """Show a page of templates/public in the language at hand."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    # One click answers many people alike; a page with a form is of one person.
    render = _rendered if about.keys() <= _ALIKE else _rendered.__wrapped__
    text = render(name, language, tuple(about.items()))
    return answer(text, language, status=status)


def answer(text: str, language: str, *, status: int = 200) -> HttpResponse:
    """Give a page that nobody keeps, frames or finds by a search."""
    response = HttpResponse(text, status=status)
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = POLICY
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    return response


@lru_cache(maxsize=_PAGES_KEPT)
def _rendered(name: str, language: str, about: tuple[tuple[str, Any], ...]) -> str:
    # Without the request: nothing of the console or a session gets into the page.
    return render_to_string(
        f"public/{name}.html", {"language": language, **dict(about)}
    )


def supported(request: HttpRequest, wanted: str) -> str:
    """Give a language that pages are in: the wanted one, else the browser's."""
    try:
        return translation.get_supported_language_variant(wanted)
    except LookupError:
        return translation.get_language_from_request(request)


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


def ids_in(form: list[tuple[str, str]]) -> dict[str, set[int]]:
    """Give the numbers of a form by name; what is no number of ours is left out."""
    ids: dict[str, set[int]] = {}
    for name, value in form:
        if value.isascii() and value.isdecimal() and len(value) < 19:
            ids.setdefault(name, set()).add(int(value))
    return ids


def _body(request: HttpRequest) -> bytes:
    """Read a body of at most MAX_BODY bytes; a longer one is nothing to us.

    A body in chunks has no length, and Django takes it for empty.
    """
    is_chunked = request.META.get("wsgi.input_terminated", False)
    source = request.META["wsgi.input"] if is_chunked else request
    try:
        body: bytes = source.read(MAX_BODY + 1)
    except OSError:  # the connection broke, or a chunk is not one
        return b""
    return body if len(body) <= MAX_BODY else b""
