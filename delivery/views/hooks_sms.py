"""The doors by which a gateway hands us texts and receipts.

No session, no cookie: what counts is a signature over the time and the body. 200 says
that we have it for good; a gateway tries anything else again.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from delivery.inbound import receipts, texts
from delivery.inbound import text_messages as messages
from delivery.inbound.text_messages import TextError

MOST_BYTES: Final = 256 * 1024
TOLERANCE: Final = timedelta(minutes=5)

logger = logging.getLogger(__name__)


class HookRefused(Exception):
    """A call that is not taken: the status, and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@csrf_exempt
def incoming(request: HttpRequest) -> JsonResponse:
    """Take one text message."""
    return _taken(request, _take_text)


@csrf_exempt
def receipt(request: HttpRequest) -> JsonResponse:
    """Take one delivery receipt."""
    return _taken(request, _take_receipt)


def signature_of(timestamp: str, body: bytes) -> str:
    """Sign a call, as a gateway has to: HMAC-SHA256 over `timestamp.body`."""
    secret = settings.SMS_HOOK_SECRET.encode()
    signed = timestamp.encode("utf-8", "replace") + b"." + body
    return "sha256=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()


def _take_text(raw: bytes, now: datetime) -> None:
    texts.receive(messages.read(raw), raw=raw, now=now)


def _take_receipt(raw: bytes, now: datetime) -> None:
    receipts.receive(receipts.read(raw), raw=raw, now=now)


def _taken(
    request: HttpRequest, take: Callable[[bytes, datetime], None]
) -> JsonResponse:
    now = timezone.now()
    try:
        take(_authentic_body(request, now=now), now)
    except HookRefused as refusal:
        return _refusal(refusal.status, str(refusal))
    except TextError as error:
        return _refusal(400, str(error))
    except DatabaseError as error:
        logger.warning("A hook was not taken: %s", type(error).__name__)
        return _refusal(503, "It could not be stored. Send it again.")
    return JsonResponse({"taken": True})


def _authentic_body(request: HttpRequest, *, now: datetime) -> bytes:
    """Give the body of a call that is signed and fresh. Raises HookRefused."""
    if request.method != "POST":
        raise HookRefused(405, "Only POST is taken here.")
    if _length(request) > MOST_BYTES:
        raise HookRefused(413, f"The body is longer than {MOST_BYTES} bytes.")
    if not settings.SMS_HOOK_SECRET:
        raise HookRefused(401, "No secret is set here. Set SMS_HOOK_SECRET.")
    timestamp = request.headers.get("X-Timestamp", "")
    body = request.body
    given = request.headers.get("X-Signature", "")
    if not constant_time_compare(given, signature_of(timestamp, body)):
        raise HookRefused(
            401, "The signature does not fit. Sign the timestamp, a dot and the body."
        )
    if not _is_fresh(timestamp, now=now):
        raise HookRefused(
            401, "The timestamp is not of now. Send the seconds since 1970, in UTC."
        )
    return body


def _is_fresh(timestamp: str, *, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    return abs(int(timestamp) - now.timestamp()) <= TOLERANCE.total_seconds()


def _length(request: HttpRequest) -> int:
    length = request.headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdecimal() else 0


def _refusal(status: int, sentence: str) -> JsonResponse:
    headers = {"Allow": "POST"} if status == 405 else {}
    return JsonResponse({"error": sentence}, status=status, headers=headers)
