"""Many addresses of one domain that fail within minutes, as in an outage."""

from datetime import datetime, timedelta

from profiles.addresses import ParsedAddress, parse
from profiles.channels import Channel
from quarantine import outages
from quarantine.models import QuarantinedAddress
from quarantine.qualification import Qualification
from tests.quarantine.reports import HARD, NOON, report

# What the tests call many, instead of fifty.
MANY = 5


def person(number: int, domain: str = "example.net") -> ParsedAddress:
    return parse(Channel.EMAIL, f"person{number}@{domain}")


def fail(
    numbers: range,
    at: datetime = NOON,
    *,
    domain: str = "example.net",
    qualification: Qualification = HARD,
    messages_to: outages.MessagesTo | None = None,
) -> None:
    """Let people fail one minute after the other."""
    for place, number in enumerate(numbers):
        report(
            qualification,
            at + timedelta(minutes=place),
            parsed=person(number, domain),
            messages_to=messages_to,
        )


def states(domain: str = "example.net") -> set[tuple[int, bool]]:
    rows = QuarantinedAddress.objects.filter(domain=domain)
    return set(rows.values_list("status", "is_provisional"))
