from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from delivery import proofs
from delivery.models import Delivery
from delivery.proofs import ProofError
from profiles import showing

# Shown in a frame of the console, and of nobody else; pictures as recipients see them.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox"
)


@login_required
@permission_required("delivery.view_message", raise_exception=True)
@require_safe
def delivery_preview(request: HttpRequest, delivery_id: int) -> HttpResponse:
    delivery = _find(delivery_id)
    external_id = request.GET.get("external_id", "")
    context = {
        "delivery": delivery,
        "external_id": external_id,
        "query": f"?{urlencode({'external_id': external_id})}",
        "proofs": delivery.proofs.order_by("-pk")[: proofs.MOST],
    }
    try:
        context["preview"] = proofs.preview(
            delivery, external_id, write=showing.writer(request)
        )
    except ProofError as error:
        context["trouble"] = str(error)
    return render(request, "delivery/delivery_preview.html", context)


@xframe_options_sameorigin
@login_required
@permission_required("delivery.view_message", raise_exception=True)
@require_safe
def preview_frame(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Give the HTML of the message alone."""
    try:
        shown = proofs.preview(
            _find(delivery_id),
            request.GET.get("external_id", ""),
            write=showing.writer(request),
        ).html
    except ProofError as error:
        return render(request, "delivery/_preview_trouble.html", {"trouble": error})
    response = HttpResponse(shown)
    response["Content-Security-Policy"] = _POLICY
    return response


@login_required
@permission_required(
    ["delivery.send_proof", "delivery.view_message"], raise_exception=True
)
@require_POST
def delivery_proofs(request: HttpRequest, delivery_id: int) -> HttpResponse:
    delivery = _find(delivery_id)
    external_id = request.POST.get("external_id", "")
    try:
        sent = proofs.send_proofs(
            delivery,
            request.POST.get("addresses", "").split(),
            external_id=external_id,
            by=request.user.get_username(),
            now=timezone.now(),
        )
    except ProofError as error:
        messages.error(request, str(error))
    else:
        told = ngettext(
            "%(count)s proof was handed over.",
            "%(count)s proofs were handed over.",
            len(sent),
        )
        messages.success(request, told % {"count": len(sent)})
    page = reverse("delivery_preview", args=[delivery.pk])
    query = f"?{urlencode({'external_id': external_id})}" if external_id else ""
    return redirect(f"{page}{query}")


def _find(delivery_id: int) -> Delivery:
    return get_object_or_404(
        Delivery.objects.select_related("service__unsubscribe_page"), pk=delivery_id
    )
