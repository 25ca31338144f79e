"""Sending: the loop that brings the messages of a part to the gate and onto the wire.

For each message, or for as many as the transport takes abreast, in this order:
1. render it; one that cannot be rendered fails alone, before the gate;
2. see that the server is there, so that a message that starts goes out at once;
3. the gate: it may start, or it is excluded after the analysis (delivery.gate);
4. one transaction with one recipient on a connection of its own;
5. record what came of it, together with the gate of the next ones.

A connection to the database that breaks ends the part: the slot's lock is gone with
it. What was on the wire is recorded through the next connection if nobody took the
part meanwhile; else the message is in doubt, and an email goes out once more.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Final

from django.db import Error as DatabaseError
from django.db import connection

from delivery import extraction, lifecycle, parts, scheduling, settlements, slots
from delivery.channels.transport import Transport
from delivery.composing import Composer, CompositionError, composer_of
from delivery.inbound import refusals
from delivery.lanes import Lanes
from delivery.lifecycle import DeliveryEvent
from delivery.models import Delivery, Part, Slot
from delivery.settlements import Settlement
from delivery.states import DeliveryStatus
from delivery.working import PartRun, Tally

IDLE: Final = 1.0  # seconds between two looks for work
AFTER_TROUBLE: Final = 2.0  # seconds until the database is tried again

logger = logging.getLogger(__name__)


@dataclass
class Sender:
    """Sends what is due over one connection to the database and some to each server.

    `open_transport` gives the transport of a channel.
    """

    open_transport: Callable[[int], Transport]
    stopping: Event = field(default_factory=Event)
    tally: Tally = field(default_factory=Tally)
    slot: Slot | None = None
    lanes: Lanes = field(default_factory=Lanes)
    _unrecorded: tuple[Sequence[Settlement], Part] | None = None
    _transports: dict[int, Transport] = field(default_factory=dict)

    def run(self, *, is_once: bool) -> None:
        """Send until asked to stop, or until nothing is due.

        Outlives a database that goes away, but for `is_once`, which raises what it
        met. The message in hand is always finished.
        """
        try:
            while not self.stopping.is_set():
                if not self._survive(is_once=is_once) and (
                    is_once or self.stopping.wait(IDLE)
                ):
                    break
        finally:
            self._end()

    def work(self) -> bool:
        """Do one round: free what the dead left, begin what is due, send one part.

        Tells whether there was a part to work on.
        """
        if self.slot is None:
            self._begin()
        assert self.slot is not None
        now = slots.now()
        for dead in slots.dead_ones(self.slot):
            count = parts.recover(dead, now=now)
            logger.warning("Slot %s died; %s parts are free again.", dead, count)
        scheduling.start_due(now=now)
        part = parts.lease(self.slot, now=now)
        if part is None:
            scheduling.finish_done(now=now)
            extraction.finish_done(now=now)
            return False
        self._work_on(part, now=now)
        return True

    def transport_of(self, channel: int) -> Transport:
        """Give the transport of a channel, opened the first time."""
        if channel not in self._transports:
            self._transports[channel] = self.open_transport(channel)
        return self._transports[channel]

    def owe(self, settling: Sequence[Settlement], part: Part) -> None:
        """Remember what is not recorded yet, lest a lost connection lose it."""
        self._unrecorded = (settling, part) if settling else None

    def _survive(self, *, is_once: bool) -> bool:
        try:
            return self.work()
        except DatabaseError as error:
            if is_once:
                raise
            logger.warning("The database did not answer: %s", type(error).__name__)
            self.slot = None
            connection.close()
            self.stopping.wait(AFTER_TROUBLE)
            return True

    def _begin(self) -> None:
        self.slot = slots.take()
        if self._unrecorded is not None:
            settling, part = self._unrecorded
            # Only while nobody else took the part of our dead slot.
            if Part.objects.filter(pk=part.pk, slot=part.slot_id).exists():
                for settlement in settling:
                    settlements.record_late(settlement, part, now=slots.now())
            self._unrecorded = None

    def _end(self) -> None:
        if self.slot is not None and connection.is_usable():
            slots.give_back(self.slot)
        self.slot = None
        for transport in self._transports.values():
            transport.close()
        self._transports.clear()

    def _work_on(self, part: Part, *, now: datetime) -> None:
        delivery = Delivery.objects.select_related(
            "service__unsubscribe_page", "content__brand"
        ).get(current_analysis=part.analysis_id)
        over = scheduling.is_over(delivery, now=now)
        if over is not None:
            parts.close(part, over)
            return
        composer = self._composer(delivery)
        if composer is None or delivery.status != DeliveryStatus.SENDING:
            parts.release(part)
            return
        run = PartRun(
            self, delivery, part, composer, self.transport_of(delivery.channel)
        )
        run.send(parts.lease_messages(part, now=now))
        refusals.read_refusals(slots.now(), limit=parts.MESSAGES_PER_PART)

    def _composer(self, delivery: Delivery) -> Composer | None:
        """Prepare the content; a delivery whose content cannot be fails as a whole."""
        try:
            return composer_of(delivery)
        except CompositionError as error:
            lifecycle.try_to_move(delivery, DeliveryEvent.FAIL, stop_note=str(error))
            return None
