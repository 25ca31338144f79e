"""The people and the delivery of a soak, and what the database says in the end."""

import json
from collections import Counter
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from delivery import analysis, audiences, lifecycle, scheduling
from delivery.channels.outcomes import OutcomeKind
from delivery.lifecycle import DeliveryEvent
from delivery.models import (
    Analysis,
    Attempt,
    Audience,
    Delivery,
    DeliveryContent,
    Message,
)
from delivery.states import DeliveryStatus, MessageStatus
from optout.models import ConsentEvent, OptOut
from profiles.addresses import ParsedAddress, parse
from profiles.channels import Channel
from profiles.models import Address, Profile
from quarantine.models import QuarantinedAddress
from quarantine.reasons import EXCLUDING, Status
from tests.soak.checker import Act, Evidence, Start, Stop, Taken

HTML = (
    "<p>Hello {{ profile.first_name }}</p>"
    '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'
)


def build(count: int, *, is_strict: bool) -> None:
    """Make the tables, people with an address each, and a confirmed delivery."""
    call_command("migrate", verbosity=0)
    Profile.objects.bulk_create(
        [
            Profile(external_id=f"S{n:06}", first_name=f"Person {n}")
            for n in range(count)
        ],
        batch_size=5_000,
    )
    Address.objects.bulk_create(
        [_address(pk) for pk in Profile.objects.values_list("pk", flat=True)],
        batch_size=5_000,
    )
    delivery = Delivery.objects.create(
        label="Soak",
        channel=Channel.EMAIL,
        audience=Audience.objects.create(),
        is_strict=is_strict,
    )
    DeliveryContent.objects.create(delivery=delivery, subject="Soak", html=HTML)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    now = timezone.now()
    analysis.prepare(delivery, by="soak", now=now)
    lifecycle.move(delivery, DeliveryEvent.CONFIRM, contact_at=now)
    scheduling.start(delivery, now=now)
    connection.close()


def _address(profile_id: int) -> Address:
    parsed = identity(profile_id)
    return Address(
        profile_id=profile_id,
        channel=Channel.EMAIL,
        value=parsed.value,
        digest=parsed.digest,
        domain=parsed.domain,
    )


def identity(profile_id: int) -> ParsedAddress:
    """Give the address that a profile was made with."""
    return parse(Channel.EMAIL, f"p{profile_id}@example.com")


def is_finished() -> bool:
    try:
        return Delivery.objects.filter(status=DeliveryStatus.FINISHED).exists()
    except DatabaseError:
        reconnect()
        return False


def reconnect() -> None:
    connection.close()


def gather(folder: Path) -> Evidence:
    """Read the logs, and the database."""
    run = Analysis.objects.earliest("pk")
    messages = Message.objects.filter(analysis=run).values_list("profile_id", "status")
    complained = QuarantinedAddress.objects.filter(status__in=EXCLUDING)
    denylisted = complained.filter(status=Status.DENYLISTED)
    listed = set(complained.values_list("digest", flat=True))
    sent = Attempt.objects.filter(outcome=OutcomeKind.SENT)
    return Evidence(
        starts=[
            Start(*map(int, line.split())) for line in _lines(folder / "starts.log")
        ],
        stops=[Stop(**json.loads(line)) for line in _lines(folder / "stops.jsonl")],
        taken=[_taken(json.loads(line)) for line in _lines(folder / "sink.jsonl")],
        statuses={pk: MessageStatus(status).code for pk, status in messages},
        flags={
            "opt-out": set(OptOut.objects.values_list("profile_id", flat=True)),
            # By digest: who was erased carries no address any more.
            "quarantine": {pk for pk, _ in messages if identity(pk).digest in listed},
        },
        raised=Counter(OptOut.objects.values_list("profile_id", flat=True)),
        ledger=Counter(ConsentEvent.objects.values_list("profile_id", flat=True)),
        acts=[Act(**json.loads(line)) for line in _lines(folder / "acts.jsonl")],
        mailable=mailable(),
        denylisted={str(each) for each in denylisted.values_list("digest", flat=True)},
        attempts=Counter(sent.values_list("profile_id", flat=True)),
    )


def mailable() -> dict[str, int]:
    """Analyse a delivery to everybody: who would be sent to now, by digest."""
    delivery = Delivery.objects.create(
        label="Next", channel=Channel.EMAIL, audience=audiences.everybody()
    )
    run = analysis.prepare(delivery, by="soak", now=timezone.now())
    rows = Message.objects.filter(analysis=run, status=MessageStatus.READY)
    return {str(digest): pk for digest, pk in rows.values_list("digest", "profile_id")}


def _taken(line: dict) -> Taken:
    profile_id = int(line["recipient"].partition("@")[0][1:])
    return Taken(profile_id, line["at"], line["fault"])


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
