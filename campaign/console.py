"""The console's frame: navigation, sign-in to the records, the start page."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from delivery import second_factor, start_page
from delivery.inbound import triage
from delivery.reporting.catalogue import REPORTS

_REPORT_RIGHTS = " ".join(sorted({each.right for each in REPORTS}))
# (title, name of the URL, rights any of which shows it; empty: who is signed in)
SECTIONS: list[tuple[Promise, str, str]] = [
    (_("Home"), "home", ""),
    (_("Profiles"), "profiles", "profiles.view_profile"),
    (_("Quarantine"), "quarantine", "quarantine.view_quarantinedaddress"),
    (_("Opt-outs"), "bursts", "optout.view_burst"),
    (_("Deliveries"), "delivery_list", "delivery.view_delivery"),
    (_("Inbound"), "inbound_list", "delivery.view_inbound"),
    (_("Reports"), "report_list", _REPORT_RIGHTS),
    (_("Services"), "service_list", "optout.view_service"),
    (_("Landing pages"), "landing_pages", "optout.view_landingpage"),
    (_("Uploads"), "upload_list", "optout.view_upload"),
    (_("Audit trail"), "audit_trail", "delivery.view_consoleaction"),
    (_("Accounts"), "admin:auth_user_changelist", "auth.view_user"),
]


@dataclass(frozen=True)
class Section:
    """One entry of the navigation; open while a page below it is shown."""

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
            _section(title, reverse(name), request.path)
            for title, name, rights in SECTIONS
            if not rights or any(map(request.user.has_perm, rights.split()))
        ],
    }


def _section(title: Promise, url: str, path: str) -> Section:
    is_below = url != reverse("home") and path.startswith(url)
    return Section(title, url, is_current=path == url, is_open=is_below)


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show how things stand, as far as this operator may see it."""
    now, may = timezone.now(), request.user.has_perm
    sees_deliveries = may("delivery.view_delivery")
    sees_uploads = may("optout.view_upload")
    tasks = start_page.upload_tasks(now) if sees_uploads else []
    tasks += start_page.delivery_tasks() if sees_deliveries else []
    tasks += triage.tasks(now) if may("delivery.view_triageitem") else []
    return render(
        request,
        "console/home.html",
        {
            "tasks": tasks,
            "figures": start_page.figures() if may("profiles.view_profile") else None,
            "deliveries": start_page.latest_deliveries() if sees_deliveries else None,
            "uploads": start_page.latest_uploads() if sees_uploads else None,
        },
    )


def sign_in_to_admin(request: HttpRequest) -> HttpResponse:
    """Send to the one sign-in page; who is signed in already lacks the right."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", reverse("admin:index")))
