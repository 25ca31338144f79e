"""What tests of sending start from: a delivery that is being sent, and a wire."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils import timezone

from delivery import analysis, lifecycle, parts, scheduling, slots
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.channels.transport import Composition, Transport
from delivery.gate import Gate
from delivery.lifecycle import DeliveryEvent
from delivery.models import Delivery, DeliveryContent, Message, Part
from delivery.parts import Leased
from delivery.sending import Sender
from delivery.states import MessageStatus
from delivery.transports import open_transport
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories

SENT = Outcome(OutcomeKind.SENT, Phase.CONTENT, 250, reply="2.0.0 Ok")
HTML = (
    "<p>Hello {{ profile.first_name }}</p>"
    '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'
)


@dataclass
class Wire(Transport):
    """A transport that keeps what it was given, and answers what it is told to."""

    outcome: Outcome = SENT
    trouble: Outcome | None = None
    before_each: Callable[[Composition], None] | None = None
    taken: list[Composition] = field(default_factory=list)

    def ready(self) -> Outcome | None:
        return self.trouble

    def send(self, message: Composition) -> Outcome:
        if self.before_each is not None:
            self.before_each(message)
        self.taken.append(message)
        return self.outcome

    def close(self) -> None:
        pass

    @property
    def recipients(self) -> list[str]:
        return [each.recipient for each in self.taken]


def make_confirmed(
    *,
    channel: Channel = Channel.EMAIL,
    html: str = HTML,
    text: str = "",
    columns: str = "",
    **fields,
) -> Delivery:
    """Make a delivery to everybody that is analysed and confirmed as of now."""
    delivery = factories.make_delivery(channel=channel, **fields)
    DeliveryContent.objects.create(
        delivery=delivery, subject="Spring", html=html, text=text, columns=columns
    )
    now = timezone.now()
    analysis.prepare(delivery, by="tests", now=now)
    contact_at = delivery.contact_at or now
    lifecycle.move(delivery, DeliveryEvent.CONFIRM, contact_at=contact_at)
    delivery.refresh_from_db()
    return delivery


def make_sending(**fields) -> Delivery:
    """Make a delivery to everybody that has begun."""
    delivery = make_confirmed(**fields)
    scheduling.start(delivery, now=timezone.now())
    delivery.refresh_from_db()
    return delivery


def leased(delivery: Delivery) -> tuple[Gate, Part, dict[int, Leased]]:
    """Lease the first part of a delivery: its gate, and its messages by profile id."""
    slot = slots.take()
    now = timezone.now()
    part = parts.lease(slot, now=now)
    assert part is not None
    messages = parts.lease_messages(part, now=now)
    gate = Gate(delivery, part)
    gate.open()
    return gate, part, {message.profile_id: message for message in messages}


def send_once(wire: Wire) -> Sender:
    """Send all that is due over a wire."""
    sender = Sender(lambda channel: wire)
    sender.run(is_once=True)
    return sender


def status_of(delivery: Delivery, profile: Profile) -> MessageStatus:
    message = Message.objects.get(
        analysis_id=delivery.current_analysis_id, profile_id=profile.pk
    )
    return MessageStatus(message.status)


def send_once_by_settings() -> Sender:
    """Send all that is due over the transports of the settings."""
    sender = Sender(open_transport)
    sender.run(is_once=True)
    return sender


def make_people(count: int) -> list[Profile]:
    return [factories.make_profile(email=f"p{n}@example.com") for n in range(count)]


def counts(delivery: Delivery) -> dict[MessageStatus, int]:
    found: dict[MessageStatus, int] = {}
    for status in Message.objects.filter(
        analysis_id=delivery.current_analysis_id
    ).values_list("status", flat=True):
        found[MessageStatus(status)] = found.get(MessageStatus(status), 0) + 1
    return found
