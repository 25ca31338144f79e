"""When time alone makes an address valid again, in words of one row and of many.

An erroneous address after QUARANTINE_RESET_DAYS without an error that counts; one whose
mailbox was full after QUARANTINE_MAILBOX_FULL_DAYS, from quarantine as well, so that
mailboxes that were emptied are found out about. Nothing else.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, DateTimeField, F, Q, When
from django.db.models.functions import Coalesce

from quarantine.models import QuarantinedAddress, QuarantinedAddressQuerySet
from quarantine.reasons import Reason, Source, Status
from quarantine.transitions import may_expire

_IS_FULL = Q(reason=Reason.MAILBOX_FULL)
# By whom it was put there decides since when it counts: what a person or a file said
# is as old as that.
_ERROR = Coalesce("last_significant_at", "last_error_at", "updated_at")
_SINCE = Case(
    When(~Q(source=Source.BOUNCE), then=F("updated_at")),
    When(unsure_at__gt=_ERROR, then=F("unsure_at")),
    default=_ERROR,
    output_field=DateTimeField(),
)


def expires_at(row: QuarantinedAddress) -> datetime | None:
    """Say when an address is valid again if nothing else happens; None for never."""
    if row.status not in {Status.ERRONEOUS, Status.QUARANTINE} or not may_expire(row):
        return None
    return _since(row) + _lasts(row.reason)


def expired(*, now: datetime) -> QuarantinedAddressQuerySet:
    """Keep the addresses of which the time is over."""
    full = _IS_FULL & Q(status__in=[Status.ERRONEOUS, Status.QUARANTINE])
    other = ~_IS_FULL & Q(status=Status.ERRONEOUS)
    rows = QuarantinedAddress.objects.alias(since=_SINCE)
    return rows.filter(
        (full & Q(since__lte=now - _lasts(Reason.MAILBOX_FULL)))
        | (other & Q(since__lte=now - _lasts(Reason.NONE)))
    )


def _since(row: QuarantinedAddress) -> datetime:
    if row.source != Source.BOUNCE:
        return row.updated_at
    error_at = row.last_significant_at or row.last_error_at or row.updated_at
    return max(error_at, row.unsure_at or error_at)


def _lasts(reason: str) -> timedelta:
    if reason == Reason.MAILBOX_FULL:
        return timedelta(days=settings.QUARANTINE_MAILBOX_FULL_DAYS)
    return timedelta(days=settings.QUARANTINE_RESET_DAYS)
