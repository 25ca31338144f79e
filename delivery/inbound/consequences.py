"""What follows from an authentic report: for the address, and for whose it is.

Everything here belongs into the transaction in which the report is marked as read.
Each kind of report counts once for each message, however often it comes.
"""

from datetime import datetime
from typing import Final

from delivery import complaint_rates
from delivery.inbound import identity
from delivery.inbound.identity import Reported
from delivery.models import Inbound, Report, ReportKind
from optout import preferences, stopping
from optout.mail_tokens import MailLink
from optout.models.ledger import ConsentSource
from profiles.addresses import ParsedAddress
from profiles.models import Profile
from quarantine import errors
from quarantine.qualification import Qualification
from quarantine.reasons import Verdict

# What counts against an address; of all else it is innocent.
COUNTED: Final = frozenset(
    {Verdict.HARD, Verdict.UNSURE, Verdict.OWNER_CHANGED, Verdict.SOFT}
)


def bounced(
    reported: Reported,
    found: Qualification,
    *,
    now: datetime,
    happened_at: datetime,
    note: str,
    inbound: Inbound | None,
) -> bool:
    """Count a bounce of a message; says whether it was the first one that counts."""
    if found.verdict not in COUNTED:
        return False
    if not _is_first(reported, ReportKind.BOUNCE, now=now, inbound=inbound):
        return False
    count_error(
        reported.address,
        found,
        now=now,
        happened_at=happened_at,
        note=note,
        label=reported.delivery.label,
        delivery_id=reported.delivery.pk,
    )
    return True


def count_error(
    address: ParsedAddress,
    found: Qualification,
    *,
    now: datetime,
    happened_at: datetime,
    note: str,
    label: str,
    delivery_id: int | None = None,
) -> None:
    """Count an error against an address; where it has a new owner, end all consents."""
    recorded = errors.record(
        address,
        found,
        now=now,
        happened_at=happened_at,
        note=note,
        delivery_label=label,
        delivery_id=delivery_id,
        messages_to=complaint_rates.sent_since,
    )
    if recorded.ends_consent:
        _end_consents(address, delivery_id=delivery_id, now=now)


def _end_consents(
    address: ParsedAddress, *, delivery_id: int | None, now: datetime
) -> None:
    """Opt all who have this address out of its channel: somebody else reads it."""
    carriers = Profile.objects.filter(
        addresses__digest=address.digest, addresses__channel=address.channel
    )
    for profile in carriers.distinct().order_by("pk"):
        preferences.opt_out(
            profile,
            address.channel,
            by="",
            source=ConsentSource.BOUNCE,
            delivery_id=delivery_id,
            now=now,
        )


def delivered(
    reported: Reported,
    *,
    now: datetime,
    happened_at: datetime,
    inbound: Inbound | None,
) -> bool:
    """Let a message that arrived speak for its address, unless it bounced as well."""
    has_bounced = Report.objects.filter(
        analysis_id=reported.analysis_id,
        profile_id=reported.profile_id,
        kind=ReportKind.BOUNCE,
    )
    if has_bounced.exists():
        return False
    if not _is_first(reported, ReportKind.DELIVERED, now=now, inbound=inbound):
        return False
    errors.record_success(
        reported.address,
        now=now,
        happened_at=happened_at,
        delivery_label=reported.delivery.label,
        delivery_id=reported.delivery.pk,
    )
    return True


def complained(
    reported: Reported, *, now: datetime, note: str, inbound: Inbound | None
) -> bool:
    """Denylist the address of a message that its owner called unwanted.

    It counts for the recipient's domain as well, on the day the message was sent.
    """
    if not _is_first(reported, ReportKind.COMPLAINT, now=now, inbound=inbound):
        return False
    errors.record_complaint(
        reported.address,
        now=now,
        note=note,
        delivery_label=reported.delivery.label,
        delivery_id=reported.delivery.pk,
    )
    complaint_rates.count_complaint(
        reported.domain, (reported.sent_at or now).date(), now=now
    )
    return True


def stopped(link: MailLink, *, source: ConsentSource, now: datetime) -> bool:
    """Stop what a token is about; says whether that was news."""
    public = identity.public_link(link, now=now)
    return stopping.stop(public, source=source, language="", now=now) is not None


def _is_first(
    reported: Reported, kind: ReportKind, *, now: datetime, inbound: Inbound | None
) -> bool:
    _row, is_new = Report.objects.get_or_create(
        analysis_id=reported.analysis_id,
        profile_id=reported.profile_id,
        kind=kind,
        defaults={"at": now, "digest": reported.address.digest, "inbound": inbound},
    )
    return is_new
