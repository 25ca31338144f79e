"""Storing what comes in, whole and once, before anything is made of it."""

import hashlib
from datetime import datetime

from delivery.models import Inbound, InboundKind

MOST_BYTES = 10 * 1024 * 1024


def store(
    kind: InboundKind,
    raw: bytes,
    *,
    source: str,
    now: datetime,
    key: str = "",
    recipient: str = "",
    note: str = "",
) -> Inbound | None:
    """Store one thing that came in; None when it is stored already.

    `key` is the id that its source gave it; without one, its bytes are (SHA-256).
    Committed as soon as the caller's transaction is: only then may it be deleted
    where it came from.
    """
    row = Inbound(
        kind=kind,
        source=source,
        key=key or hashlib.sha256(raw).hexdigest(),
        raw=raw,
        received_at=now,
        recipient=recipient[:320],
        note=note,
    )
    made = Inbound.objects.bulk_create([row], ignore_conflicts=True)
    # After a conflict no row was made, and which there is must be asked.
    found = Inbound.objects.filter(kind=kind, source=source, key=row.key)
    return found.filter(received_at=now).first() if made else None
