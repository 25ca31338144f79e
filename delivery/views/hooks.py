"""Doors for machines: what mail providers report, stored whole before it is read."""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from delivery.inbound import providers, sns, storing
from delivery.models import InboundKind

MOST_BYTES: Final = 4 * 1024 * 1024


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def mail_hook(request: HttpRequest, provider: str) -> HttpResponse:
    """Store a report of a mail provider; the worker reads it within a minute.

    The answer comes after the commit. No session or cookie is looked at: the
    signature, or the secret, is what counts.
    """
    if not providers.is_open(provider):
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()
    if _length(request) > MOST_BYTES or len(request.body) > MOST_BYTES:
        return HttpResponse(status=413)
    now = timezone.now()
    if not providers.is_authentic(
        provider, request, now=now, fetch=sns.fetch_certificate
    ):
        return HttpResponse(status=401)
    storing.store(
        InboundKind.EVENT,
        providers.envelope(request),
        source=provider,
        key=providers.key_of(provider, request.body),
        now=now,
    )
    return HttpResponse()


def _length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0
