"""The pages of a sign-up: asking for a service, and agreeing from the mailbox."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation

from optout import confirmation, limiting, pages, signing_up, stopping, tokens
from optout.confirmation import Outcome
from optout.models import Service
from optout.public_asking import unknown
from optout.public_pages import form_of, open_to_all, page, supported
from optout.tokens import ExpiredToken, InvalidToken, Link, Purpose
from profiles import in_flight
from profiles.channels import Channel


@open_to_all
def join(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for a service that anybody may have; the answer is the same for everybody."""
    service = (
        Service.objects.prefetch_related("texts")
        .select_related("subscribe_page")
        .filter(name=name, is_open=True, channel=Channel.EMAIL)
        .first()
    )
    if service is None:
        return unknown(request)
    if request.method != "POST" and (own := _own_page(service)):
        return HttpResponseRedirect(own)
    with translation.override(translation.get_language_from_request(request)):
        form = dict(form_of(request)) if request.method == "POST" else {}
        address = form.get("email", "").strip()
        is_human = stopping.is_from_form(form.get("form", ""), name, now=timezone.now())
        about = _about(service, address)
        # Filled in by machines only; should a person have done it, they are told.
        if not form or not is_human or not address or form.get("leave_empty"):
            return page("join", about | {"is_again": bool(form)})
        network = limiting.network_of(request)
        now = timezone.now()
        if not limiting.allow(limiting.REQUESTS_OF_NETWORK, network, now=now):
            return page("join", about | {"is_too_often": True}, status=429)
        _ask(service, address)
        return page("joined", about)


@open_to_all
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask the owner of a mailbox with two buttons; do what was pressed."""
    try:
        link = tokens.read(token, Purpose.CONFIRMATION, now=timezone.now())
    except ExpiredToken:
        return page("confirmed", {"outcome": "gone"})
    except InvalidToken:
        return unknown(request)
    sign_up = confirmation.find(link)
    if sign_up is None:
        return page("confirmed", {"outcome": "gone"})
    with translation.override(supported(request, sign_up.language)):
        form = dict(form_of(request)) if request.method == "POST" else {}
        nonce = form.get("form", "")
        if stopping.is_from_form(nonce, token, now=timezone.now()):
            if form.get("do") == "confirm":
                return _confirm(link)
            if form.get("do") == "not_me":
                confirmation.refuse(link, now=timezone.now())
                return page("confirmed", {"outcome": "not_me"})
        if (state := confirmation.state_of(sign_up)) is not None:
            return page("confirmed", {"outcome": state.value})
        about = {
            "names": confirmation.subjects_of(sign_up),
            "token": token,
            "nonce": stopping.form_nonce(token),
        }
        return page("confirm", about)


def _confirm(link: Link) -> HttpResponse:
    with in_flight.watched() as watch:
        outcome, profile = confirmation.confirm(link, now=timezone.now())
    about: dict[str, Any] = {"outcome": outcome.value, "is_late": watch.is_late}
    if outcome is Outcome.CONFIRMED and profile is not None:
        # Whoever presses the button in the mailbox may see and choose what comes.
        fresh = Link(profile.pk, Channel.EMAIL, timezone.now(), digest=link.digest)
        token = tokens.make(fresh, Purpose.PREFERENCES)
        about["preferences"] = reverse("preferences", args=[token])
    return page("confirmed", about)


def _ask(service: Service, address: str) -> None:
    language = translation.get_language() or ""
    request = signing_up.Request(
        address=address,
        services=[service],
        language=language,
        origin=service.label,
    )
    signing_up.ask(request, now=timezone.now())


def _own_page(service: Service) -> str:
    """Give the path of the page that operators made for a service, while it is open."""
    page = service.subscribe_page
    if page is None or not pages.live_version(page.public_id, timezone.now()).is_open:
        return ""
    return reverse("public_page", args=[page.public_id])


def _about(service: Service, address: str) -> dict[str, object]:
    language = translation.get_language() or ""
    text = service.text_in(language)
    return {
        "service": service,
        "name": service.public_name_in(language),
        "description": text.description if text else "",
        "nonce": stopping.form_nonce(service.name),
        "address": address,
    }
