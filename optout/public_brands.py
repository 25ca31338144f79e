"""The colours and the logo of a brand, for pages whose policy allows no inline style.

Addresses hold a digest of what is behind them, so that browsers keep it for ever.
"""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from optout.models import Brand

_FOR_EVER = "public, max-age=31536000, immutable"


@require_safe
def stylesheet(request: HttpRequest, brand_id: int, digest: str) -> HttpResponseBase:
    """Give the colours of a brand, those of today whatever the digest."""
    brand = get_object_or_404(Brand.objects.defer("logo"), pk=brand_id)
    schemes = [(each, brand.colours(each)) for each in ("light", "dark")]
    text = render_to_string("public/brand.css", {"schemes": schemes})
    response = HttpResponse(text.strip() + "\n", content_type="text/css; charset=utf-8")
    return _kept(request, response, brand=brand, digest=digest)


@require_safe
def logo(
    request: HttpRequest, brand_id: int, digest: str, *, extension: str
) -> HttpResponseBase:
    """Give the logo of a brand, that of today whatever the digest."""
    brand = get_object_or_404(Brand.objects.exclude(logo_type=""), pk=brand_id)
    response = HttpResponse(bytes(brand.logo), content_type=brand.logo_type)
    # Whatever else is in the file, it is never more than a picture.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return _kept(request, response, brand=brand, digest=digest)


def _kept(
    request: HttpRequest, response: HttpResponse, *, brand: Brand, digest: str
) -> HttpResponseBase:
    is_current = digest == brand.digest
    response["Cache-Control"] = _FOR_EVER if is_current else "no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    etag = f'"{brand.digest}"'
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response
