"""The console's frame: navigation, sign-in to the records, the start page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from delivery import (
    expectation,
    on_their_way,
    second_factor,
    start_deliveries,
    start_page,
    start_protection,
)
from delivery.inbound import triage
from delivery.reporting.catalogue import REPORTS

_REPORT_RIGHTS: Final = " ".join(sorted({each.right for each in REPORTS}))
# What stands together under a heading: rows of (title, name of the URL, rights any of
# which shows it; empty: everybody who is signed in).
SECTIONS: list[tuple[Promise | str, list[tuple[Promise, str, str]]]] = [
    ("", [(_("Home"), "home", "")]),
    (
        _("People"),
        [
            (_("Profiles"), "profiles", "profiles.view_profile"),
            (_("Opt-outs"), "bursts", "optout.view_burst"),
            (_("Quarantine"), "quarantine", "quarantine.view_quarantinedaddress"),
        ],
    ),
    (
        pgettext_lazy("navigation", "Sending"),
        [
            (_("Deliveries"), "delivery_list", "delivery.view_delivery"),
            (_("Inbound"), "inbound_list", "delivery.view_inbound"),
            (_("Reports"), "report_list", _REPORT_RIGHTS),
        ],
    ),
    (
        _("Setting up"),
        [
            (_("Services"), "service_list", "optout.view_service"),
            (_("Landing pages"), "landing_pages", "optout.view_landingpage"),
            (_("Uploads"), "upload_list", "optout.view_upload"),
        ],
    ),
    (
        _("Oversight"),
        [
            (_("Audit trail"), "audit_trail", "delivery.view_consoleaction"),
            (_("Accounts"), "admin:auth_user_changelist", "auth.view_user"),
        ],
    ),
]


@dataclass(frozen=True)
class Section:
    """One entry of the navigation; open while a page below it is shown."""

    group: Promise | str
    title: Promise
    url: str
    is_current: bool
    is_open: bool


def frame(request: HttpRequest) -> dict[str, object]:
    """Give every template the navigation that this operator may use, and languages."""
    languages = settings.CONSOLE_LANGUAGES
    user = getattr(request, "user", None)
    is_in = user is not None and user.is_authenticated
    if not is_in or second_factor.missing_step(request):
        return {"sections": [], "languages": languages}
    return {
        "languages": languages,
        "sections": [
            _section(group, title, reverse(name), path=request.path)
            for group, rows in SECTIONS
            for title, name, rights in rows
            if not rights or any(map(request.user.has_perm, rights.split()))
        ],
    }


def _section(group: Promise | str, title: Promise, url: str, *, path: str) -> Section:
    is_below = url != reverse("home") and path.startswith(url)
    return Section(group, title, url, is_current=path == url, is_open=is_below)


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show how things stand, as far as this operator may see it."""
    now, may = timezone.now(), request.user.has_perm
    deliveries = start_deliveries.find(now) if may("delivery.view_delivery") else None
    uploads = start_page.uploads(now) if may("optout.view_upload") else None
    sees_quarantine = may("quarantine.view_quarantinedaddress")
    context = {
        "tasks": _tasks(deliveries, uploads, may=may, now=now),
        "figures": start_page.figures() if may("profiles.view_profile") else None,
        "deliveries": deliveries and deliveries.latest,
        "journeys": on_their_way.of(deliveries.on_their_way, now=now)
        if deliveries
        else None,
        "uploads": uploads and uploads.latest,
        "opt_outs": expectation.of_opt_outs(now) if may("optout.view_optout") else None,
        "quarantine": expectation.of_quarantine(now) if sees_quarantine else None,
    }
    return render(request, "console/home.html", context)


def _tasks(
    deliveries: start_deliveries.Deliveries | None,
    uploads: start_page.Uploads | None,
    *,
    may: Callable[[str], bool],
    now: datetime,
) -> list[start_page.Task]:
    tasks = [
        *(deliveries.tasks(may) if deliveries else ()),
        *(triage.tasks(now) if may("delivery.view_triageitem") else ()),
        *start_protection.tasks(may, now),
        *(uploads.tasks if uploads else ()),
    ]
    return start_page.most_urgent_first(tasks)


@login_required
@permission_required("delivery.view_delivery", raise_exception=True)
@require_safe
def deliveries_on_their_way(request: HttpRequest) -> HttpResponse:
    """Give what is on its way alone, for a page that shows it already."""
    now = timezone.now()
    journeys = on_their_way.of(start_deliveries.begun(now), now=now)
    return render(request, "console/_home_on_their_way.html", {"journeys": journeys})


def sign_in_to_admin(request: HttpRequest) -> HttpResponse:
    """Send to the one sign-in page; who is signed in already lacks the right."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", reverse("admin:index")))
