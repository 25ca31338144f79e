"""Reports of errors, one after the other, as the tests tell them."""

from datetime import UTC, datetime, timedelta

from profiles.addresses import ParsedAddress, parse
from profiles.channels import Channel
from quarantine import errors
from quarantine.models import QuarantinedAddress
from quarantine.qualification import Qualification
from quarantine.reasons import Reason, Status, Verdict

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA = parse(Channel.EMAIL, "anna@example.com")
DAY = timedelta(days=1)

HARD = Qualification(Verdict.HARD, Reason.USER_UNKNOWN, code="5.1.1")
UNSURE = Qualification(Verdict.UNSURE, Reason.INVALID_DOMAIN, code="5.1.2")
OWNER = Qualification(Verdict.OWNER_CHANGED, Reason.OWNER_CHANGED, code="5.7.17")
SOFT = Qualification(Verdict.SOFT, Reason.UNREACHABLE, code="4.4.7")
FULL = Qualification(Verdict.SOFT, Reason.MAILBOX_FULL, code="4.2.2")
FULL_FOR_GOOD = Qualification(Verdict.SOFT, Reason.MAILBOX_FULL, weight=2, code="5.2.2")


def report(
    qualification: Qualification,
    at: datetime = NOON,
    *,
    parsed: ParsedAddress = ANNA,
    now: datetime | None = None,
    **fields: object,
) -> errors.Recorded:
    """Record that this happened at a time, and was told then or at `now`."""
    return errors.record(parsed, qualification, now=now or at, happened_at=at, **fields)


def delivered(at: datetime, *, now: datetime | None = None) -> errors.Recorded:
    return errors.record_success(ANNA, now=now or at, happened_at=at)


def row() -> QuarantinedAddress:
    return QuarantinedAddress.objects.get(digest=ANNA.digest)


def status() -> Status:
    return Status(row().status)
