"""A small world that every report has something to say of."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from delivery.channels.outcomes import OutcomeKind, Phase
from delivery.models import Attempt, Delivery, DomainDay
from optout import preferences, subscriptions
from optout.models import Service
from optout.models.ledger import ConsentSource
from profiles.channels import Channel
from quarantine.models import QuarantineEvent
from quarantine.reasons import Event, Reason, Source, Status
from tests import factories


def make_world(*, label: str = "Spring") -> Delivery:
    """Make a delivery of four, two excluded, sent within four minutes, and after it
    a bounce, an opt-out and a subscription. All happens now."""
    now = timezone.now()
    people = [factories.make_profile() for _number in range(3)]
    factories.make_opt_out(profile=people[0])
    factories.make_profile(email=None)
    delivery = factories.make_analysed_delivery(label=label, now=now)
    Delivery.objects.filter(pk=delivery.pk).update(
        confirmed_at=now - timedelta(minutes=1),
        confirmed_by="bo",
        started_at=now,
        finished_at=now + timedelta(minutes=2),
    )
    for outcome in (OutcomeKind.SENT, OutcomeKind.SENT, OutcomeKind.HARD):
        Attempt.objects.create(
            analysis_id=delivery.current_analysis_id,
            profile_id=people[1].pk,
            number=1,
            slot_id=1,
            started_at=now,
            ended_at=now,
            outcome=outcome,
            phase=Phase.CONTENT,
        )
    make_answers(people[1], delivery)
    return Delivery.objects.get(pk=delivery.pk)


def make_answers(person, delivery: Delivery) -> Service:
    now = timezone.now()
    QuarantineEvent.objects.create(
        channel=Channel.EMAIL,
        digest=uuid4(),
        at=now,
        event=Event.HARD_ERROR,
        to_status=Status.QUARANTINE,
        reason=Reason.USER_UNKNOWN,
        source=Source.BOUNCE,
        domain="example.com",
    )
    DomainDay.objects.get_or_create(
        domain="example.com",
        day=now.date(),
        defaults={"sent": 200, "complaints": 1},
    )
    preferences.opt_out(
        person,
        Channel.EMAIL,
        by="",
        source=ConsentSource.ONE_CLICK,
        delivery_id=delivery.pk,
        now=now,
    )
    service = factories.make_service(label="Garden news")
    subscriptions.subscribe(
        person,
        service,
        by="",
        source=ConsentSource.LANDING_PAGE,
        now=now,
        tells=False,
    )
    return service
