"""What happens to an address next if nobody does anything, in sentences."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from quarantine import expiry, outages
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Reason, Status


def outlook(row: QuarantinedAddress) -> list[str]:
    """Say what becomes of an address: by time, and by another error."""
    sentences = {
        Status.VALID: _of_valid,
        Status.ALLOWLISTED: _of_allowlisted,
        Status.ERRONEOUS: _of_erroneous,
        Status.QUARANTINE: _of_quarantined,
        Status.DENYLISTED: _of_denylisted,
    }[Status(row.status)](row)
    return [sentence for sentence in sentences if sentence]


def _of_valid(row: QuarantinedAddress) -> list[str]:
    return [_("Deliveries may write to it."), _of_first_error(row)]


def _of_allowlisted(row: QuarantinedAddress) -> list[str]:
    return [
        _("Deliveries may write to it, and bounces do not change that."),
        _("A complaint or STOP denylists it."),
    ]


def _of_erroneous(row: QuarantinedAddress) -> list[str]:
    at = expiry.expires_at(row)
    left = max(settings.QUARANTINE_SOFT_LIMIT - row.significant_error_count, 1)
    hours = settings.QUARANTINE_SIGNIFICANT_HOURS
    return [
        _("Deliveries may write to it."),
        _("Valid again on %(day)s if nothing else happens.") % {"day": _day(at)},
        ngettext(
            "Quarantined after %(count)s more significant error, or one hard error.",
            "Quarantined after %(count)s more significant errors, one in %(hours)s"
            " hours at most, or one hard error.",
            left,
        )
        % {"count": left, "hours": hours},
        _of_first_error(row),
    ]


def _of_quarantined(row: QuarantinedAddress) -> list[str]:
    excluded = _("No delivery writes to it.")
    if row.is_provisional and row.batch is not None:
        return [
            excluded,
            _(
                "Provisional: many addresses of %(domain)s failed together. Definite"
                " on %(day)s, unless somebody discards the outage before."
            )
            % {"domain": row.domain, "day": _day(outages.definite_at(row.batch))},
        ]
    at = expiry.expires_at(row)
    if at is not None:
        day = {"day": _day(at)}
        return [excluded, _("Released on %(day)s if nothing else happens.") % day]
    return [excluded, _("Stays so until somebody releases it.")]


def _of_denylisted(row: QuarantinedAddress) -> list[str]:
    excluded = _("No delivery writes to it.")
    if row.reason == Reason.ERASED:
        return [excluded, _("Stays so for ever: its person was erased.")]
    return [
        excluded,
        _("Stays so until somebody with the right to it releases the address."),
    ]


def _of_first_error(row: QuarantinedAddress) -> str:
    if row.unsure_at is None:
        return ""
    at = row.unsure_at + timedelta(hours=settings.QUARANTINE_CONFIRM_HOURS)
    return _(
        "An error that may have been an outage of the host is remembered: another one"
        " after %(day)s quarantines the address, unless a delivery succeeds before."
    ) % {"day": _moment(at)}


def _day(at: datetime | None) -> str:
    return formats.date_format(timezone.localtime(at), "j F Y") if at else ""


def _moment(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "j F Y H:i")
