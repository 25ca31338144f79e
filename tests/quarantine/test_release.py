from datetime import UTC, datetime

import pytest

from quarantine import release
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Reason, Status
from quarantine.transitions import QuarantineError
from tests import factories

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def listed(status: Status, **fields: object) -> QuarantinedAddress:
    value = f"{status.code}@example.com"
    return factories.make_quarantined_address(value=value, status=status, **fields)


def let_go(*rows: QuarantinedAddress, may: bool = False) -> release.ReleaseResult:
    return release.release(
        rows, by="ola", note="Provider outage", may_release_denylisted=may, now=NOW
    )


@pytest.mark.parametrize("status", [Status.ERRONEOUS, Status.QUARANTINE])
def test_released_address_is_valid_again(status):
    row = listed(status, significant_error_count=5, is_provisional=True)

    assert let_go(row) == release.ReleaseResult(1, {})

    row.refresh_from_db()
    assert (row.status, row.reason) == (Status.VALID, "")
    assert (row.significant_error_count, row.is_provisional) == (0, False)


def test_release_is_in_the_history():
    row = listed(Status.QUARANTINE)

    let_go(row)

    event = QuarantineEvent.objects.get(digest=row.digest)
    assert (event.event, event.actor, event.note) == (
        "release",
        "ola",
        "Provider outage",
    )
    assert (event.from_status, event.to_status) == (Status.QUARANTINE, Status.VALID)


def test_denylisted_address_needs_a_right_of_its_own():
    row = listed(Status.DENYLISTED)

    refused = let_go(row)
    allowed = let_go(row, may=True)

    assert (refused.released, sum(refused.refused.values())) == (0, 1)
    assert next(iter(refused.refused)).startswith("The address is denylisted")
    assert allowed.released == 1


def test_erased_address_is_never_released():
    row = listed(Status.DENYLISTED, reason=Reason.ERASED)

    result = let_go(row, may=True)

    assert result.released == 0
    assert "its person was erased" in next(iter(result.refused))
    row.refresh_from_db()
    assert row.status == Status.DENYLISTED


@pytest.mark.parametrize("status", [Status.VALID, Status.ALLOWLISTED])
def test_address_that_is_not_held_cannot_be_released(status):
    row = listed(status)

    assert not release.can_release(row, may_release_denylisted=True)
    assert sum(let_go(row).refused.values()) == 1


def test_many_are_released_and_the_others_counted_by_why():
    rows = [listed(status) for status in Status]

    result = let_go(*rows, rows[-1])

    assert result.released == 2
    assert sorted(result.refused.values()) == [1, 2]


def test_a_thousand_addresses_take_few_queries(django_assert_max_num_queries):
    for number in range(1001):
        factories.make_quarantined_address(value=f"p{number}@example.com")

    with django_assert_max_num_queries(40):
        assert let_go(*QuarantinedAddress.objects.all()).released == 1001


def test_release_needs_a_note():
    with pytest.raises(QuarantineError, match="no reason was given"):
        release.release([], by="ola", note=" ", may_release_denylisted=True, now=NOW)
