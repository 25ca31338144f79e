"""What tests of incoming texts start from: a gateway that texts us, and its hooks."""

import json
from datetime import UTC, datetime
from itertools import count

from django.test import Client
from django.utils import timezone

from delivery.inbound import texts
from delivery.inbound.text_messages import read
from delivery.inbound.texts import Done
from delivery.views.hooks_sms import signature_of
from optout.models import ConsentEvent
from optout.models.ledger import Direction
from profiles.addresses import parse
from profiles.channels import Channel
from quarantine.models import QuarantinedAddress

NUMBER = "+46701740605"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
SECRET = "a-hook-secret"
_ids = count(1)


def raw_text(text: str, *, sender: str = NUMBER, key: str = "", **fields: str) -> bytes:
    key = key or f"t-{next(_ids)}"
    return json.dumps({"id": key, "from": sender, "text": text, **fields}).encode()


def text_in(text: str, *, now: datetime = NOW, **fields: str) -> Done:
    """Receive one text."""
    raw = raw_text(text, **fields)
    return texts.receive(read(raw), raw=raw, now=now)


def post(client: Client, path: str, body: bytes, **headers: str):
    """Post a body that is signed as of now, unless the headers say otherwise."""
    timestamp = headers.pop("timestamp", str(int(timezone.now().timestamp())))
    signature = headers.pop("signature", signature_of(timestamp, body))
    return client.post(
        f"/hooks/sms/{path}",
        body,
        content_type="application/json",
        headers={"X-Timestamp": timestamp, "X-Signature": signature, **headers},
    )


def number_row(number: str = NUMBER) -> QuarantinedAddress | None:
    digest = parse(Channel.SMS, number).digest
    return QuarantinedAddress.objects.filter(channel=Channel.SMS, digest=digest).first()


def ledger_rows() -> list[tuple[int, str, str]]:
    """Give (profile id, direction, source) of each row, in order."""
    return [
        (each.profile_id, Direction(each.direction).name, each.source)
        for each in ConsentEvent.objects.order_by("pk")
    ]
