from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from delivery import audit, explanation, logs
from delivery.forms import LogForm
from delivery.models import Delivery
from profiles.models import Profile
from profiles.paging import page_of
from profiles.searching import row_ids


@login_required
@permission_required("delivery.view_message", raise_exception=True)
@require_safe
def delivery_log(request: HttpRequest, delivery_id: int) -> HttpResponse:
    delivery = _find(delivery_id)
    form = LogForm(request.GET)
    status = 200 if form.is_valid() else 400
    rows = logs.messages_of(delivery, form.chosen if form.is_valid() else None)
    context = {
        "delivery": delivery,
        "form": form,
        "title": _title(form),
        "page": page_of(rows, keys=["profile_id"], query=request.GET),
        "is_filtered": any(form.cleaned_data.values()),
        "filter_query": urlencode(form.cleaned_data),
    }
    return render(request, "delivery/delivery_log.html", context, status=status)


def _title(form: LogForm) -> str:
    """Name the part of the log that is shown, as the glossary does."""
    is_of_sending = form.cleaned_data.get("outcome") == "to_send"
    return _("Sending log") if is_of_sending else _("Exclusion log")


@login_required
@permission_required("delivery.export_log", raise_exception=True)
@require_safe
def delivery_log_csv(request: HttpRequest, delivery_id: int) -> HttpResponseBase:
    """Stream the filtered log; safe to open in a spreadsheet."""
    delivery = _find(delivery_id)
    form = LogForm(request.GET)
    if not form.is_valid():
        raise Http404(_("There is no such filter."))
    rows = logs.messages_of(delivery, form.chosen)
    response = StreamingHttpResponse(
        logs.csv_of(rows, count=audit.notes_of(request).count),
        content_type="text/csv; charset=utf-8",
    )
    name = f"delivery-{delivery.pk}-log.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@login_required
@permission_required("delivery.view_message", raise_exception=True)
@require_safe
def delivery_explanation(request: HttpRequest, delivery_id: int) -> HttpResponse:
    delivery = _find(delivery_id)
    text = request.GET.get("external_id", "").strip().replace("\0", "")
    profile = _profile(text, request.GET.get("profile", ""))
    context = {
        "delivery": delivery,
        "external_id": text or (profile.external_id if profile else ""),
        "is_asked": bool(text or request.GET.get("profile")),
        "explanation": (
            explanation.explain(profile, delivery, now=timezone.now())
            if profile
            else None
        ),
    }
    return render(request, "delivery/delivery_explanation.html", context)


def _profile(external_id: str, number: str) -> Profile | None:
    if external_id:
        return Profile.objects.known_as(external_id).first()
    return Profile.objects.not_erased().filter(pk__in=row_ids([number])).first()


def _find(delivery_id: int) -> Delivery:
    deliveries = Delivery.objects.select_related("current_analysis", "audience")
    return get_object_or_404(deliveries, pk=delivery_id)
