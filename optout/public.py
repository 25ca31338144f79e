"""One click (RFC 8058), and the page with one button that does the same.

The token says it all. GET, HEAD and OPTIONS write nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from optout import recipients, stopping, telling, tokens
from optout.models.ledger import ConsentSource
from optout.models.reasons import WhyCode
from optout.public_asking import unknown
from optout.public_pages import form_of, open_to_all, page, supported
from optout.recipients import Recipient
from optout.tokens import InvalidToken, Link, Purpose
from profiles import in_flight
from profiles.channels import ANY_CHANNEL, Channel

# Exact, so that another verb can be added (RFC 8058 section 3.2).
_ONE_CLICK: Final = [("List-Unsubscribe", "One-Click")]


@open_to_all
def one_click(request: HttpRequest, token: str) -> HttpResponse:
    """Stop at once when a mail client posts the exact pair; else show the button."""
    try:
        link = tokens.read(token, Purpose.ONE_CLICK, now=timezone.now())
    except InvalidToken:
        return unknown(request)
    who = recipients.find(link)
    with translation.override(supported(request, who.language)):
        if request.method == "POST" and form_of(request) == _ONE_CLICK:
            stopped = _stop(who.link, ConsentSource.ONE_CLICK)
            return page("stopped", about(who) | stopped.late)
        # The button is of another purpose than the header's link.
        return ask(who, tokens.make(link, Purpose.STOP))


@open_to_all
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ask with one button; stop when it was pressed; take it back for half an hour."""
    try:
        link = tokens.read(token, Purpose.STOP, now=timezone.now())
    except InvalidToken:
        return unknown(request)
    who = recipients.find(link)
    with translation.override(supported(request, who.language)):
        form = dict(form_of(request)) if request.method == "POST" else {}
        if "undo" in form:
            return take_back(who, form["undo"])
        if "why" in form:
            return _tell_why(who, form | {"token": token})
        nonce = form.get("form", "")
        if not stopping.is_from_form(nonce, token, now=timezone.now()):
            return ask(who, token)
        if form.get("stop") == "channel":
            who = replace(who, link=replace(link, service_id=0), service=None)
        stopped = _stop(who.link, ConsentSource.LANDING_PAGE)
        undo = stopping.undo_nonce(stopped.event_id) if stopped.event_id else ""
        after = {"token": token, "undo": undo} | _why(stopped.event_id) | stopped.late
        return page("stopped", about(who) | after)


def ask(who: Recipient, token: str, *, is_expired: bool = False) -> HttpResponse:
    """Show the page with the button; `token` is of the purpose STOP."""
    asked = {
        "action": reverse("stop", args=[token]),
        "nonce": stopping.form_nonce(token),
        "is_stopped": stopping.is_stopped(who.link),
        "is_expired": is_expired,
    }
    return page("stop", about(who) | asked)


def take_back(who: Recipient, nonce: str) -> HttpResponse:
    """Restore what was before a button was pressed, or say why that is too late."""
    language = translation.get_language() or ""
    is_undone = stopping.undo(who.link, nonce, language=language, now=timezone.now())
    if is_undone or not stopping.is_stopped(who.link):
        return page("undone", about(who))
    return page("stopped", about(who) | {"is_too_late": True})


def _why(event_id: int | None) -> dict[str, Any]:
    """Offer to tell why, when there is an opt-out of this press to tell about."""
    if event_id is None:
        return {}
    return {"why": telling.nonce(event_id), "reasons": WhyCode.choices}


def _tell_why(who: Recipient, form: Mapping[str, str]) -> HttpResponse:
    now = timezone.now()
    is_told = telling.keep(who.link, form["why"], code=form.get("reason", ""), now=now)
    if not stopping.is_stopped(who.link):
        return ask(who, form["token"])
    # The undo of the page before, as old as it was.
    kept = {"token": form["token"], "undo": form.get("keep", ""), "is_told": is_told}
    return page("stopped", about(who) | kept)


def about(who: Recipient) -> dict[str, Any]:
    """Say what a link stops, in words, and to which address."""
    channel = _("messages of any kind")
    if who.link.channel != ANY_CHANNEL:
        label = Channel(who.link.channel).label
        channel = _("messages by %(channel)s") % {"channel": label}
    what = channel
    if who.service is not None:
        name = who.service.public_name_in(translation.get_language() or "")
        what = _("messages of “%(service)s”") % {"service": name}
    return {
        "what": what,
        "channel": channel,
        "has_service": who.service is not None,
        "is_any": who.link.channel == ANY_CHANNEL,
        "address": stopping.mask(who.link.channel, who.address),
    }


@dataclass(frozen=True, slots=True)
class _Stopped:
    """The ledger row of a stop that was news, and whether it met a message."""

    event_id: int | None
    is_late: bool

    @property
    def late(self) -> dict[str, Any]:
        return {"is_late": True} if self.is_late else {}


def _stop(link: Link, source: ConsentSource) -> _Stopped:
    language = translation.get_language() or ""
    with in_flight.watched() as watch:
        event_id = stopping.stop(
            link, source=source, language=language, now=timezone.now()
        )
    return _Stopped(event_id, watch.is_late)
