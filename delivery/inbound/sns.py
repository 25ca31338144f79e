"""Notifications of Amazon SNS, by which Amazon SES reports: are they Amazon's, for us?

anymail does not check this. Whoever can publish to some topic can sign with Amazon's
key, so the topic must be one of ours (SNS_TOPICS) as well. Nothing is fetched but
Amazon's certificate, from a host of a fixed form: a URL of the outside is never called.

Rules: Amazon SNS developer guide, "Verifying the signatures of Amazon SNS messages".
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from http.client import HTTPException, HTTPSConnection
from typing import Any, Final

from django.conf import settings

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
except ImportError:  # an optional extra
    x509 = None  # type: ignore[assignment]

_CERTIFICATE: Final = re.compile(
    r"https://(sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?)(/[A-Za-z0-9._-]{1,200}\.pem)",
    re.ASCII,
)
_LONGEST: Final = 64 * 1024
_SECONDS: Final = 5
_NOTIFICATION: Final = (
    "Message",
    "MessageId",
    "Subject",
    "Timestamp",
    "TopicArn",
    "Type",
)
_CONFIRMATION: Final = (
    "Message",
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
)
SIGNED: Final = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}

# Gives the bytes (PEM) behind the URL of a certificate.
Fetch = Callable[[str], bytes]


class NotAuthentic(Exception):
    """A notification that Amazon did not sign, or that is of no topic of ours."""


def check(message: Mapping[str, Any], *, now: datetime, fetch: Fetch) -> None:
    """Raise NotAuthentic unless a notification is Amazon's, and of a topic of ours."""
    if x509 is None or message.get("TopicArn") not in settings.SNS_TOPICS:
        raise NotAuthentic
    if message.get("Type") not in SIGNED:
        raise NotAuthentic
    certificate = _certificate(str(message.get("SigningCertURL")), fetch)
    key = certificate.public_key()
    is_of_now = (
        certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    )
    if not is_of_now or not isinstance(key, RSAPublicKey):
        raise NotAuthentic
    version = str(message.get("SignatureVersion"))
    algorithm = {"1": hashes.SHA1, "2": hashes.SHA256}.get(version)
    if algorithm is None:
        raise NotAuthentic
    try:
        signature = b64decode(str(message.get("Signature")), validate=True)
        key.verify(signature, canonical(message), PKCS1v15(), algorithm())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise NotAuthentic from error


def canonical(message: Mapping[str, Any]) -> bytes:
    """Give the text that Amazon signs: names and values, each on a line."""
    names = SIGNED[message["Type"]]
    lines = [
        f"{name}\n{message[name]}\n"
        for name in names
        if name != "Subject" or message.get(name) is not None
        if name in message
    ]
    return "".join(lines).encode("utf-8", "surrogatepass")


@lru_cache(maxsize=16)
def fetch_certificate(url: str) -> bytes:
    """Fetch a certificate of Amazon's, once; redirects are not followed."""
    found = _CERTIFICATE.fullmatch(url)
    if found is None:
        raise NotAuthentic
    connection = HTTPSConnection(found[1], timeout=_SECONDS)
    try:
        connection.request("GET", found[2])
        response = connection.getresponse()
        body = response.read(_LONGEST)
    except (OSError, HTTPException) as error:
        raise NotAuthentic from error
    finally:
        connection.close()
    if response.status != 200:
        raise NotAuthentic
    return body


def _certificate(url: str, fetch: Fetch) -> "x509.Certificate":
    if not _CERTIFICATE.fullmatch(url):
        raise NotAuthentic
    try:
        return x509.load_pem_x509_certificate(fetch(url))
    except ValueError as error:
        raise NotAuthentic from error
