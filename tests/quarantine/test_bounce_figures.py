from datetime import UTC, date, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from profiles.channels import Channel
from profiles.periods import Period
from quarantine import bounce_figures
from quarantine.bounce_figures import Bounces
from quarantine.models import QuarantineEvent
from quarantine.reasons import Event, Reason, Source, Status

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 29)
# The clock goes forward on this day: it ends at 22:00 UTC.
PERIOD = Period(DAY, DAY, ZoneInfo("Europe/Stockholm"))
NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def bounce(event: Event, **fields: object) -> QuarantineEvent:
    known = {
        "channel": Channel.EMAIL,
        "digest": uuid4(),
        "at": NOON,
        "to_status": Status.ERRONEOUS,
        "reason": Reason.USER_UNKNOWN,
        "source": Source.BOUNCE,
        "domain": "example.com",
    }
    return QuarantineEvent.objects.create(event=event, **(known | fields))


def test_hard_soft_and_idle_errors_are_counted_apart_by_reason():
    bounce(Event.HARD_ERROR, to_status=Status.QUARANTINE)
    bounce(Event.UNSURE_ERROR)
    bounce(Event.ERROR_NOTED)
    bounce(Event.SOFT_ERROR, reason=Reason.MAILBOX_FULL)
    bounce(Event.COMPLAINT, to_status=Status.DENYLISTED)

    report = bounce_figures.report(PERIOD, None)

    assert report.reasons == [
        Bounces("user_unknown", hard=2, soft=0, noted=1, held=1),
        Bounces("mailbox_full", hard=0, soft=1, noted=0, held=0),
    ]
    assert bounce_figures.total(PERIOD) == 4


def test_day_of_the_console_decides_what_belongs_to_it():
    for at in (
        datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 29, 22, tzinfo=UTC),
    ):
        bounce(Event.HARD_ERROR, at=at)

    assert bounce_figures.total(PERIOD) == 2


def test_rare_domains_and_telephones_are_summed_up():
    for number in range(bounce_figures.MOST_DOMAINS):
        bounce(Event.HARD_ERROR, domain=f"d{number:02}.example.com")
        bounce(Event.SOFT_ERROR, domain=f"d{number:02}.example.com")
    bounce(Event.SOFT_ERROR, domain="rare.example.com")
    bounce(Event.HARD_ERROR, domain="", channel=Channel.SMS)

    report = bounce_figures.report(PERIOD, None)

    assert len(report.domains) == 20
    assert report.domains[0] == Bounces("d00.example.com", 1, 1, 0, 0)
    assert report.others == Bounces("", hard=1, soft=1, noted=0, held=0)


def test_channel_leaves_only_its_own_errors():
    bounce(Event.HARD_ERROR)
    bounce(Event.HARD_ERROR, domain="", channel=Channel.SMS)

    report = bounce_figures.report(PERIOD, Channel.SMS)

    assert [row.total for row in report.reasons] == [1]
    assert (report.domains, report.others.hard) == ([], 1)
