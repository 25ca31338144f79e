from datetime import UTC, datetime

import pytest

from optout import ledger
from optout.models import ConsentEvent, ConsentEvidence
from optout.models.ledger import ConsentReason, ConsentSource, Direction

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def test_record_writes_one_row_with_everything():
    ledger.record(
        7,
        1,
        Direction.IN,
        source=ConsentSource.OPERATOR,
        by="ola",
        reason=ConsentReason.SIGNED_FORM,
        note="Form 12",
        delivery_id=3,
        now=NOW,
    )

    event = ConsentEvent.objects.get()
    assert (event.profile_id, event.channel, event.direction) == (7, 1, Direction.IN)
    assert (event.actor, event.reason, event.delivery_id) == ("ola", "signed_form", 3)
    assert event.evidence_hash == ledger.evidence_hash(7, "Form 12")
    assert ConsentEvidence.objects.get(hash=event.evidence_hash).text == "Form 12"


def test_without_a_note_there_is_no_evidence():
    assert ledger.record_evidence([7], "  ", now=NOW) == {}
    assert not ConsentEvidence.objects.exists()


def test_same_evidence_is_kept_once_per_profile():
    first = ledger.record_evidence([7], "Asked by phone", now=NOW)[7]
    again = ledger.record_evidence([7], " Asked by phone ", now=NOW)[7]
    other = ledger.record_evidence([8], "Asked by phone", now=NOW)[8]

    assert first == again != other
    assert ConsentEvidence.objects.count() == 2


def test_erased_evidence_keeps_its_hash_only():
    kept = ledger.record_evidence([7, 8], "Asked by phone", now=NOW)
    mine, theirs = kept[7], kept[8]

    assert ledger.erase_evidence(7, now=NOW) == 1
    assert ledger.erase_evidence(7, now=NOW) == 0

    texts = dict(ConsentEvidence.objects.values_list("hash", "text"))
    assert texts == {mine: "", theirs: "Asked by phone"}


def test_many_rows_are_recorded_at_once():
    events = [
        ConsentEvent(
            at=NOW, profile_id=pk, direction=Direction.OUT, channel=0, source="import"
        )
        for pk in range(1500)
    ]

    assert ledger.record_many(events) == 1500
    assert ConsentEvent.objects.count() == 1500
