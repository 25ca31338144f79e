"""Working through the messages of one part: gate, wire, record.

As many at once as the transport takes abreast, each over a connection of its own; one
after the other in a strict delivery, where a stop waits for what is on the wire.
"""

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

    def owe(self, settling: Sequence[Settlement], part: Part) -> None:
        """Remember what is not recorded yet."""


@dataclass
class PartRun:
    """The messages of one part on their way."""

    owner: Owner
    delivery: Delivery
    part: Part
    composer: Composer
    transport: Transport
    _turn: list[tuple[Leased, Composition]] = field(default_factory=list)
    _pending: list[Settlement] = field(default_factory=list)
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
            if self._has_to_wait(message, gate):
                continue
            if isinstance(made, CompositionError):
                self._fail_unsent(message, str(made))
                continue
            self._turn.append((message, made))
            if len(self._turn) >= self._width and not self._send_turn(gate):
                break
        else:
            self._send_turn(gate)
        self._settle(gate)
        gate.close()
        self._places.leave()
        self._count_sent()
        for due_at, profile_ids in self._deferred.items():
            parts.defer(self.part, profile_ids, due_at=due_at)
        parts.release(self.part, not_before=self._not_before)
        self._rest(len(messages))

    @property
    def _width(self) -> int:
        """Give how many messages go abreast, with what was gathered last among them."""
        is_alone = self.delivery.is_strict or self._places.is_limited
        return 1 if is_alone else self.transport.width

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
        self._send_turn(gate)
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

    def _send_turn(self, gate: Gate) -> bool:
        """Bring those whose turn it is to their end; say whether to go on with more."""
        turn, self._turn = self._turn, []
        if not turn:
            return True
        if self._sent.total() >= _UNCOUNTED:
            self._count_sent()
        trouble = self.transport.ready()
        if trouble is not None:
            self._hold_part(trouble)
            return False
        try:
            with self._strictly(turn):
                passages = self._pass([message for message, _made in turn], gate)
                started = [
                    (message, made, passages[message.profile_id])
                    for message, made in turn
                    if message.profile_id in passages
                    and passages[message.profile_id].may_start
                ]
                outcomes = self.transport.send_all([made for _m, made, _p in started])
        except (GateStuck, in_flight.Stopping):
            return self._send_apart(turn, gate)
        self.owner.tally.excluded += len(passages) - len(started)
        for (message, _made, passage), outcome in zip(started, outcomes, strict=True):
            self._take(outcome, message, passage)
        undecided = [each for each, _made in turn if each.profile_id not in passages]
        if undecided and not self._is_still_sent(undecided):
            return False
        return all(each.kind != OutcomeKind.UNREACHABLE for each in outcomes)

    def _send_apart(self, turn: list[tuple[Leased, Composition]], gate: Gate) -> bool:
        """Send one by one what was stuck together; put off what is stuck alone."""
        if len(turn) == 1:
            self._put_off([message for message, _made in turn])
            return True
        for each in turn:
            self._turn = [each]
            if not self._send_turn(gate):
                return False
        return True

    def _put_off(self, messages: Sequence[Leased]) -> None:
        due_at = timezone.now() + STUCK_FOR
        self._deferred[due_at] += [message.profile_id for message in messages]

    def _pass(self, messages: Sequence[Leased], gate: Gate) -> dict[int, Passage]:
        passages = gate.let_pass(messages, now=timezone.now(), settling=self._pending)
        self._forget()
        return passages

    def _strictly(
        self, turn: Sequence[tuple[Leased, Composition]]
    ) -> AbstractContextManager[None]:
        if not self.delivery.is_strict:
            return nullcontext()
        ((message, _made),) = turn
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
        self._pending.append(
            Settlement(
                message.profile_id,
                passage.number,
                passage.started_at,
                outcome,
                status,
                due_at,
            )
        )
        self.owner.owe(self._pending, self.part)
        self.owner.tally.note(status)

    def _settle(self, gate: Gate) -> None:
        if self._pending:
            gate.settle(self._pending, now=timezone.now())
            self._forget()

    def _count_sent(self) -> None:
        """Count what went to each domain; a crash before loses these counts only."""
        complaint_rates.count_sent(self._sent)
        self._sent.clear()

    def _forget(self) -> None:
        self._pending = []
        self.owner.owe((), self.part)

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

    def _is_still_sent(self, undecided: Sequence[Leased]) -> bool:
        """Find out why the gate decided nothing; go on only if it was the messages."""
        delivery = Delivery.objects.get(pk=self.delivery.pk)
        is_over = delivery.expires_at is None or delivery.expires_at <= timezone.now()
        if delivery.status != DeliveryStatus.SENDING or is_over:
            return False
        self._put_off(undecided)
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
