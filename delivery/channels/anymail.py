"""Mail by the API of a provider, through django-anymail: one recipient per request.

The message is the one that a mail server would get: subject, both parts and headers are
read back from its bytes. The token of its envelope sender goes along as metadata
(`campaign`), so that what the provider reports later can be tied to the message by our
own signature, also where the provider writes an envelope sender of its own.

A request that may have arrived and has no readable answer is in doubt. What says
something about the account and not about the message (sign-in, limits, outages) holds
everything back and counts against no address. Only delivery.transports imports this
module, and only when a provider is chosen: the package is an optional one.
"""

from email import message_from_bytes
from email.message import EmailMessage as ParsedMail
from email.policy import default
from time import monotonic
from typing import Any, Final, cast

import requests
from anymail.backends.base_requests import (  # type: ignore[import-untyped]
    AnymailRequestsBackend,
)
from anymail.exceptions import (  # type: ignore[import-untyped]
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
    AnymailUnsupportedFeature,
)
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string
from urllib3.exceptions import NewConnectionError

from delivery.channels.outcomes import Outcome, OutcomeKind, Phase, cleaned
from delivery.channels.transport import Composition, Transport

METADATA: Final = "campaign"
BACKEND: Final = "anymail.backends.{provider}.EmailBackend"
# After a limit or an outage, unless the provider says how long.
REST: Final = 30.0  # seconds
LONGEST_REST: Final = 3600.0
# The provider's to write, or said in another way already.
_NOT_HEADERS: Final = frozenset(
    (
        "from",
        "to",
        "reply-to",
        "subject",
        "date",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    )
)
# Postmark keeps our Message-ID only when asked to.
_KEEP_ID: Final = {"Postmark": {"X-PM-KeepID": "true"}}
_ACCOUNT: Final = frozenset({401, 402, 403, 404, 405})
# Not taken, for now.
_NOT_NOW: Final = frozenset({408, 425, 429, 503})
_OUTCOMES: Final = {
    "sent": OutcomeKind.SENT,
    "queued": OutcomeKind.SENT,
    "invalid": OutcomeKind.HARD,
    "rejected": OutcomeKind.HARD,
    "failed": OutcomeKind.REFUSED,
}
# What reading an answer raises that has another form than it should.
_UNREADABLE: Final = (AttributeError, LookupError, TypeError, ValueError)
_TRIAL: Final = Composition(
    "b-trial@example.com",
    "trial@example.com",
    b"From: trial@example.com\r\nSubject: Trial\r\nMessage-ID: <trial@example.com>\r\n"
    b"List-Unsubscribe: <https://example.com/>\r\n\r\nTrial\r\n",
)


