"""Example data: what a new installation shows before it has people of its own.

1. Two made-up files are imported, as an operator would do it.
2. A domain is blocked and a few people change their minds.
3. People subscribe to two services, and landing pages are made for them.
4. Deliveries are made, and all but one analysed.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.utils.translation import gettext as _

from delivery import analysis, audiences, example_files, example_services
from delivery.models import Audience, Delivery
from optout import importing, preferences
from optout.models import Service
from optout.models.ledger import ConsentReason, ConsentSource
from profiles.channels import Channel
from profiles.models import Profile
from quarantine import importing as quarantine_importing
from quarantine.models import BlockedDomain, QuarantinedAddress

LOADED_BY = "example data"


class ExampleError(ValueError):
    """The example data cannot be loaded."""


@dataclass(frozen=True)
class Example:
    """What was loaded."""

    profiles: int
    quarantined: int
    deliveries: int


def load(*, now: datetime) -> Example:
    """Load the example data into a database without profiles.

    Raises ExampleError, with a sentence, when there are profiles.
    """
    check_can_load()
    import_files(now=now)
    block_a_domain(now=now)
    change_minds(now=now)
    services = example_services.make_services(now=now)
    example_services.make_pages(services, now=now)
    make_deliveries(services[0], now=now)
    return Example(
        profiles=Profile.objects.count(),
        quarantined=QuarantinedAddress.objects.count(),
        deliveries=Delivery.objects.count(),
    )


def can_load() -> bool:
    return not Profile.objects.exists()


def check_can_load() -> None:
    """Raise ExampleError unless the database has no profiles."""
    if not can_load():
        raise ExampleError(
            _(
                "The example data cannot be loaded: the database has profiles already,"
                " and made-up people do not belong among them. Name an empty one in"
                " DATABASE_URL."
            )
        )


def import_files(*, now: datetime) -> None:
    with TemporaryDirectory(prefix="campaign-example-") as folder:
        profiles, quarantined = (
            Path(folder, "people.csv"),
            Path(folder, "quarantine.csv"),
        )
        example_files.write_profiles(profiles)
        example_files.write_quarantine(quarantined)
        importing.import_profiles(profiles, by=LOADED_BY, now=now)
        quarantine_importing.import_file(quarantined, by=LOADED_BY, now=now)


def block_a_domain(*, now: datetime) -> None:
    BlockedDomain.objects.create(
        domain=example_files.BLOCKED_DOMAIN,
        note=_("This provider closed; its mailboxes are gone."),
        created_by=LOADED_BY,
        created_at=now,
    )


def change_minds(*, now: datetime) -> None:
    """Let a few people opt out with an operator, so that histories have something."""
    people = Profile.objects.filter(opt_outs=None).order_by("external_id")[:6]
    for number, profile in enumerate(people):
        preferences.opt_out(
            profile,
            Channel.SMS if number % 2 else Channel.EMAIL,
            by=LOADED_BY,
            source=ConsentSource.OPERATOR,
            reason=ConsentReason.ASKED_BY_PHONE,
            note=_("Called and asked not to be written to any more."),
            now=now,
        )


def make_deliveries(news: Service, *, now: datetime) -> None:
    in_malmo = [audiences.Condition("city", "equals", "Malmö")]
    gold = [audiences.Condition("attributes.level", "equals", "gold")]
    evening = [f"EX-{number:05}" for number in range(1, 2_000, 40)]
    spring = make(_("Spring offers"), Channel.EMAIL, audiences.everybody(), now=now)
    opening = make(
        _("Store opening in Malmö"),
        Channel.SMS,
        audiences.of_conditions(in_malmo),
        now=now,
    )
    catalogue = make(
        _("Catalogue for gold members"),
        Channel.DIRECT_MAIL,
        audiences.of_conditions(gold),
        now=now,
    )
    make(
        _("Members’ evening"),
        Channel.EMAIL,
        audiences.of_external_ids(evening),
        now=now,
    )
    monthly = make(_("Monthly news"), Channel.EMAIL, audiences.everybody(), now=now)
    monthly.service = news
    monthly.save(update_fields=["service"])
    for delivery in (monthly, spring, opening, catalogue):
        analysis.prepare(delivery, by=LOADED_BY, now=now)


def make(
    label: str, channel: Channel, audience: Audience, *, now: datetime
) -> Delivery:
    return Delivery.objects.create(
        label=label, channel=channel, audience=audience, created_at=now
    )
