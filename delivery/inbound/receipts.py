"""Delivery receipts of text messages: what a gateway says became of what we sent.

A receipt names a message by the id that we gave it, and nothing else in it counts: the
number is the one that we wrote to. What was sent stays sent, and attempts are never
rewritten; only a message of which nobody knew becomes sent when it was delivered.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from delivery.inbound import storing, texts
from delivery.inbound.text_messages import TextError, strings_of
from delivery.models import (
    Analysis,
    Attempt,
    Inbound,
    InboundKind,
    InboundState,
    Message,
)
from delivery.states import MessageStatus
from profiles.addresses import ParsedAddress
from profiles.channels import Channel
from quarantine import transitions
from quarantine.reasons import Event, Reason, Source

# Later ones are recorded only.
COUNTS_FOR: Final = timedelta(days=14)
DELIVERED: Final = "delivered"
UNKNOWN_NUMBER: Final = "unknown_number"
_CLIENT_ID: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
_BEGUN: Final = (MessageStatus.SENT, MessageStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a gateway says of one message: the receipt's id, the message's, a word."""

    key: str
    message: str
    status: str


def read(raw: bytes) -> Receipt:
    """Read what a gateway posts. Raises TextError with a sentence."""
    fields = strings_of(raw)
    for name in ("message", "status"):
        if name not in fields:
            raise TextError(f"The receipt has no “{name}”. Send it as a string.")
    return Receipt(fields["id"], fields["message"], fields["status"])


def receive(receipt: Receipt, *, raw: bytes, now: datetime) -> InboundState:
    """Store a receipt, then do what it says; gives what became of it."""
    kind = InboundKind.RECEIPT
    storing.store(kind, raw, source=texts.SOURCE, now=now, key=receipt.key)
    known = Inbound.objects.get(kind=kind, source=texts.SOURCE, key=receipt.key)
    return handle(known, now=now)


@transaction.atomic
def handle(inbound: Inbound, *, now: datetime) -> InboundState:
    """Do what a stored receipt says, once."""
    row = Inbound.objects.select_for_update().get(pk=inbound.pk)
    if row.state != InboundState.STORED or row.raw is None:
        return InboundState(row.state)
    row.read_at = now
    try:
        row.state = _do(read(bytes(row.raw)), row, now=now)
    except TextError as error:
        row.state, row.note = InboundState.FAILED, str(error)
    row.save(
        update_fields=[
            "state",
            "read_at",
            "meaning",
            "note",
            "delivery_id",
            "profile_id",
            "digest",
        ]
    )
    return row.state


def _do(receipt: Receipt, row: Inbound, *, now: datetime) -> InboundState:
    row.meaning = receipt.status if receipt.status in _ACTS else "receipt"
    message = _message_of(receipt)
    if message is None:
        return InboundState.FOREIGN
    row.profile_id, row.digest = message.profile_id, message.digest
    row.delivery_id = message.analysis.delivery_id
    act = _ACTS.get(receipt.status)
    if act is None or not _counts(message, now=now):
        return InboundState.RECORDED
    return act(message, row, now=now)


def _message_of(receipt: Receipt) -> Message | None:
    """Find the text that a receipt is about; only of deliveries by SMS."""
    found = _CLIENT_ID.fullmatch(receipt.message)
    if found is None:
        return None
    analysis_id, profile_id = map(int, found.groups())
    texting = Analysis.objects.filter(delivery__channel=Channel.SMS)
    messages = Message.objects.filter(analysis_id=analysis_id, profile_id=profile_id)
    message = messages.select_related("analysis__delivery").first()
    is_text = message is not None and texting.filter(pk=analysis_id).exists()
    return message if is_text else None


def _counts(message: Message, *, now: datetime) -> bool:
    """Say whether a message was handed over, and not too long ago."""
    attempts = Attempt.objects.filter(
        analysis_id=message.analysis_id, profile_id=message.profile_id
    )
    last = attempts.order_by("-pk").values_list("started_at", flat=True).first()
    return message.status in _BEGUN and last is not None and last > now - COUNTS_FOR


def _take_for_delivered(
    message: Message, row: Inbound, *, now: datetime
) -> InboundState:
    changed = Message.objects.filter(
        analysis_id=message.analysis_id,
        profile_id=message.profile_id,
        status=MessageStatus.UNKNOWN,
    ).update(status=MessageStatus.SENT)
    return InboundState.APPLIED if changed else InboundState.RECORDED


def _quarantine(message: Message, row: Inbound, *, now: datetime) -> InboundState:
    """Quarantine a number that is not there; once for each message."""
    earlier = Inbound.objects.filter(
        kind=InboundKind.RECEIPT,
        state=InboundState.APPLIED,
        meaning=UNKNOWN_NUMBER,
        delivery_id=row.delivery_id,
        profile_id=row.profile_id,
        digest=message.digest,
    )
    if message.digest is None or earlier.exists():
        return InboundState.RECORDED
    transitions.apply(
        ParsedAddress(
            Channel.SMS, message.address, "", message.digest, "", is_deliverable=True
        ),
        Event.HARD_ERROR,
        by="",
        source=Source.BOUNCE,
        reason=Reason.USER_UNKNOWN,
        delivery_label=message.analysis.delivery.label,
        now=now,
    )
    return InboundState.APPLIED


_ACTS: Final = {
    DELIVERED: _take_for_delivered,
    UNKNOWN_NUMBER: _quarantine,
}
