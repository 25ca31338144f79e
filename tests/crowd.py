"""A console with much in it: every list is longer than its page, every name is long."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db.models import Model

from delivery import analysis
from delivery.models import (
    Attempt,
    Audience,
    ConsoleAction,
    Delivery,
    HoldLevel,
    Inbound,
    InboundKind,
    InboundState,
    Lane,
    LaneHold,
    Message,
    TriageItem,
)
from delivery.states import MessageStatus
from optout import page_defaults, pages
from optout.models import (
    Brand,
    Burst,
    ConsentEvent,
    OptOut,
    Service,
    ServiceText,
    StopRequest,
    Subscription,
    Upload,
)
from optout.models.ledger import ConsentSource, Direction
from optout.models.pages import PageType
from optout.models.uploads import UploadKind, UploadStatus
from profiles.addresses import parse
from profiles.channels import Channel
from profiles.models import Address, Profile
from quarantine.models import (
    BatchState,
    BlockedDomain,
    QuarantineBatch,
    QuarantinedAddress,
    QuarantineEvent,
)
from quarantine.reasons import Event, Reason, Source, Status

# More than a page of any list, the longest of which has a hundred lines.
MANY = 120
LONG = "Anna-Karin Åsa Wilhelmina von und zu Donaudampfschifffahrtsgesellschaft"
NUMBERS = range(MANY)


def make_crowd(world: dict[str, int | str], *, now: datetime) -> None:
    """Fill every list, and everything that pages of `world` show of one thing."""
    user = User.objects.get(pk=world["id"])
    _make_people(now)
    _make_quarantine(world, now)
    _make_consent(world, now)
    _make_deliveries(world, user, now)
    _make_inbound(now)
    _make_landing_pages(world, now)
    _make_accounts_and_files(user, now)


def _make(rows: Iterable[Model]) -> None:
    made = list(rows)
    type(made[0])._default_manager.bulk_create(made)


def _long_address(number: int) -> str:
    return f"anna.karin.wilhelmina.von.und.zu.{number}@a-long-department.example.com"


def _make_people(now: datetime) -> None:
    _make(
        Profile(
            external_id=f"{LONG} {number}",
            first_name=LONG,
            last_name=f"{LONG} {number}",
            city=LONG,
            attributes={f"attribute {each}": LONG for each in range(20)},
            created_at=now,
        )
        for number in NUMBERS
    )
    people = Profile.objects.filter(first_name=LONG)
    addresses = []
    for number, person in enumerate(people):
        known = parse(Channel.EMAIL, _long_address(number))
        fields: dict[str, Any] = {"profile": person, "channel": Channel.EMAIL}
        addresses.append(
            Address(**fields, value=known.value, digest=known.digest, domain="x.com")
        )
        addresses += [
            Address(
                **fields,
                value=f"{each}.{known.value}",
                digest=uuid4(),
                is_preferred=False,
            )
            for each in range(3)
        ]
    _make(addresses)


def _make_quarantine(world: dict[str, int | str], now: datetime) -> None:
    emails = Address.objects.filter(channel=Channel.EMAIL, is_preferred=True)
    held = QuarantineBatch.objects.get(pk=world["batch_id"])
    _make(
        QuarantinedAddress(
            channel=Channel.EMAIL,
            digest=each.digest,
            address=each.value,
            domain=f"{number}.a-long-department.example.com",
            status=Status.QUARANTINE,
            reason=Reason.USER_UNKNOWN,
            error_text=f"550 5.1.1 {LONG}",
            source=Source.BOUNCE,
            last_error_at=now,
            is_provisional=number % 2 == 0,
            batch=held if number % 2 == 0 else None,
        )
        for number, each in enumerate(emails.filter(profile__first_name=LONG))
    )
    one = QuarantinedAddress.objects.get(pk=world["address_id"])
    # Addresses of one person, and the same one often.
    digests = [one.digest, *emails.values_list("digest", flat=True)[:2]]
    _make(
        QuarantineEvent(
            channel=Channel.EMAIL,
            digest=digest,
            at=now - timedelta(days=number),
            event=Event.SOFT_ERROR,
            to_status=Status.ERRONEOUS,
            reason=Reason.MAILBOX_FULL,
            source=Source.BOUNCE,
            note=f"452 4.2.2 {LONG}",
            domain=f"{number}.a-long-department.example.com",
            code=f"4.2.{number}",
            delivery_id=number,
            delivery_label=LONG,
        )
        for number in NUMBERS
        for digest in digests
    )
    _make(
        BlockedDomain(domain=f"{number}.{'long.' * 20}example.org", note=LONG)
        for number in NUMBERS
    )
    _make(
        QuarantineBatch(
            channel=Channel.EMAIL,
            domain=f"{number}.{'long.' * 20}example.org",
            began_at=now - timedelta(days=number),
            ended_at=now,
            state=BatchState.OPEN if number % 2 else BatchState.CONFIRMED,
            count=number,
            note=LONG,
        )
        for number in NUMBERS
    )


def _make_consent(world: dict[str, int | str], now: datetime) -> None:
    person = Profile.objects.get(pk=world["profile_id"])
    _make(
        Service(name=f"many-{number}", label=f"{LONG} {number}", channel=0)
        for number in NUMBERS
    )
    services = Service.objects.filter(name__startswith="many-")
    _make(
        ServiceText(service=each, language="en", public_name=LONG) for each in services
    )
    known = {"subscribed_at": now, "source": ConsentSource.IMPORT}
    # Half of them: nobody subscribes to more than sixty.
    half = services[: MANY // 2]
    _make(Subscription(profile=person, service=each, **known) for each in half)
    _make(
        Subscription(profile=each, service_id=world["service_id"], **known)
        for each in Profile.objects.filter(first_name=LONG)
    )
    _make(OptOut(profile=each, channel=0) for each in Profile.objects.all()[:20])
    _make(
        ConsentEvent(
            at=now - timedelta(hours=number),
            profile_id=person.pk,
            direction=Direction.OUT if number % 2 else Direction.IN,
            channel=None if number % 3 else Channel.EMAIL,
            service_id=services[0].pk + number if number % 3 else None,
            source=ConsentSource.LANDING_PAGE,
            delivery_id=world["delivery_id"],
            actor=LONG,
        )
        for number in NUMBERS
    )
    _make(
        Burst(
            delivery_id=1000 + number,
            began_at=now - timedelta(days=number),
            ended_at=now,
            count=number,
        )
        for number in NUMBERS
    )
    numbers = Address.objects.values_list("digest", flat=True)[:MANY]
    _make(StopRequest(channel=Channel.EMAIL, digest=each) for each in numbers)


def _make_deliveries(world: dict[str, int | str], user: User, now: datetime) -> None:
    _make(Audience() for _ in NUMBERS)
    audiences = Audience.objects.filter(delivery=None)
    _make(
        Delivery(
            label=f"{LONG} {number}", channel=0, audience=audience, created_by=user
        )
        for number, audience in enumerate(audiences)
    )
    for each in Delivery.objects.filter(label__startswith=LONG)[:10]:
        analysis.prepare(each, by=LONG, now=now)
    delivery = Delivery.objects.get(pk=world["delivery_id"])
    Delivery.objects.filter(pk=delivery.pk).update(label=LONG, started_at=now)
    for _ in range(3):
        delivery.refresh_from_db()
        analysis.prepare(delivery, by=LONG, now=now)
    row = Message.objects.filter(
        analysis_id=delivery.current_analysis_id, profile_id=world["profile_id"]
    )
    row.update(status=MessageStatus.FAILED, attempt_count=MANY)
    _make(
        Attempt(
            analysis_id=delivery.current_analysis_id,
            profile_id=world["profile_id"],
            number=number,
            slot_id=1,
            started_at=now,
            ended_at=now,
            outcome=1,
            phase=1,
            reply=f"452 4.2.2 {LONG}",
        )
        for number in NUMBERS
    )
    _make(
        LaneHold(
            domain=f"{number}.{'long.' * 20}example.org",
            level=HoldLevel.STOPPED,
            since=now,
            day=now.date(),
            sent=1000,
            complaints=9,
        )
        for number in NUMBERS
    )
    _make(
        Lane(
            domain=f"{number}.{'long.' * 20}example.org",
            paused_until=now + timedelta(days=1),
        )
        for number in NUMBERS
    )


def _make_inbound(now: datetime) -> None:
    delivery = Delivery.objects.latest("pk")
    people = Profile.objects.filter(first_name=LONG).prefetch_related("addresses")
    _make(
        Inbound(
            kind=InboundKind.MAIL,
            source="mailbox",
            key=f"many {number}",
            raw=f"From: anna@example.com\n\n{LONG * 20}".encode(),
            received_at=now,
            state=InboundState.TRIAGE,
            meaning="reply",
            delivery_id=delivery.pk,
            profile_id=people[number].pk if number % 2 else None,
            digest=people[number].addresses.all()[0].digest,
            note=LONG,
        )
        for number in NUMBERS
    )
    come = Inbound.objects.filter(key__startswith="many ")
    items = [TriageItem(inbound=each, added_at=now, due_at=now) for each in come]
    for each in items[:10]:
        each.closed_at, each.closed_by, each.decision = now, LONG, "nothing"
    for each in items:
        each.is_suspected_stop = False
    _make(items)


def _make_landing_pages(world: dict[str, int | str], now: datetime) -> None:
    _make(Brand(name=f"{LONG} {number}", sender_name=LONG) for number in NUMBERS)
    brand = Brand.objects.latest("pk")
    content = page_defaults.content(PageType.PREFERENCES, "en")
    for number in NUMBERS:
        page = pages.create(
            f"{LONG} {number}", PageType.PREFERENCES, by=LONG, now=now, brand=brand
        )
        pages.edit_draft(page, content, by=LONG, now=now)


def _make_accounts_and_files(user: User, now: datetime) -> None:
    _make(User(username=f"{LONG} {number}".replace(" ", "-")) for number in NUMBERS)
    _make(
        Upload(
            kind=UploadKind.PROFILES,
            file_name=f"{LONG} {number}.csv",
            status=UploadStatus.FAILED,
            error=LONG,
            created_by=user,
        )
        for number in NUMBERS
    )
    _make(
        ConsoleAction(
            at=now,
            actor=LONG,
            actor_id=user.pk,
            action="quarantine_release",
            outcome="done",
            about={f"thing {each}_id": 10**9 for each in range(5)},
            network="192.0.2.0/24",
        )
        for _ in NUMBERS
    )
