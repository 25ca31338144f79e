"""System checks of the numbers that decide when an address is quarantined."""

from collections.abc import Sequence
from typing import Any, Final

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

# (least, most) of each setting.
RANGES: Final = {
    "QUARANTINE_SOFT_LIMIT": (1, 100),
    "QUARANTINE_SIGNIFICANT_HOURS": (1, 7 * 24),
    "QUARANTINE_RESET_DAYS": (1, 365),
    "QUARANTINE_CONFIRM_HOURS": (1, 30 * 24),
    "QUARANTINE_MAILBOX_FULL_DAYS": (1, 730),
    "QUARANTINE_REPORT_DAYS": (1, 365),
    "QUARANTINE_OUTAGE_ERRORS": (2, 1_000_000),
    "QUARANTINE_OUTAGE_MINUTES": (1, 24 * 60),
    "QUARANTINE_OUTAGE_PERCENT": (1, 100),
    "QUARANTINE_OUTAGE_USUAL_PERCENT": (1, 100),
    "QUARANTINE_OUTAGE_QUIET_HOURS": (1, 90 * 24),
}


@register()
def check_numbers(
    *, app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """quarantine.E001: a number is outside of what makes sense.

    quarantine.E002: no address could ever reach the limit of soft errors.
    """
    errors: list[CheckMessage] = [
        Error(
            f"{name} is {value}, which is not from {least} to {most}.",
            hint=f"Give {name} a whole number from {least} to {most}.",
            id="quarantine.E001",
        )
        for name, (least, most) in RANGES.items()
        if not least <= (value := getattr(settings, name)) <= most
    ]
    gap, days = settings.QUARANTINE_SIGNIFICANT_HOURS, settings.QUARANTINE_RESET_DAYS
    if gap >= 24 * days:
        errors.append(
            Error(
                f"QUARANTINE_SIGNIFICANT_HOURS is {gap}, and the count begins anew"
                f" after {days} days: no second error could ever count.",
                hint="Make it shorter than QUARANTINE_RESET_DAYS.",
                id="quarantine.E002",
            )
        )
    return errors
