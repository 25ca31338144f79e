"""Telling why, after an opt-out took effect: never asked before, never required.

The form is on the result page only, and sealed to the ledger row of that opt-out.
"""

from datetime import datetime
from typing import Final

from django.core import signing

from optout.models import ConsentEvent, OptOutReason
from optout.models.ledger import Direction
from optout.models.reasons import WhyCode
from optout.stopping import FORM_LIFETIME
from optout.tokens import Link

_why: Final = signing.TimestampSigner(salt="optout.why")


def nonce(event_id: int) -> str:
    """Give the value that lets somebody tell why one opt-out was made."""
    return _why.sign(str(event_id))


def keep(link: Link, signed: str, *, code: str, now: datetime) -> bool:
    """Keep the reason of an opt-out of this link's person; says whether it was kept.

    The first one stays. Nothing is kept of a code or a nonce that is not ours.
    """
    event_id = _event_id(signed, now=now)
    if event_id is None or code not in WhyCode.values:
        return False
    is_theirs = ConsentEvent.objects.filter(
        pk=event_id, profile_id=link.profile_id, direction=Direction.OUT
    )
    if not is_theirs.exists():
        return False
    _row, is_new = OptOutReason.objects.get_or_create(
        event_id=event_id, defaults={"code": code, "at": now}
    )
    return is_new


def _event_id(signed: str, *, now: datetime) -> int | None:
    """Read a nonce; its age is told by the caller's clock."""
    try:
        value, seconds = signing.Signer.unsign(_why, signed).rsplit(_why.sep, 1)
        made_at = signing.b62_decode(seconds)
    except (signing.BadSignature, ValueError):
        return None
    is_fresh = now.timestamp() - made_at <= FORM_LIFETIME.total_seconds()
    return int(value) if is_fresh else None
