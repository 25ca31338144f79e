"""Working through the messages of one part: gate, wire, record, one after the other."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Event
from typing import Final, Protocol

from django.conf import settings
from django.utils import timezone

from delivery import complaint_rates, parts, settlements
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.channels.transport import BY_FILE, Composition, Transport
from delivery.composing import Composer, CompositionError, Fields
from delivery.gate import Gate, GateStuck, Passage
from delivery.lanes import Lanes, domain_of
from delivery.models import Delivery, Part
from delivery.parts import AT_MOST_ONCE, Leased
from delivery.places import Places
from delivery.settlements import Settlement
from delivery.states import DeliveryStatus, MessageStatus
from profiles import in_flight

UNREACHABLE_FOR: Final = timedelta(seconds=30)
STUCK_FOR: Final = timedelta(minutes=1)
COMPOSED_AT_ONCE: Final = 100
# A turn that comes sooner is waited for.
_SHORT: Final = 0.5  # seconds
_REST: Final = 1.0  # seconds
# How many messages may go out before they count for their domain.
_UNCOUNTED: Final = 250


@dataclass
class Tally:
    """What a sender did, as counts; `trouble` is what the server last said."""

    sent: int = 0
    failed: int = 0
    excluded: int = 0
    deferred: int = 0
    trouble: str = ""

    def note(self, status: MessageStatus) -> None:
        """Count what became of a message that was begun."""
        # A row that waits for its file counts as well.
        if status in {MessageStatus.SENT, MessageStatus.SENDING}:
            self.sent += 1
        elif status == MessageStatus.READY:
            self.deferred += 1
        else:
            self.failed += 1


class Owner(Protocol):
    """What a run needs of its sender."""

    stopping: Event
    tally: Tally
    lanes: Lanes

    def owe(self, settlement: Settlement | None, part: Part) -> None:
        """Remember what is not recorded yet."""


@dataclass
class PartRun:
    """The messages of one part on their way."""

    owner: Owner
    delivery: Delivery
    part: Part
    composer: Composer
    transport: Transport
    _pending: Settlement | None = None
    _not_before: datetime | None = None
    _places: Places = field(default_factory=Places)
    _deferred: dict[datetime, list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _sent: Counter[tuple[str, date]] = field(default_factory=Counter)

    def send(self, messages: list[Leased]) -> None:
        """Send the messages of the part, and give it back.

        Ends early when asked to stop, when the delivery is paused or over, and when
        the server is not to be reached.
        """
        recipients = self.composer.recipients(messages)
        gate = Gate(self.delivery, self.part)
        gate.open()
        for message, made in self._composed(messages, recipients):
            if self.owner.stopping.is_set():
                break
            if self._sent.total() >= _UNCOUNTED:
                self._count_sent()
            if self._has_to_wait(message, gate):
                continue
            if isinstance(made, CompositionError):
                self._fail_unsent(message, str(made))
            elif not self._send_one(message, made, gate):
                break
        self._settle(gate)
        gate.close()
        self._places.leave()
        self._count_sent()
        for due_at, profile_ids in self._deferred.items():
            parts.defer(self.part, profile_ids, due_at=due_at)
        parts.release(self.part, not_before=self._not_before)
        self._rest(len(messages))

    def _composed(
        self, messages: Sequence[Leased], recipients: Mapping[int, Fields]
    ) -> Iterator[tuple[Leased, Composition | CompositionError]]:
        """Make messages some at a time: it costs less than half of one by one.

        Between two that are made apart the processor has done so much else that it
        begins anew each time (measured: 95 microseconds in a row, 240 alternating).
        Nothing is decided by it: the gate comes later.
        """
        for start in range(0, len(messages), COMPOSED_AT_ONCE):
            some = messages[start : start + COMPOSED_AT_ONCE]
            yield from [
                (each, self._made(each, recipients.get(each.profile_id, {})))
                for each in some
            ]

    def _made(self, message: Leased, fields: Fields) -> Composition | CompositionError:
        try:
            return self.composer.compose(message, fields)
        except CompositionError as error:
            return error

    def _has_to_wait(self, message: Leased, gate: Gate) -> bool:
        """Keep to the lane of a message: say whether its turn is later than now."""
        domain = domain_of(message.address)
        now = timezone.now()
        until = self.owner.lanes.paused_until(
            domain, now=now, is_marketing=self.composer.content.is_marketing
        ) or self._places.full_until(domain, now=now)
        if until is not None:
            self._deferred[until].append(message.profile_id)
            return True
        seconds = self.owner.lanes.turn_of(domain)
        if seconds <= 0:
            return False
        self._settle(gate)
        if seconds > _SHORT:
            self._deferred[now + timedelta(seconds=seconds)].append(message.profile_id)
            return True
        self.owner.stopping.wait(seconds)
        return False

    def _rest(self, count: int) -> None:
        """Wait a little after a part of which every message had to be put off.

        Else whoever finds no place would go round and round through all parts.
        """
        if count and count == sum(map(len, self._deferred.values())):
            self.owner.stopping.wait(_REST)

    def _send_one(self, message: Leased, composition: Composition, gate: Gate) -> bool:
        """Bring one message to its end; say whether to go on with the next one."""
        trouble = self.transport.ready()
        if trouble is not None:
            self._hold_part(trouble)
            return False
        try:
            with self._strictly(message):
                passage = self._pass(message, gate)
                if passage is None:
                    return self._is_still_sent(message)
                if not passage.may_start:
                    self.owner.tally.excluded += 1
                    return True
                outcome = self.transport.send(composition)
        except (GateStuck, in_flight.Stopping):
            self._deferred[timezone.now() + STUCK_FOR].append(message.profile_id)
            return True
        self._take(outcome, message, passage)
        return outcome.kind != OutcomeKind.UNREACHABLE

    def _pass(self, message: Leased, gate: Gate) -> Passage | None:
        passage = gate.let_pass(message, now=timezone.now(), settling=self._pending)
        self._forget()
        return passage

    def _strictly(self, message: Leased) -> AbstractContextManager[None]:
        if not self.delivery.is_strict:
            return nullcontext()
        return in_flight.sending(message.profile_id, message.digest)

    def _take(self, outcome: Outcome, message: Leased, passage: Passage) -> None:
        now = timezone.now()
        status, due_at = verdict(outcome, self.delivery, number=passage.number, now=now)
        domain = domain_of(message.address)
        if outcome.pauses_lane:
            due_at = self.owner.lanes.pause(domain, now=now)
        elif status == MessageStatus.SENT:
            self.owner.lanes.forgive(domain, now=now)
        if status == MessageStatus.SENT and domain:
            self._sent[domain, passage.started_at.date()] += 1
        if outcome.kind == OutcomeKind.UNREACHABLE:
            self._hold_part(outcome)
        self._pending = Settlement(
            message.profile_id,
            passage.number,
            passage.started_at,
            outcome,
            status,
            due_at,
        )
        self.owner.owe(self._pending, self.part)
        self.owner.tally.note(status)

    def _settle(self, gate: Gate) -> None:
        if self._pending is not None:
            gate.settle(self._pending, now=timezone.now())
            self._forget()

    def _count_sent(self) -> None:
        """Count what went to each domain; a crash before loses these counts only."""
        complaint_rates.count_sent(self._sent)
        self._sent.clear()

    def _forget(self) -> None:
        self._pending = None
        self.owner.owe(None, self.part)

    def _fail_unsent(self, message: Leased, sentence: str) -> None:
        """Record a message that cannot be made: it fails, and nothing was begun."""
        now = timezone.now()
        outcome = Outcome(
            OutcomeKind.REFUSED, Phase.CONNECT, reply=sentence, code="not_rendered"
        )
        settlement = Settlement(
            message.profile_id,
            message.attempt_count + 1,
            now,
            outcome,
            MessageStatus.FAILED,
        )
        settlements.record(settlement, self.part, now=now, before=MessageStatus.LEASED)
        self.owner.tally.note(MessageStatus.FAILED)

    def _hold_part(self, trouble: Outcome) -> None:
        self._not_before = timezone.now() + UNREACHABLE_FOR
        self.owner.tally.trouble = trouble.reply or trouble.code

    def _is_still_sent(self, message: Leased) -> bool:
        """Find out why the gate decided nothing; go on only if it was the message."""
        delivery = Delivery.objects.get(pk=self.delivery.pk)
        is_over = delivery.expires_at is None or delivery.expires_at <= timezone.now()
        if delivery.status != DeliveryStatus.SENDING or is_over:
            return False
        self._deferred[timezone.now() + STUCK_FOR].append(message.profile_id)
        return True


def verdict(
    outcome: Outcome, delivery: Delivery, *, number: int, now: datetime
) -> tuple[MessageStatus, datetime | None]:
    """Give the status that an outcome makes of a message, and when it is due again.

    Only what the server took for good is sent, and a row of a file only with the
    whole file. What may have been taken is tried again where a copy is the lesser
    harm (email), and unknown elsewhere.
    """
    kind = outcome.kind
    if kind == OutcomeKind.SENT and delivery.channel in BY_FILE:
        return MessageStatus.SENDING, None
    if kind == OutcomeKind.SENT:
        return MessageStatus.SENT, None
    if kind == OutcomeKind.AMBIGUOUS and delivery.channel in AT_MOST_ONCE:
        return MessageStatus.UNKNOWN, None
    if kind in {OutcomeKind.HARD, OutcomeKind.REFUSED}:
        return MessageStatus.FAILED, None
    if kind == OutcomeKind.UNREACHABLE:
        return MessageStatus.READY, now + UNREACHABLE_FOR
    delays = settings.RETRY_DELAYS
    return MessageStatus.READY, now + delays[min(number, len(delays)) - 1]
