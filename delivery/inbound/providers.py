"""Mail providers that report by webhook: is a report theirs, and what does it say?

Each signs in its own way, and says things in its own words: django-anymail, an optional
extra, knows them all. A provider for which no secret is set is refused. Amazon SES
comes through SNS, which is checked here (delivery.inbound.sns).
"""

import hmac
import json
import warnings
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string

from delivery.inbound import sns

try:
    AnymailError = import_string("anymail.exceptions.AnymailError")
except ImportError:  # an optional extra
    AnymailError = SuspiciousOperation

AMAZON: Final = "amazon_ses"
# What anymail refuses a report with, or stumbles over in one that is ill-formed.
_BAD: Final = (
    AnymailError,
    SuspiciousOperation,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
)
# Standard Webhooks: a signature is good for so long around its timestamp.
_TOLERANCE: Final = timedelta(minutes=5)
_LIST_FIELD: Final = "mandrill_events"


@dataclass(frozen=True, slots=True)
class Provider:
    """Where anymail knows a provider, and what it calls the secret of its reports.

    Without such a name the signature is checked here.
    """

    view: str
    secret: str = ""


PROVIDERS: Final = {
    AMAZON: Provider("amazon_ses.AmazonSESTrackingWebhookView"),
    "brevo": Provider("brevo.BrevoTrackingWebhookView", "webhook_secret"),
    "mailersend": Provider(
        "mailersend.MailerSendTrackingWebhookView", "signing_secret"
    ),
    "mailgun": Provider("mailgun.MailgunTrackingWebhookView", "webhook_signing_key"),
    "mailjet": Provider("mailjet.MailjetTrackingWebhookView", "webhook_secret"),
    "mailtrap": Provider("mailtrap.MailtrapTrackingWebhookView", "tracking_secret"),
    "mandrill": Provider("mandrill.MandrillCombinedWebhookView", "webhook_key"),
    "postal": Provider("postal.PostalTrackingWebhookView", "webhook_key"),
    "postmark": Provider("postmark.PostmarkTrackingWebhookView", "webhook_secret"),
    "resend": Provider("resend.ResendTrackingWebhookView"),
    "sendgrid": Provider(
        "sendgrid.SendGridTrackingWebhookView", "tracking_webhook_verification_key"
    ),
    "sparkpost": Provider("sparkpost.SparkPostTrackingWebhookView", "webhook_secret"),
    "unisender_go": Provider("unisender_go.UnisenderGoTrackingWebhookView", "api_key"),
}


def is_open(name: str) -> bool:
    """Say whether reports of a provider are taken: known, installed, with a secret."""
    return _is_configured(name) and _class_of(name) is not None


def is_authentic(
    name: str, request: HttpRequest, *, now: datetime, fetch: sns.Fetch
) -> bool:
    """Say whether a request is the provider's own, by its signature or its secret."""
    if name == AMAZON:
        return _is_amazons(request, now=now, fetch=fetch)
    if name == "resend":
        return _is_signed(request, settings.MAIL_HOOK_SECRETS[name], now=now)
    try:
        view = view_of(name)
        view.run_validators(request)
    except (*_BAD, ImproperlyConfigured):
        return False
    return True


def key_of(name: str, body: bytes) -> str:
    """Give the id that the provider gave its report; empty when it gave none."""
    if name != AMAZON:
        return ""
    return str(json.loads(body)["MessageId"])[:200]


def envelope(request: HttpRequest) -> bytes:
    """Give what is stored of a request: its type, and its body as it came."""
    kind = request.content_type or "application/json"
    return f"Content-Type: {kind}\r\n\r\n".encode("ascii", "replace") + request.body


def events(name: str, raw: bytes) -> Iterator[Any]:
    """Yield the events of a stored report, as anymail normalises them.

    None stands for one that cannot be read: it spoils no other. Nothing at all is
    yielded of what asks to confirm a subscription.
    """
    kind, _blank, body = raw.partition(b"\r\n\r\n")
    content_type = kind.partition(b": ")[2].decode("ascii", "replace")
    if name == AMAZON:
        yield from _of_amazon(body)
        return
    try:
        yield from _parsed(name, content_type, body)
        return
    except _BAD:
        pass
    for part in _parts(content_type, body):
        try:
            yield from _parsed(name, content_type, part)
        except _BAD:
            yield None


