"""Refusals at the wire: what a server's reply to us makes of the address.

The sender only marks them, so that sending never waits for this. Each is read once:
its effect and the mark are of one transaction, which a crash undoes whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from delivery import giving_up
from delivery.channels.outcomes import Phase
from delivery.inbound import consequences, identity
from delivery.models import Analysis, Attempt, Message
from quarantine import qualification
from quarantine.qualification import Qualification, Stage
from quarantine.reasons import Reason, Verdict

BATCH: Final = 200
# The phases of our dialogue, as coarse as they matter for the address.
PHASES: Final = {
    Phase.CONNECT: Stage.BEFORE,
    Phase.GREETING: Stage.BEFORE,
    Phase.TLS: Stage.BEFORE,
    Phase.AUTH: Stage.BEFORE,
    Phase.MAIL: Stage.SENDER,
    Phase.RCPT: Stage.RECIPIENT,
    Phase.DATA: Stage.MESSAGE,
    Phase.CONTENT: Stage.MESSAGE,
}
# Delivery time expired (RFC 3463 section 3.5).
_EXPIRED: Final = Qualification(Verdict.SOFT, Reason.UNREACHABLE, code="4.4.7")


@dataclass(frozen=True, slots=True)
class _Refused:
    """Where a refused message went, and of which delivery it is."""

    channel: int
    label: str
    address: str
    digest: UUID


def read_refusals(now: datetime, *, limit: int = 100_000) -> int:
    """Read the refusals that are still to be read, the oldest first; gives how many."""
    done = 0
    while done < limit:
        count = _read_batch(now, size=min(BATCH, limit - done))
        done += count
        if count < BATCH:
            break
    return done


@transaction.atomic
def _read_batch(now: datetime, *, size: int) -> int:
    unread = Attempt.objects.select_for_update(skip_locked=True)
    attempts = list(unread.filter(is_unread=True).order_by("pk")[:size])
    if not attempts:
        return 0
    refused = _refused(attempts)
    # In one order everywhere, so that no two transactions wait for each other.
    for attempt in sorted(attempts, key=lambda each: _order(each, refused)):
        known = refused.get((attempt.analysis_id, attempt.profile_id))
        if known is not None:
            _read(attempt, known, now=now)
    Attempt.objects.filter(pk__in=[each.pk for each in attempts]).update(
        is_unread=False
    )
    return len(attempts)


def _read(attempt: Attempt, refused: _Refused, *, now: datetime) -> None:
    found = qualified(attempt)
    if found is None or found.verdict not in consequences.COUNTED:
        return
    consequences.count_error(
        identity.address_of(refused.channel, refused.address, refused.digest),
        found,
        now=now,
        happened_at=attempt.ended_at,
        note=attempt.reply,
        label=refused.label,
    )


def qualified(attempt: Attempt) -> Qualification | None:
    """Say what an attempt makes of the address; None when we ourselves did not try."""
    if attempt.code == giving_up.GAVE_UP:
        return _EXPIRED
    if attempt.code or not attempt.reply_code:
        return None
    return qualification.qualify_reply(
        attempt.reply_code,
        f"{attempt.enhanced} {attempt.reply}",
        stage=PHASES[Phase(attempt.phase)],
    )


def _refused(attempts: Sequence[Attempt]) -> dict[tuple[int, int], _Refused]:
    """Look up the messages of attempts, one question for each delivery."""
    wanted: dict[int, list[int]] = {}
    for attempt in attempts:
        wanted.setdefault(attempt.analysis_id, []).append(attempt.profile_id)
    analyses = Analysis.objects.filter(pk__in=wanted).select_related("delivery")
    found: dict[tuple[int, int], _Refused] = {}
    for analysis in analyses:
        delivery = analysis.delivery
        messages = Message.objects.filter(
            analysis_id=analysis.pk, profile_id__in=wanted[analysis.pk]
        )
        for profile_id, address, digest in messages.values_list(
            "profile_id", "address", "digest"
        ):
            if digest is not None:
                found[analysis.pk, profile_id] = _Refused(
                    delivery.channel, delivery.label, address, digest
                )
    return found


def _order(
    attempt: Attempt, refused: dict[tuple[int, int], _Refused]
) -> tuple[str, int]:
    known = refused.get((attempt.analysis_id, attempt.profile_id))
    return (str(known.digest) if known else "", attempt.pk)
