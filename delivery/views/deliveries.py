from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import User
from django.forms import BaseFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from delivery import (
    analysis,
    browsing,
    delivery_page,
    ordering,
    overview,
)
from delivery.analysis import AnalysisError
from delivery.audiences import AudienceError
from delivery.forms import (
    ConditionForm,
    ConditionFormSet,
    DeliveryForm,
    DeliveryListForm,
)
from delivery.models import Delivery
from profiles.lines import FileError
from profiles.paging import page_of

Conditions = BaseFormSet[ConditionForm]


@login_required
@permission_required("delivery.view_delivery", raise_exception=True)
@require_safe
def delivery_list(request: HttpRequest) -> HttpResponse:
    form = DeliveryListForm(request.GET)
    status = 200 if form.is_valid() else 400
    rows = browsing.deliveries(form.chosen if form.is_valid() else None)
    page = page_of(rows, keys=["id"], query=request.GET)
    context = {
        "form": form,
        "page": page,
        "lines": browsing.lines(page.rows),
        "is_filtered": bool(form.errors) or any(form.cleaned_data.values()),
    }
    return render(request, "delivery/delivery_list.html", context, status=status)


@login_required
@permission_required("delivery.add_delivery", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def delivery_new(request: HttpRequest) -> HttpResponse:
    form = DeliveryForm(request.POST or None, request.FILES or None)
    conditions = ConditionFormSet(request.POST or None, prefix="conditions")
    if request.method == "POST" and _are_valid(form, conditions):
        delivery = _create(request, form, conditions)
        if delivery is not None:
            messages.success(request, _("The delivery was created. Analyse it next."))
            return redirect("delivery_detail", delivery.pk)
    context = {"form": form, "conditions": conditions}
    return render(request, "delivery/delivery_new.html", context)


def _are_valid(form: DeliveryForm, conditions: Conditions) -> bool:
    if form.is_valid() and not conditions.is_valid():
        form.add_error("audience_kind", _("Mend the conditions below."))
    return form.is_valid() and conditions.is_valid()


def _create(
    request: HttpRequest, form: DeliveryForm, conditions: Conditions
) -> Delivery | None:
    filled = [each.condition for each in conditions if each.condition is not None]
    try:
        return ordering.create(
            label=form.cleaned_data["label"],
            channel=form.cleaned_data["channel"],
            make_audience=lambda: form.make_audience(filled),
            service=form.cleaned_data["service"],
            excludes_shared_opt_outs=form.cleaned_data["excludes_shared_opt_outs"],
            by=cast(User, request.user),
            now=timezone.now(),
        )
    except AudienceError as error:
        form.add_error("audience_kind", error)
    except FileError as error:
        form.add_error("external_ids_file", str(error))
    return None


@login_required
@permission_required("delivery.view_delivery", raise_exception=True)
@require_safe
def delivery_detail(request: HttpRequest, delivery_id: int) -> HttpResponse:
    delivery = _find(delivery_id)
    page = delivery_page.of(delivery, may=request.user.has_perm, now=timezone.now())
    context = {
        "delivery": delivery,
        "page": page,
        "overview": page.overview,
        "sending": page.sending,
    }
    return render(request, "delivery/delivery_detail.html", context)


@login_required
@permission_required("delivery.view_delivery", raise_exception=True)
@require_safe
def delivery_progress(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Give the progress alone; once the analysis has ended, ask for the whole page."""
    delivery = _find(delivery_id)
    seen = overview.of(delivery, now=timezone.now())
    context = {"delivery": delivery, "overview": seen}
    response = render(request, "delivery/_progress.html", context)
    if not seen.state.is_busy:
        response["HX-Refresh"] = "true"
    return response


@login_required
@permission_required("delivery.analyse_delivery", raise_exception=True)
@require_POST
def delivery_analyse(request: HttpRequest, delivery_id: int) -> HttpResponse:
    delivery = _find(delivery_id)
    try:
        ordering.order_analysis(
            delivery, by=request.user.get_username(), now=timezone.now()
        )
    except AnalysisError as refusal:
        messages.error(request, str(refusal))
    return redirect("delivery_detail", delivery.pk)


@login_required
@permission_required("delivery.analyse_delivery", raise_exception=True)
@require_POST
def delivery_stop(request: HttpRequest, delivery_id: int) -> HttpResponse:
    delivery = _find(delivery_id)
    is_cancelled = ordering.cancel_order(delivery)
    if analysis.request_stop(delivery, now=timezone.now()) or is_cancelled:
        messages.success(request, _("The analysis stops. Nothing is kept of it."))
    else:
        messages.error(request, _("No analysis of this delivery is running."))
    return redirect("delivery_detail", delivery.pk)


def _find(delivery_id: int) -> Delivery:
    return get_object_or_404(
        Delivery.objects.select_related(
            "audience", "current_analysis", "created_by", "service"
        ),
        pk=delivery_id,
    )
