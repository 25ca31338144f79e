"""What tests of merging start from: two profiles of one person, and what they chose."""

from datetime import UTC, datetime, timedelta

from delivery import merging
from optout import preferences
from optout.models import OptOut
from optout.models.ledger import ConsentSource
from profiles.models import Address, Profile

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def merge(keep: Profile, lose: Profile) -> Profile:
    return merging.merge(keep, lose, by="ola", reason="One person, letter 9", now=NOW)


def opt_out(profile: Profile, channel: int, now: datetime = NOW - DAY) -> None:
    preferences.opt_out(
        profile, channel, by="ola", source=ConsentSource.OPERATOR, now=now
    )


def flags(profile: Profile) -> list[int]:
    rows = OptOut.objects.filter(profile=profile).order_by("channel")
    return list(rows.values_list("channel", flat=True))


def addresses(profile: Profile) -> list[tuple[str, bool]]:
    rows = Address.objects.filter(profile=profile).order_by("channel", "value")
    return list(rows.values_list("value", "is_preferred"))
