"""Text messages by an HTTP gateway of yours (docs/how-to/sms-gateway.md).

One POST per message, signed, with an id that is the same at every attempt, so that a
gateway can tell a repetition. What may have been taken is never sent again: of texts
a second one is worse than none.
"""

import hashlib
import hmac
import json
from email.message import Message as Headers
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from delivery.channels.encryption import is_loopback
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase, cleaned
from delivery.channels.transport import Composition, Transport

_SECONDS: Final = 30.0
_KEPT: Final = 8 * 1024  # bytes of an answer
_SLOW_DOWN: Final = frozenset({429, 503})
_TRY_AGAIN: Final = frozenset({408, 425, 500, 502, 504}) | _SLOW_DOWN
_BAD_NUMBER: Final = 422


class _NoRedirect(HTTPRedirectHandler):
    """A signed request goes where it was meant to go, and nowhere else."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


class SmsGateway(Transport):
    """A gateway at an https address, or on loopback, that shares a secret with us."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret.encode()
        self._opener = build_opener(_NoRedirect)

    def ready(self) -> Outcome | None:
        """Say what is missing to send anything; None when nothing is."""
        if not self._url:
            return self._not_there("sms_gateway_not_set")
        if not self._secret:
            return self._not_there("sms_gateway_secret_not_set")
        parts = urlsplit(self._url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            return self._not_there("sms_gateway_not_https")
        return None

    def send(self, message: Composition) -> Outcome:
        """Hand one text to the gateway; gives what came of it."""
        trouble = self.ready()
        if trouble is not None:
            return trouble
        body = json.dumps(
            {
                "id": message.sender,
                "to": message.recipient,
                "text": message.content.decode(),
            }
        ).encode()
        request = Request(self._url, data=body, headers=self._headers(body))
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                return _outcome(answer.status, answer.read(_KEPT), answer.headers)
        except HTTPError as error:
            with error:
                return _outcome(error.code, error.read(_KEPT), error.headers)
        except URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                return self._not_there("ConnectionRefusedError")
            # The request may have arrived.
            return Outcome(OutcomeKind.AMBIGUOUS, Phase.CONTENT, code="no_answer")
        except (OSError, HTTPException):
            return Outcome(OutcomeKind.AMBIGUOUS, Phase.CONTENT, code="no_answer")

    def close(self) -> None:
        """Do nothing: each message has a connection of its own."""

    def _headers(self, body: bytes) -> dict[str, str]:
        mac = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "X-Signature": f"sha256={mac}",
        }

    def _not_there(self, code: str) -> Outcome:
        return Outcome(OutcomeKind.UNREACHABLE, Phase.CONNECT, code=code)


def _outcome(status: int, body: bytes, headers: Headers) -> Outcome:
    """Read an answer: 2xx took it, 422 knows no such number, 4xx refuses the text."""
    reply = cleaned(body.decode("utf-8", "replace"))
    if 200 <= status < 300:
        kind = OutcomeKind.SENT
    elif status in _TRY_AGAIN:
        kind = OutcomeKind.SOFT
    elif status == _BAD_NUMBER:
        kind = OutcomeKind.HARD
    else:
        kind = OutcomeKind.REFUSED
    return Outcome(
        kind, Phase.CONTENT, status, reply=reply, pauses_lane=status in _SLOW_DOWN
    )