def asks_to_confirm(name: str, raw: bytes) -> bool:
    """Say whether a report asks somebody to confirm a subscription of Amazon SNS."""
    body = raw.partition(b"\r\n\r\n")[2]
    return name == AMAZON and json.loads(body).get("Type") == "SubscriptionConfirmation"


def _is_configured(name: str) -> bool:
    if name == AMAZON:
        return bool(settings.SNS_TOPICS)
    return name in PROVIDERS and bool(settings.MAIL_HOOK_SECRETS.get(name))


def _class_of(name: str) -> Any:
    try:
        return import_string(f"anymail.webhooks.{PROVIDERS[name].view}")
    except ImportError:
        return None


def view_of(name: str) -> Any:
    """Make the view that knows a provider; its warnings are of what we see to."""
    provider = PROVIDERS[name]
    found = _class_of(name)
    given = {}
    if provider.secret:
        given[provider.secret] = settings.MAIL_HOOK_SECRETS[name]
    if name == "mandrill":
        # It signs the URL as it knows it, which a proxy may have changed.
        path = reverse("mail_hook", args=[name])
        given["webhook_url"] = f"{settings.PUBLIC_BASE_URL}{path}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return found(**given)


def _parsed(name: str, content_type: str, body: bytes) -> list[Any]:
    request = WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
        }
    )
    return list(view_of(name).parse_events(request))


def _of_amazon(body: bytes) -> Iterator[Any]:
    message = json.loads(body)
    if message.get("Type") != "Notification":
        return
    found = _class_of(AMAZON)
    # Its __init__ asks for an account at Amazon, which reading needs not.
    view = found.__new__(found)
    try:
        yield from view.esp_to_anymail_events(json.loads(message["Message"]), message)
    except _BAD:
        yield None


def _parts(content_type: str, body: bytes) -> Iterator[bytes]:
    """Take a report of many events apart, where it is a list; else give it whole."""
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            listed = json.loads(parse_qs(body.decode())[_LIST_FIELD][0])
            for each in listed:
                yield urlencode({_LIST_FIELD: json.dumps([each])}).encode()
            return
        found = json.loads(body)
    except (ValueError, LookupError):
        yield body
        return
    if not isinstance(found, list):
        yield body
        return
    for each in found:
        yield json.dumps([each]).encode()


def _is_amazons(request: HttpRequest, *, now: datetime, fetch: sns.Fetch) -> bool:
    try:
        message = json.loads(request.body)
        sns.check(message, now=now, fetch=fetch)
    except (ValueError, AttributeError, sns.NotAuthentic):
        return False
    return True


def _is_signed(request: HttpRequest, secret: str, *, now: datetime) -> bool:
    """Check a signature of Standard Webhooks: over id, timestamp and body."""
    headers = request.headers
    given_id = headers.get("webhook-id") or headers.get("svix-id") or ""
    at = headers.get("webhook-timestamp") or headers.get("svix-timestamp") or ""
    signatures = headers.get("webhook-signature") or headers.get("svix-signature") or ""
    if not at.isascii() or not at.isdigit() or len(at) > 12:
        return False
    if abs(now.timestamp() - int(at)) > _TOLERANCE.total_seconds():
        return False
    try:
        key = b64decode(secret.removeprefix("whsec_"))
    except ValueError:
        return False
    signed = f"{given_id}.{at}.".encode() + request.body
    wanted = b64encode(hmac.digest(key, signed, "sha256")).decode()
    is_ours = False
    for each in signatures.split():
        version, _comma, value = each.partition(",")
        is_ours |= version == "v1" and hmac.compare_digest(
            value.encode(), wanted.encode()
        )
    return is_ours
