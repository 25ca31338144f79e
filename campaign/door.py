"""The door of the console: every request below /console/ passes here.

1. A sign-in that lasted too long is ended.
2. Whoever has not passed the second factor sees nothing but the page that takes it.
3. Before a dangerous act the password is taken once more. What was typed is carried
   along by that page, so the act goes on where it was.
4. What was done, downloaded or shown in full is written into the audit trail.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from campaign import acts
from delivery import audit, second_factor, sessions
from delivery.audit import Act, Actor
from delivery.models.console import ActionOutcome
from profiles import showing

PREFIX: Final = "/console/"
PASSWORD: Final = "identity_password"
# The page that was asked for by GET, so there is no form to go on with.
IS_LOOK: Final = "identity_look"
_CARRIED_APART: Final = {"csrfmiddlewaretoken", PASSWORD, IS_LOOK}
_ALWAYS_OPEN: Final = {"sign_out", "set_language"}
_STEP: Final = "confirm_identity"


class ConsoleDoor:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        now = timezone.now()
        if request.user.is_authenticated:
            if sessions.is_over(request.session, now):
                return _signed_out(request)
            if not _is_poll(request):
                sessions.note_life(request.session, now)
        before = audit.actor_of(request.user)
        response = self.get_response(request)
        by = before or audit.actor_of(request.user)
        return _recorded(request, response, by=by)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        """Answer instead of the view when something has to be shown first."""
        match = request.resolver_match
        is_ours = request.path_info.startswith(PREFIX)
        if match is None or not is_ours or not request.user.is_authenticated:
            return None
        step = second_factor.missing_step(request)
        if step and match.view_name not in {*_ALWAYS_OPEN, step}:
            return _held(request, step)
        door = acts.door_of(acts.name_of(match))
        return _asked(request, door, now=timezone.now())


def _is_poll(request: HttpRequest) -> bool:
    """Say whether the page asks by itself; that is no sign of life."""
    return request.method == "GET" and request.headers.get("HX-Request") == "true"


def _signed_out(request: HttpRequest) -> HttpResponse:
    is_look = request.method in {"GET", "HEAD"} and not _is_poll(request)
    logout(request)
    minutes = int(settings.IDLE_TIMEOUT.total_seconds() // 60)
    messages.warning(
        request,
        _(
            "You were signed out: nothing was done for %(minutes)s minutes, or you were"
            " signed in since yesterday. What was not saved is lost. Sign in again."
        )
        % {"minutes": minutes},
    )
    url = _with_next(request, "sign_in") if is_look else reverse("sign_in")
    if _is_poll(request):
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


def _held(request: HttpRequest, step: str) -> HttpResponse:
    if request.method in {"GET", "HEAD"}:
        return redirect(_with_next(request, step))
    return redirect(step)


def _with_next(request: HttpRequest, name: str) -> str:
    return f"{reverse(name)}?{urlencode({'next': request.get_full_path()})}"


def _asked(
    request: HttpRequest, door: acts.Door, *, now: datetime
) -> HttpResponseBase | None:
    """Take the password before a dangerous act, and let it go on once it was right."""
    if request.method == "POST" and PASSWORD in request.POST and door.asks:
        return _answered(request, now=now)
    if not acts.takes_password(door, request):
        return None
    if sessions.is_confirmed(request.session, now):
        return None
    return _ask(request, error="")


def _answered(request: HttpRequest, *, now: datetime) -> HttpResponseBase | None:
    is_look = IS_LOOK in request.POST
    if not sessions.confirm(request, request.POST[PASSWORD], now=now):
        audit.notes_of(request).about["step"] = _STEP
        return _ask(request, error=_("The password is not right. Type it again."))
    if is_look:
        audit.notes_of(request).about["step"] = _STEP
        audit.notes_of(request).is_done = True
        return render(request, "console/identity.html", {"is_confirmed": True})
    post = request.POST.copy()
    for name in (PASSWORD, IS_LOOK):
        post.pop(name, None)
    request.POST = post  # type: ignore[assignment]
    return None


def _ask(request: HttpRequest, *, error: str) -> HttpResponse:
    carried = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in _CARRIED_APART
        for value in values
    ]
    is_look = request.method == "GET" or IS_LOOK in request.POST
    context = {"carried": carried, "error": error, "is_look": is_look}
    response = render(request, "console/identity.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _recorded(
    request: HttpRequest, response: HttpResponseBase, *, by: Actor | None
) -> HttpResponseBase:
    match = request.resolver_match
    if match is None or by is None:
        return response
    name = acts.name_of(match)
    act = Act(name, by, _ids(match.kwargs))
    if response.headers.get("Content-Disposition", "").startswith("attachment"):
        return audit.record_download(request, act, response)
    if request.method == "POST" and acts.door_of(name).changes:
        audit.record(request, act, audit.outcome_of(request, response))
    elif showing.shown_count(request) and response.status_code == 200:
        audit.record(request, act, ActionOutcome.SEEN)
    return response


def _ids(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keep the numbers of a URL; its texts could be anything."""
    return {
        name: int(value)
        for name, value in kwargs.items()
        if isinstance(value, int) or (str(value).isascii() and str(value).isdecimal())
    }
