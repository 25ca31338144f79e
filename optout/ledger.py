"""Writing the consent ledger: one row per change, never changed afterwards.

Free text does not belong into the ledger, which outlives erasure: it goes into the
evidence, and the row holds its hash.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from optout.models import ConsentEvent, ConsentEvidence
from optout.models.ledger import ConsentReason, ConsentSource, Direction
from profiles import bulk

_BATCH = 1000
_FIELDS: Final = [
    field for field in ConsentEvent._meta.concrete_fields if not field.primary_key
]
_INTO: Final = (
    f"INSERT INTO {ConsentEvent._meta.db_table}"
    f" ({', '.join(field.attname for field in _FIELDS)})"
)


def record(
    profile_id: int,
    channel: int | None,
    direction: Direction,
    *,
    source: ConsentSource,
    by: str,
    now: datetime,
    address_digest: UUID | None = None,
    reason: ConsentReason = ConsentReason.NONE,
    note: str = "",
    delivery_id: int | None = None,
    language: str = "",
    service_id: int | None = None,
    wording_hash: str = "",
    landing_page_version_id: int | None = None,
    other_profile_id: int | None = None,
) -> ConsentEvent:
    """Write one change of consent; the note, if any, becomes evidence.

    It is about a channel, ANY_CHANNEL included, or else about a service, or else a
    merge: then the other profile is the one that lives on.
    """
    event = ConsentEvent(
        at=now,
        profile_id=profile_id,
        other_profile_id=other_profile_id,
        address_digest=address_digest,
        direction=direction,
        channel=channel,
        source=source,
        delivery_id=delivery_id,
        language=language,
        service_id=service_id,
        wording_hash=wording_hash,
        landing_page_version_id=landing_page_version_id,
        actor=by,
        reason=reason,
        evidence_hash=record_evidence([profile_id], note, now=now).get(profile_id, ""),
    )
    event.save(force_insert=True)
    return event


def record_change(
    statement: str, parameters: Sequence[object], *, event: ConsentEvent
) -> int | None:
    """Make one change of consent and write it, both or neither, as fast as can be.

    The statement gives a row with the id of the profile and the digest of its address
    when it changed something, and no row when it did not. Gives the id of the ledger's
    row, or None; the event says whose it is then.
    """
    if connection.vendor == "postgresql":
        # One journey to the server instead of four.
        places, values = _row(
            event, profile_id="change.profile_id", address_digest="change.digest"
        )
        rows = bulk.select(
            f"WITH change (profile_id, digest) AS ({statement})"
            f" {_INTO} SELECT {places} FROM change RETURNING id, profile_id",
            [*parameters, *values],
        )
        for event_id, event.profile_id in rows:
            return int(event_id)
        return None

    with transaction.atomic():
        for profile_id, digest in bulk.select(statement, parameters):
            event.profile_id = profile_id
            event.address_digest = UUID(digest) if digest else None
            places, values = _row(event)
            rows = bulk.select(f"{_INTO} SELECT {places} RETURNING id", values)
            return int(rows[0][0])
    return None


def record_many(events: Iterable[ConsentEvent]) -> int:
    """Write many changes of consent at once; returns how many."""
    return len(ConsentEvent.objects.bulk_create(events, batch_size=_BATCH))


def record_evidence(
    profile_ids: Iterable[int], text: str, *, now: datetime
) -> dict[int, str]:
    """Keep free text behind changes of consent; returns its hash for each profile.

    Empty text is kept for nobody. Two people with one wording have evidence of
    their own, which can be erased apart.
    """
    if not text.strip():
        return {}

    hashes = {each: evidence_hash(each, text) for each in profile_ids}
    ConsentEvidence.objects.bulk_create(
        (
            ConsentEvidence(
                hash=digest, text=text.strip(), profile_id=profile_id, created_at=now
            )
            for profile_id, digest in hashes.items()
        ),
        batch_size=_BATCH,
        ignore_conflicts=True,
    )
    return hashes


def evidence_hash(profile_id: int, text: str) -> str:
    """Give the hash of evidence: SHA-256 over profile and trimmed text."""
    return hashlib.sha256(f"{profile_id}:{text.strip()}".encode()).hexdigest()


def _row(event: ConsentEvent, **given: str) -> tuple[str, list[object]]:
    """Give a row as SQL and its parameters; what is empty needs none."""
    places: list[str] = []
    values: list[object] = []
    for field in _FIELDS:
        value = field.get_db_prep_save(getattr(event, field.attname), connection)
        if field.attname in given:
            places.append(given[field.attname])
        elif value is None:
            places.append("NULL")
        elif value == "":
            places.append("''")
        else:
            places.append("%s")
            values.append(value)
    return ", ".join(places), values


def erase_evidence(profile_id: int, *, now: datetime, keep: str = "") -> int:
    """Blank the free text kept of a profile; the hashes stay. Returns how many.

    `keep` is the hash of evidence that stays readable: why the person was erased.
    """
    kept = ConsentEvidence.objects.filter(profile_id=profile_id, erased_at=None)
    return kept.exclude(hash=keep).update(text="", erased_at=now)
