"""The page behind a preferences link: boxes of what a person gets, and saving them."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from optout import choosing, public, recipients, stopping, tokens
from optout.choosing import Wanted
from optout.public_asking import unknown
from optout.public_pages import form_of, ids_in, open_to_all, page, supported
from optout.recipients import Recipient
from optout.tokens import ExpiredToken, InvalidToken, Purpose
from profiles import in_flight


@open_to_all
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a person gets, with boxes; save what they chose.

    A link that is too old for that, or whose profile was merged, still stops messages.
    """
    try:
        link = tokens.read(token, Purpose.PREFERENCES, now=timezone.now())
    except ExpiredToken as expired:
        who = recipients.find(expired.link)
        with translation.override(supported(request, who.language)):
            stop_token = tokens.make(expired.link, Purpose.STOP)
            return public.ask(who, stop_token, is_expired=True)
    except InvalidToken:
        return unknown(request)
    who = recipients.find(link)
    with translation.override(supported(request, who.language)):
        if who.is_merged:
            stop_token = tokens.make(link, Purpose.STOP)
            return public.ask(who, stop_token, is_expired=True)
        form = form_of(request) if request.method == "POST" else []
        fields = dict(form)
        if "undo" in fields:
            return public.take_back(who, fields["undo"])
        if stopping.is_from_form(fields.get("form", ""), token, now=timezone.now()):
            return _choose(who, token, form=form)
        # A form that is too old is shown again with what was ticked.
        return _offer(who, token, ticked=form)


def _choose(who: Recipient, token: str, *, form: list[tuple[str, str]]) -> HttpResponse:
    with in_flight.watched() as watch:
        changes = choosing.choose(
            who.link,
            _wanted(form),
            language=translation.get_language() or "",
            now=timezone.now(),
        )
    chosen = {
        "changes": changes,
        "token": token,
        "is_late": watch.is_late,
        "undo": stopping.undo_nonce(*changes.event_ids) if changes.event_ids else "",
    }
    return page("chosen", public.about(who) | chosen)


def _offer(
    who: Recipient, token: str, *, ticked: list[tuple[str, str]]
) -> HttpResponse:
    language = translation.get_language() or ""
    choices = choosing.choices_of(who.link, language=language, now=timezone.now())
    if ticked:
        choices = choosing.as_ticked(choices, _wanted(ticked))
    offered = {
        "choices": choices,
        "token": token,
        "nonce": stopping.form_nonce(token),
        "is_again": bool(ticked),
    }
    return page("preferences", public.about(who) | offered)


def _wanted(form: list[tuple[str, str]]) -> Wanted:
    """Read the boxes of the page; what is no number of ours is passed over."""
    ids = ids_in(form)
    pressed = dict(form).get("do", "")
    if pressed in ("stop_all", "start_all"):
        # Who presses one of these means that, and not the boxes.
        ids = {}
    return Wanted(
        channels=frozenset(ids.get("channel", ())),
        services=frozenset(ids.get("service", ())),
        shown_channels=frozenset(ids.get("shown_channel", ())),
        shown_services=frozenset(ids.get("shown_service", ())),
        is_all_stopped=pressed == "stop_all",
        is_all_started=pressed == "start_all",
    )
