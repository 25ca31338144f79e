"""Trying the unsubscribe link as a mail provider would, before anything is sent."""

from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.control_rules import Finding, Level, Phase
from delivery.models import Delivery
from optout import tokens
from optout.tokens import Link, Purpose

_SECONDS: Final = 5.0
# No profile has this id, so the trial stops nobody.
_NOBODY: Final = 0
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class _NoRedirect(HTTPRedirectHandler):
    """RFC 8058 section 3.1: the answer to one click is never a redirect."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def try_unsubscribe_link(delivery: Delivery) -> list[Finding]:
    """POST one click to the public address, for nobody (RFC 8058 section 3.1).

    Gives an error when it answers anything but 200, a warning when it does not
    answer at all: it may not be reached from here.
    """
    link = Link(_NOBODY, delivery.channel, timezone.now(), 0, delivery.pk)
    path = reverse("one_click", args=[tokens.make(link, Purpose.ONE_CLICK)])
    host = urlsplit(settings.PUBLIC_BASE_URL).hostname or ""
    request = Request(
        f"{settings.PUBLIC_BASE_URL}{path}", data=b"List-Unsubscribe=One-Click"
    )
    try:
        with build_opener(_NoRedirect).open(request, timeout=_SECONDS) as answer:
            status = answer.status
    except HTTPError as error:
        status = error.code
    except (URLError, OSError, HTTPException, ValueError):
        return [_finding(Level.WARNING, _("does not answer from here. Try it."))]
    if status == 200:
        return []
    level = Level.WARNING if host in _LOOPBACK else Level.ERROR
    why = _("answers %(status)s instead of 200. Mend its web server.")
    return [_finding(level, why % {"status": status})]


def _finding(level: Level, why: str) -> Finding:
    sentence = _("The unsubscribe link at %(url)s %(why)s") % {
        "url": settings.PUBLIC_BASE_URL,
        "why": why,
    }
    return Finding("unsubscribe_link_dead", level, sentence, Phase.END)
