"""Doors to brands: list, make, edit."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from optout import brands as stories
from optout.forms_brands import BrandForm
from optout.models import Brand
from optout.page_publishing import PageError


@login_required
@permission_required("optout.view_brand", raise_exception=True)
@require_safe
def brands(request: HttpRequest) -> HttpResponse:
    rows = Brand.objects.defer("logo").annotate(page_count=Count("pages"))
    return render(request, "optout/brands/list.html", {"brands": rows})


@login_required
@permission_required("optout.add_brand", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def brand_new(request: HttpRequest) -> HttpResponse:
    return _edit(request, Brand())


@login_required
@permission_required("optout.change_brand", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def brand(request: HttpRequest, brand_id: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Brand, pk=brand_id))


def _edit(request: HttpRequest, brand: Brand) -> HttpResponse:
    is_sent = request.method == "POST"
    form = BrandForm(
        brand, request.POST if is_sent else None, request.FILES if is_sent else None
    )
    if form.is_valid():
        by, now = request.user.get_username(), timezone.now()
        try:
            stories.save(form.filled_brand(), by=by, now=now)
        except PageError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved “%(brand)s”.") % {"brand": brand})
            return redirect("brands")
    return render(request, "optout/brands/edit.html", {"form": form, "brand": brand})
