"""The numbers of the quarantine are settings, and nonsense is refused."""

import pytest
from django.conf import settings as configured
from django.core.checks import run_checks

from quarantine.checks import RANGES


def found() -> list[str]:
    return [
        f"{each.id} {each.msg}"
        for each in run_checks()
        if (each.id or "").startswith("quarantine.")
    ]


def test_defaults_are_those_of_the_rules():
    assert {name: getattr(configured, name) for name in RANGES} == {
        "QUARANTINE_SOFT_LIMIT": 5,
        "QUARANTINE_SIGNIFICANT_HOURS": 24,
        "QUARANTINE_RESET_DAYS": 10,
        "QUARANTINE_CONFIRM_HOURS": 24,
        "QUARANTINE_MAILBOX_FULL_DAYS": 30,
        "QUARANTINE_REPORT_DAYS": 14,
        "QUARANTINE_OUTAGE_ERRORS": 50,
        "QUARANTINE_OUTAGE_MINUTES": 60,
        "QUARANTINE_OUTAGE_PERCENT": 10,
        "QUARANTINE_OUTAGE_USUAL_PERCENT": 50,
        "QUARANTINE_OUTAGE_QUIET_HOURS": 48,
    }
    assert found() == []


@pytest.mark.parametrize("name", RANGES)
def test_number_outside_its_range_is_refused(name, settings):
    least, most = RANGES[name]
    for value in (least - 1, most + 1):
        setattr(settings, name, value)

        assert (
            f"quarantine.E001 {name} is {value},"
            f" which is not from {least} to {most}." in found()
        )


def test_count_that_could_never_reach_its_limit_is_refused(settings):
    settings.QUARANTINE_RESET_DAYS = 2
    settings.QUARANTINE_SIGNIFICANT_HOURS = 48

    assert found() == [
        "quarantine.E002 QUARANTINE_SIGNIFICANT_HOURS is 48, and the count begins"
        " anew after 2 days: no second error could ever count."
    ]