class ProviderTransport(Transport):
    """One connection to the API of one provider; `provider` is anymail's name of it."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._backend: Any = None
        self._takes_envelope = True
        self._rests_until = 0.0

    def ready(self) -> Outcome | None:
        """Connect if need be; None when a message can go out at once.

        A provider that cannot carry what our messages need is found out here, before
        any of them is begun.
        """
        if self._backend is None:
            trouble = self._open()
            if trouble is not None:
                return trouble
        if monotonic() < self._rests_until:
            return _unreachable(Phase.CONNECT, code="provider_rests")
        return None

    def send(self, message: Composition) -> Outcome:
        """Hand one message to the provider; gives what came of it."""
        trouble = self.ready()
        if trouble is not None:
            return trouble
        mail = self._mail(message)
        try:
            self._backend.send_messages([mail])
        except AnymailRecipientsRefused:
            pass  # its status says it
        except AnymailAPIError as error:
            return self._refused(error)
        except (AnymailError, *_UNREADABLE) as error:
            return _stuck(mail, error)
        return _taken(mail)

    def close(self) -> None:
        """Let the connection go."""
        if self._backend is not None:
            self._backend.close()
        self._backend = None

    def _open(self) -> Outcome | None:
        try:
            backend = import_string(BACKEND.format(provider=self._provider))()
        except (ImportError, AnymailConfigurationError) as error:
            return _unreachable(
                Phase.CONNECT, code="provider_not_configured", reply=str(error)
            )
        if not isinstance(backend, AnymailRequestsBackend):
            return _unreachable(Phase.CONNECT, code="provider_not_supported")
        self._backend = backend
        # Without it a failed request would count as one that was sent.
        backend.fail_silently = backend.ignore_recipient_status = False
        try:
            self._try_features()
        except AnymailError as error:
            self._backend = None
            return _unreachable(
                Phase.CONNECT, code="provider_lacks_feature", reply=str(error)
            )
        backend.open()
        # What is signed for one place goes there, and nowhere else.
        backend.session.max_redirects = 0
        return None

    def _try_features(self) -> None:
        """Write a trial message down for the provider, without sending it."""
        for takes_envelope in (True, False):
            self._takes_envelope = takes_envelope
            try:
                self._backend.build_message_payload(
                    self._mail(_TRIAL), self._backend.send_defaults
                )
                return
            except AnymailUnsupportedFeature:
                if not takes_envelope:
                    raise

    def _mail(self, message: Composition) -> EmailMultiAlternatives:
        read = message_from_bytes(message.content, policy=default)
        mail: Any = EmailMultiAlternatives(
            subject=str(read["Subject"] or ""),
            body=_part(read, "plain"),
            from_email=str(read["From"] or ""),
            to=[message.recipient],
            reply_to=[str(read["Reply-To"])] if read["Reply-To"] else None,
            headers=self._headers(read),
        )
        html = _part(read, "html")
        if html:
            mail.attach_alternative(html, "text/html")
        local_part = message.sender.partition("@")[0]
        mail.metadata = {METADATA: local_part.removeprefix("b-")}
        if self._takes_envelope:
            mail.envelope_sender = message.sender
        return cast(EmailMultiAlternatives, mail)

    def _headers(self, read: ParsedMail) -> dict[str, str]:
        ours = {
            name: str(value)
            for name, value in read.items()
            if name.lower() not in _NOT_HEADERS
        }
        return ours | _KEEP_ID.get(self._backend.esp_name, {})

    def _refused(self, error: AnymailAPIError) -> Outcome:
        response = error.response
        if response is None:
            return _unanswered(error)
        status = response.status_code
        reply = cleaned(response.text)
        if status in _NOT_NOW or status >= 500:
            self._rests_until = monotonic() + _rest(response)
        if status in _NOT_NOW:
            return _unreachable(Phase.CONTENT, status, reply=reply)
        if status in _ACCOUNT:
            code = "authentication_refused" if status in (401, 403) else ""
            return _unreachable(Phase.AUTH, status, code=code, reply=reply)
        if 400 <= status < 500:
            return Outcome(OutcomeKind.REFUSED, Phase.CONTENT, status, reply=reply)
        # It broke with the message in hand, or took it and says so unreadably.
        code = "bad_reply" if status < 500 else "provider_error"
        return Outcome(
            OutcomeKind.AMBIGUOUS, Phase.CONTENT, status, reply=reply, code=code
        )


def _unanswered(error: AnymailAPIError) -> Outcome:
    """Qualify a request without an answer: in doubt, unless it surely never arrived."""
    if isinstance(error, requests.exceptions.SSLError):
        return _unreachable(Phase.TLS, code="tls_failed")
    if isinstance(error, requests.TooManyRedirects):
        return _unreachable(Phase.CONTENT, code="provider_redirects")
    cause = error.__cause__
    reason = getattr(cause.args[0] if cause and cause.args else None, "reason", None)
    # A ValueError is a URL that is none.
    never_arrived = (
        requests.ConnectTimeout,
        requests.exceptions.ProxyError,
        ValueError,
    )
    if isinstance(error, never_arrived) or isinstance(reason, NewConnectionError):
        return _unreachable(Phase.CONNECT, code="provider_not_reached")
    return Outcome(OutcomeKind.AMBIGUOUS, Phase.CONTENT, code="no_answer")


def _stuck(mail: Any, error: Exception) -> Outcome:
    """Qualify a message that could not be written down, or whose answer not be read."""
    response = mail.anymail_status.esp_response
    if response is None:
        kind, status, code = OutcomeKind.REFUSED, 0, "not_for_provider"
    else:
        kind, status, code = OutcomeKind.AMBIGUOUS, response.status_code, "bad_reply"
    reply = cleaned(str(error) if response is None else response.text)
    return Outcome(kind, Phase.CONTENT, status, reply=reply, code=code)


def _taken(mail: Any) -> Outcome:
    """Qualify what the provider said of the one recipient."""
    # Some name the address in another case than we do, and know nothing of ours.
    statuses = {each.status for each in mail.anymail_status.recipients.values()}
    said = next(iter(statuses - {"unknown"}), "unknown")
    response = mail.anymail_status.esp_response
    # A provider that took the request and says no more would get it again for ever.
    is_good = 200 <= response.status_code < 300
    unknown = OutcomeKind.SENT if is_good else OutcomeKind.REFUSED
    kind = _OUTCOMES.get(said, unknown)
    phase = Phase.RCPT if kind == OutcomeKind.HARD else Phase.CONTENT
    reply = cleaned(response.text)
    return Outcome(kind, phase, response.status_code, reply=reply, code=said)


def _part(read: ParsedMail, kind: str) -> str:
    part = read.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def _rest(response: requests.Response) -> float:
    said = response.headers.get("Retry-After", "").strip()
    return min(float(said), LONGEST_REST) if said.isdecimal() else REST


def _unreachable(
    phase: Phase, reply_code: int = 0, *, code: str = "", reply: str = ""
) -> Outcome:
    return Outcome(
        OutcomeKind.UNREACHABLE, phase, reply_code, reply=cleaned(reply), code=code
    )
