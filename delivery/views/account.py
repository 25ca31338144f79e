"""Doors to one's own account: password, second factor, recovery codes."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from delivery import audit
from delivery import second_factor as factors
from delivery.forms_account import CodeForm, SetUpForm
from delivery.second_factor import SecondFactorError


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show how this account is kept safe."""
    user = cast(User, request.user)
    context = {
        "roles": user.groups.order_by("name"),
        "is_on": factors.is_on(user),
        "is_required": settings.SECOND_FACTOR == "required",
        "code_count": factors.unused_codes(user),
    }
    return render(request, "account/account.html", context)


@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; other sessions of the account end."""
    post = request.POST if request.method == "POST" else None
    form = PasswordChangeForm(cast(User, request.user), post)
    if form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, _("The password was changed."))
        return redirect("account")
    return render(request, "account/password.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Take the code after the password."""
    user = cast(User, request.user)
    if not factors.is_on(user):
        return redirect("account")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            text = form.cleaned_data["code"]
            factors.verify(request, user, text, now=timezone.now())
        except SecondFactorError as error:
            form.add_error("code", str(error))
        else:
            _warn_of_few_codes(request, user)
            return redirect(_next(request))
    context = {"form": form, "next": request.GET.get("next", "")}
    return render(request, "account/second_factor.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Show the secret for a telephone, and turn it on with the first code."""
    user = cast(User, request.user)
    form = SetUpForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            text = form.cleaned_data["code"]
            codes = factors.set_up(request, user, text, now=timezone.now())
        except SecondFactorError as error:
            form.add_error("code", str(error))
        else:
            return _show_codes(request, codes)
    device = factors.pending(user)
    context = {
        "form": form,
        "picture": factors.picture(device),
        "secret": factors.secret_of(device),
    }
    response = render(request, "account/set_up.html", context)
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes, and show them once."""
    user = cast(User, request.user)
    if not factors.is_on(user):
        messages.error(request, _("Set up the second factor first."))
        return redirect("account")
    codes = factors.make_recovery_codes(user, now=timezone.now())
    return _show_codes(request, codes)


@login_required
@require_POST
def turn_off(request: HttpRequest) -> HttpResponse:
    """Go without a second factor, where the installation lets people."""
    if settings.SECOND_FACTOR == "required":
        text = _("This installation requires a second factor. Set up another one.")
        messages.error(request, text)
        return redirect("account")
    factors.reset(cast(User, request.user))
    messages.success(request, _("The second factor is off."))
    return redirect("account")


def _show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    audit.notes_of(request).is_done = True
    response = render(request, "account/recovery_codes.html", {"codes": codes})
    response["Cache-Control"] = "no-store"
    return response


def _warn_of_few_codes(request: HttpRequest, user: User) -> None:
    if factors.unused_codes(user) < 3:
        text = _("You have few recovery codes left. Make new ones on your account.")
        messages.warning(request, text)


def _next(request: HttpRequest) -> str:
    """Give the page that was asked for, if it is one of ours."""
    url = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        url, {request.get_host()}, require_https=request.is_secure()
    )
    return url if is_ours and url.startswith("/console/") else reverse("home")
