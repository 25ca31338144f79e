"""Pages for people without a link: stop by address, and "mail me my link".

Every answer is the same for addresses that we know and that we do not. GET, HEAD and
OPTIONS write nothing; no cookie, no session.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation

from optout import asking, limiting, stopping
from optout.asking import Answer
from optout.public_pages import MAX_BODY, open_to_all, page
from profiles.channels import Channel

MAX_TYPED: Final = 320  # characters
_STATUS: Final = {Answer.TOO_OFTEN: 429}


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the two pages; also the name of its URL and of its form's nonce."""

    name: str
    channels: frozenset[Channel]


_STOP: Final = _Kind("stop_by_address", frozenset({Channel.EMAIL, Channel.SMS}))
_LINK: Final = _Kind("mail_me_my_link", frozenset({Channel.EMAIL}))


@open_to_all
def stop_by_address(request: HttpRequest) -> HttpResponse:
    """Let somebody without a link ask that messages to an address stop."""
    return _page(request, _STOP)


@open_to_all
def mail_me_my_link(request: HttpRequest) -> HttpResponse:
    """Let somebody ask for a mail with their own links."""
    return _page(request, _LINK)


@open_to_all
def cut_off(request: HttpRequest, public_id: str = "") -> HttpResponse:
    """Answer a link that lost its whole token."""
    return unknown(request)


def unknown(request: HttpRequest) -> HttpResponse:
    """Answer a link that is not ours, or not whole, with a way to stop all the same."""
    with translation.override(translation.get_language_from_request(request)):
        return page("unknown", _form(_STOP, ""), status=404)


def _page(request: HttpRequest, kind: _Kind) -> HttpResponse:
    with translation.override(translation.get_language_from_request(request)):
        if request.method != "POST" or _length(request) > MAX_BODY:
            return page(kind.name, _form(kind, ""))
        return _answer(request, kind)


def _answer(request: HttpRequest, kind: _Kind) -> HttpResponse:
    now = timezone.now()
    typed = request.POST.get("address", "").strip()[:MAX_TYPED]
    form = _form(kind, typed)
    # Filled in by machines only; should a person have done it, they are told.
    if request.POST.get("leave_empty"):
        return page(kind.name, form | {"is_too_full": True})
    nonce = request.POST.get("form", "")
    if not stopping.is_from_form(nonce, kind.name, now=now):
        return page(kind.name, form | {"is_again": True})

    network = limiting.network_of(request)
    answer = asking.ask(typed, network=network, channels=kind.channels, now=now)
    if answer == Answer.TAKEN:
        return page("asked", {"by_mail": "@" in typed, "is_stop": kind is _STOP})
    wrong = form | {answer.value: True}
    return page(kind.name, wrong, status=_STATUS.get(answer, 200))


def _form(kind: _Kind, typed: str) -> dict[str, Any]:
    return {
        "action": reverse(kind.name),
        "nonce": stopping.form_nonce(kind.name),
        "typed": typed,
        "may_be_number": Channel.SMS in kind.channels,
    }


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
