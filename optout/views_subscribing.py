"""Doors to services: list, make, edit, look at; and to a person's subscriptions."""

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from optout import link_urls, service_figures, subscriptions
from optout.forms_subscribing import (
    ServiceForm,
    ServiceTextForm,
    SubscriptionForm,
    are_valid,
    text_forms,
)
from optout.models import Service, Subscription
from optout.models.ledger import ConsentSource
from optout.preferences import ConsentError
from profiles.late_stops import tells_if_late
from profiles.models import Profile
from profiles.paging import page_of


@login_required
@permission_required("optout.view_service", raise_exception=True)
@require_safe
def service_list(request: HttpRequest) -> HttpResponse:
    rows = service_figures.with_counts(timezone.now())
    return render(request, "optout/service_list.html", {"services": rows})


@login_required
@permission_required("optout.view_service", raise_exception=True)
@require_safe
def service_detail(request: HttpRequest, service_id: int) -> HttpResponse:
    """Show who subscribes, what changed lately, and the newest subscriptions."""
    service = get_object_or_404(Service, pk=service_id)
    rows = Subscription.objects.filter(service=service).select_related("profile")
    now = timezone.now()
    context = {
        "service": service,
        "texts": service.texts.all(),
        "join_url": link_urls.join_url(service),
        "figures": service_figures.figures(service, now=now),
        "period": service_figures.PERIOD,
        "now": now,
    }
    if request.user.has_perm("optout.view_subscription"):
        context["page"] = page_of(rows, keys=["id"], query=request.GET)
    return render(request, "optout/service_detail.html", context)


@login_required
@permission_required("optout.add_service", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def service_new(request: HttpRequest) -> HttpResponse:
    return _edit(request, Service(created_by_id=request.user.pk))


@login_required
@permission_required("optout.change_service", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def service_edit(request: HttpRequest, service_id: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Service, pk=service_id))


def _edit(request: HttpRequest, service: Service) -> HttpResponse:
    post = request.POST if request.method == "POST" else None
    form = ServiceForm(post, instance=service)
    texts = text_forms(service if service.pk else None, post)
    if post is not None and are_valid(form, texts):
        service = _save(form, texts)
        messages.success(request, _("Saved “%(name)s”.") % {"name": service})
        return redirect("service_detail", service.pk)
    context = {"form": form, "texts": texts, "service": service}
    return render(request, "optout/service_edit.html", context)


@transaction.atomic
def _save(form: ServiceForm, texts: Sequence[ServiceTextForm]) -> Service:
    service = form.save()
    for each in texts:
        each.instance.service, each.instance.language = service, each.language
        if each.is_filled:
            each.save()
        elif each.instance.pk:
            each.instance.delete()
    return service


@login_required
@permission_required(
    ["profiles.view_profile", "optout.add_subscription"], raise_exception=True
)
@require_POST
def subscribe(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Subscribe one person to a service; again only with the right and evidence."""
    person = get_object_or_404(Profile.objects.not_erased(), pk=profile_id)
    form = SubscriptionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a service."))
        return redirect("profile", person.pk)
    service: Service = form.cleaned_data["service"]
    if not _may_subscribe(request, person, service):
        text = _("This person unsubscribed, and your account may not undo that.")
        messages.error(request, text)
        return redirect("profile", person.pk)
    try:
        is_news = subscriptions.subscribe(
            person,
            service,
            by=request.user.get_username(),
            source=ConsentSource.OPERATOR,
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["evidence"],
            now=timezone.now(),
        )
    except ConsentError as error:
        messages.error(request, str(error))
    else:
        text = _("Subscribed.") if is_news else _("They subscribe to it already.")
        messages.success(request, text)
    return redirect("profile", person.pk)


def _may_subscribe(request: HttpRequest, person: Profile, service: Service) -> bool:
    ended = Subscription.objects.filter(
        profile=person, service=service, unsubscribed_at__isnull=False
    )
    may_again = request.user.has_perm("optout.resubscribe_subscription")
    return may_again or not ended.exists()


@login_required
@permission_required(
    ["profiles.view_profile", "optout.change_subscription"], raise_exception=True
)
@require_POST
@tells_if_late
def unsubscribe(request: HttpRequest, profile_id: int) -> HttpResponse:
    """End one subscription of one person."""
    person = get_object_or_404(Profile, pk=profile_id)
    service = get_object_or_404(Service, pk=_number(request.POST.get("service", "")))
    subscriptions.unsubscribe(
        person,
        service,
        by=request.user.get_username(),
        source=ConsentSource.OPERATOR,
        now=timezone.now(),
    )
    messages.success(request, _("Unsubscribed."))
    return redirect("profile", person.pk)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
