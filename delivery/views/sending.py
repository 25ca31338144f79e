from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from delivery import confirming, editing, lifecycle, overview, sending_figures
from delivery.confirming import ConfirmationRefused
from delivery.forms_sending import ContentForm, ScheduleForm
from delivery.lifecycle import DeliveryEvent, LifecycleError
from delivery.models import Attempt, Delivery, DeliveryContent, Message

PARTS = "delivery/_sending_progress.html"


@login_required
@permission_required("delivery.change_delivery", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def delivery_content(request: HttpRequest, delivery_id: int) -> HttpResponse:
    delivery = _find(delivery_id)
    row = DeliveryContent.objects.filter(delivery=delivery).first()
    form = ContentForm(
        request.POST or None,
        instance=row or DeliveryContent(delivery=delivery),
        delivery=delivery,
    )
    schedule = ScheduleForm(request.POST or None, instance=_find(delivery_id))
    if request.method == "POST" and form.is_valid() and schedule.is_valid():
        try:
            editing.save(delivery, form.instance, schedule=schedule.schedule)
        except LifecycleError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The content was saved. Analyse it next."))
            return redirect("delivery_content", delivery.pk)
    context = {
        "delivery": delivery,
        "form": form,
        "schedule": schedule,
        "findings": confirming.review_content(delivery) if row else [],
        "can_change": lifecycle.can(delivery, DeliveryEvent.CHANGE),
    }
    return render(request, "delivery/delivery_content.html", context)


@login_required
@permission_required("delivery.confirm_delivery", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def delivery_confirm(request: HttpRequest, delivery_id: int) -> HttpResponse:
    delivery = _find(delivery_id)
    if request.method == "POST":
        try:
            confirming.confirm(
                delivery,
                by=request.user.get_username(),
                now=timezone.now(),
                accepted=request.POST.getlist("accepted"),
            )
        except ConfirmationRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The delivery is confirmed."))
            return redirect("delivery_detail", delivery.pk)
    findings = confirming.review(delivery)
    context = {
        "delivery": delivery,
        "findings": findings,
        "errors": [each for each in findings if each.level == "error"],
        "warnings": confirming.warnings_once(findings),
        "can_confirm": confirming.can_confirm(delivery),
        "overview": overview.of(delivery, now=timezone.now()),
    }
    return render(request, "delivery/delivery_confirm.html", context)


@login_required
@require_POST
def delivery_act(request: HttpRequest, delivery_id: int, act: str) -> HttpResponse:
    """Withdraw, pause, resume or cancel; to pause, a smaller right is enough."""
    right = "pause_delivery" if act == "pause" else "confirm_delivery"
    if not request.user.has_perm(f"delivery.{right}"):
        raise PermissionDenied
    delivery = _find(delivery_id)
    try:
        if act == "cancel":
            lifecycle.cancel(delivery, now=timezone.now())
        elif act == "withdraw":
            lifecycle.withdraw(delivery)
        elif act == "pause":
            lifecycle.pause(delivery)
        elif act == "resume":
            lifecycle.resume(delivery)
        else:
            raise Http404(_("There is no such act."))
    except LifecycleError as refusal:
        messages.error(request, str(refusal))
    return redirect("delivery_detail", delivery.pk)


@login_required
@permission_required("delivery.view_delivery", raise_exception=True)
@require_safe
def sending_progress(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Give the progress alone; once the sending has ended, ask for the whole page."""
    delivery = _find(delivery_id)
    figures = sending_figures.of(delivery, now=timezone.now())
    response = render(request, PARTS, {"delivery": delivery, "sending": figures})
    if not figures.is_live:
        response["HX-Refresh"] = "true"
    return response


@login_required
@permission_required("delivery.view_message", raise_exception=True)
@require_safe
def delivery_message(
    request: HttpRequest, delivery_id: int, profile_id: int
) -> HttpResponse:
    delivery = _find(delivery_id)
    message = get_object_or_404(
        Message.objects.select_related("profile"),
        analysis_id=delivery.current_analysis_id,
        profile_id=profile_id,
    )
    attempts = Attempt.objects.filter(
        analysis_id=message.analysis_id, profile_id=profile_id
    ).order_by("pk")
    context = {"delivery": delivery, "message": message, "attempts": attempts}
    return render(request, "delivery/delivery_message.html", context)


def _find(delivery_id: int) -> Delivery:
    return get_object_or_404(
        Delivery.objects.select_related("current_analysis", "service", "audience"),
        pk=delivery_id,
    )
