"""The people, the stops and the file of a soak of deliveries by file."""

import random
from collections import Counter
from collections.abc import Iterator
from threading import Event

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from delivery import analysis, extraction, lifecycle, scheduling, slots
from delivery.lifecycle import DeliveryEvent
from delivery.models import (
    Audience,
    Delivery,
    DeliveryContent,
    Extraction,
    ExtractionRow,
    Message,
)
from delivery.states import MessageStatus
from optout import preferences
from optout.models.ledger import ConsentSource
from profiles.channels import Channel
from profiles.models import Address, Profile
from profiles.parsing import given_postal


def build(count: int) -> Delivery:
    """Make the tables, people with a postal address, and a delivery that has begun."""
    call_command("migrate", verbosity=0)
    place = {"postcode": "903 20", "city": "Umeå", "country": "SE"}
    Profile.objects.bulk_create(
        Profile(external_id=f"S{n:06}", street=f"Storgatan {n}", **place)
        for n in range(count)
    )
    Address.objects.bulk_create(_address(each, place) for each in Profile.objects.all())
    delivery = Delivery.objects.create(
        label="Soak", channel=Channel.DIRECT_MAIL, audience=Audience.objects.create()
    )
    DeliveryContent.objects.create(delivery=delivery, text="{{ profile.external_id }}")
    now = timezone.now()
    analysis.prepare(delivery, by="soak", now=now)
    lifecycle.move(delivery, DeliveryEvent.CONFIRM, contact_at=now)
    scheduling.start(delivery, now=now)
    return delivery


def _address(profile: Profile, place: dict[str, str]) -> Address:
    given = given_postal({"street": profile.street, **place})
    return Address(
        profile=profile,
        channel=Channel.DIRECT_MAIL,
        value=given.value,
        digest=given.digest,
    )


def rows_written() -> int:
    return ExtractionRow.objects.count()


def is_produced() -> bool:
    return Extraction.objects.filter(produced_at__isnull=False).exists()


def stop_people(count: int, stops: dict[int, object], ended: Event) -> None:
    """Let people stop one after the other, most of them with a row already."""
    lots = random.Random(5)
    everybody = list(Profile.objects.values_list("pk", flat=True))
    try:
        for profile_id in _chosen(lots, everybody, count):
            if ended.is_set():
                return
            preferences.opt_out(
                Profile.objects.get(pk=profile_id),
                Channel.DIRECT_MAIL,
                by="soak",
                source=ConsentSource.OPERATOR,
                now=timezone.now(),
            )
            stops[profile_id] = slots.now()
            ended.wait(0.01)
    finally:
        connection.close()


def _chosen(lots: random.Random, everybody: list[int], count: int) -> Iterator[int]:
    known: set[int] = set()
    for number in range(count):
        rows = ExtractionRow.objects.order_by("-profile_id")
        latest = list(rows.values_list("profile_id", flat=True)[:20])
        among = latest if latest and number % 4 else everybody
        profile_id = lots.choice(among)
        if profile_id not in known:
            known.add(profile_id)
            yield profile_id


def evidence(delivery: Delivery, stops: dict[int, object]) -> dict[str, object]:
    """Hand the file over while people still stop; say what was not kept."""
    first = _handed_over(delivery)
    file = Extraction.objects.get()
    people = Counter(
        int(line.split(",")[0].split("-")[1])
        for line in first.decode("utf-8-sig").splitlines()[1:]
    )
    in_time = {each for each, at in dict(stops).items() if at < file.closed_at}
    everybody = set(Profile.objects.values_list("pk", flat=True))
    sent = Message.objects.filter(status=MessageStatus.SENT)
    stopped_ever = set(preferences.OptOut.objects.values_list("profile_id", flat=True))
    wrong = {
        "stopped": in_time & set(people),
        "twice": {each for each, count in people.items() if count > 1},
        "lost": everybody - set(people) - stopped_ever,
        "unsent": set(people) ^ set(sent.values_list("profile_id", flat=True)),
        "changed": {1} if _handed_over(delivery) != first else set(),
    }
    return {
        "rows": len(people),
        "stopped_in_time": len(in_time),
        "after_production": sum(stops[each] > file.produced_at for each in in_time),
        "broken": sorted(name for name, who in wrong.items() if who),
    }


def _handed_over(delivery: Delivery) -> bytes:
    file = extraction.hand_over(delivery, by="soak", now=timezone.now())
    return b"".join(extraction.content(file))
