"""The gate: the last look before a message starts, and the only way to start one.

One statement per message, on the primary, READ COMMITTED, in autocommit. It asks the
one definition of eligibility again, and whether the delivery is still being sent and
the part still ours; it moves the message to `sending` or to `excluded after the
analysis`, and gives back which. Its snapshot is taken when it is issued, so whoever's
opt-out was acknowledged before that is seen. A statement that waits for a row would
decide on an old snapshot: it gives up after 200 ms and is issued anew.

What came of the message before is recorded in the same commit, so that a message costs
one commit, and at most one message of a connection is ever in doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import OperationalError, connection, transaction

from delivery import eligibility, partitions, prepared, settlements
from delivery.channels.outcomes import REFUSALS
from delivery.eligibility import OneMessage
from delivery.models import Delivery, Message, Part
from delivery.parts import Leased
from delivery.prepared import Prepared
from delivery.settlements import Settlement
from delivery.states import DeliveryStatus, MessageStatus

LOCK_TIMEOUT: Final = "200ms"
_TRIES: Final = 50
_LOCK_NOT_AVAILABLE: Final = "55P03"  # SQLSTATE of PostgreSQL
_DEADLOCK: Final = "40P01"


class GateStuck(Exception):
    """Somebody held the row of a message for too long; it was not begun."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What the gate made of a message: it may start, or is excluded.

    `number` counts its attempts from 1; `reasons` is the bit set of an exclusion.
    """

    may_start: bool
    reasons: int
    number: int
    started_at: datetime


_MAY_SEND: Final = (
    " AND EXISTS (SELECT 1 FROM delivery_delivery delivery"
    " WHERE delivery.id = {delivery}"
    f" AND delivery.status = '{DeliveryStatus.SENDING}'"
    " AND delivery.current_analysis_id = message.analysis_id"
    " AND delivery.expires_at > {now})"
    " AND EXISTS (SELECT 1 FROM delivery_part part"
    " WHERE part.id = {part} AND part.slot_id = {slot})"
)
_PASS: Final = (
    "UPDATE {table} AS message SET"
    f" status = CASE WHEN outcome.reasons = 0 THEN {MessageStatus.SENDING:d}"
    f" ELSE {MessageStatus.EXCLUDED_AFTER:d} END, reasons = outcome.reasons,"
    " attempt_count = message.attempt_count"
    " + CASE WHEN outcome.reasons = 0 THEN 1 ELSE 0 END"
    " FROM ({evaluated}) outcome"
    " WHERE message.analysis_id = {analysis} AND message.profile_id = {profile}"
    f" AND message.digest = {{digest}} AND message.status = {MessageStatus.LEASED:d}"
    " AND outcome.profile_id = message.profile_id"
)
_SETTLE: Final = (
    "UPDATE {table} SET status = {status}, due_at = {due_at}"
    " WHERE analysis_id = {analysis} AND profile_id = {settled}"
    f" AND status = {MessageStatus.SENDING:d}"
)
_LOGGED: Final = (
    "analysis_id, profile_id, number, slot_id, started_at, ended_at, outcome, phase,"
    " reply_code, enhanced, code, reply, is_unread"
)
_REFUSALS: Final = ", ".join(f"{kind:d}" for kind in REFUSALS)


class Gate:
    """The gate of one delivery, for one part at a time, on the connection at hand."""

    def __init__(self, delivery: Delivery, part: Part) -> None:
        self.delivery = delivery
        self.part = part
        self._prepared: Prepared | None = None

    def open(self) -> None:
        """Prepare the statement on this connection."""
        if connection.vendor != "postgresql":
            return
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
            cursor.execute("SET plan_cache_mode = force_generic_plan")
        self._prepared = Prepared(self._statement)

    def close(self) -> None:
        """Let go what open() prepared."""
        if self._prepared is not None and connection.is_usable():
            self._prepared.close()
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = DEFAULT")
                cursor.execute("SET plan_cache_mode = DEFAULT")

    def let_pass(
        self, message: Leased, *, now: datetime, settling: Settlement | None = None
    ) -> Passage | None:
        """Ask whether a message may start, recording what came of the one before.

        Go on only with a passage that may start. None when there is nothing to
        decide: the delivery is not being sent any more, its validity is over, or the
        message is not ours. `now` counts on SQLite only. Raises GateStuck.
        """
        for _try in range(_TRIES):
            try:
                return self._decide(message, now=now, settling=settling)
            except OperationalError as error:
                if not _is_wait(error):
                    raise
        raise GateStuck

    def settle(self, settlement: Settlement, *, now: datetime) -> None:
        """Record what came of a message without asking for another one."""
        for _try in range(_TRIES):
            try:
                self._decide(None, now=now, settling=settlement)
                return
            except OperationalError as error:
                if not _is_wait(error):
                    raise
        raise GateStuck

    def _decide(
        self, message: Leased | None, *, now: datetime, settling: Settlement | None
    ) -> Passage | None:
        if connection.vendor == "postgresql":
            return self._decide_on_postgresql(message, settling)
        return self._decide_on_sqlite(message, settling, now=now)

    def _decide_on_postgresql(
        self, message: Leased | None, settling: Settlement | None
    ) -> Passage | None:
        assert self._prepared is not None
        asked = (message.profile_id, message.digest) if message else (None, None)
        values = (*asked, self.part.pk, self.part.slot_id, *_settled(settling))
        row = self._prepared.ask(values)
        if row is None:
            return None
        status, reasons, number, started_at = (each or b"" for each in row)
        moment = prepared.moment_of(started_at)
        return _passage((int(status), int(reasons), int(number), moment))

    def _decide_on_sqlite(
        self, message: Leased | None, settling: Settlement | None, *, now: datetime
    ) -> Passage | None:
        at = connection.ops.adapt_datetimefield_value(now)
        # The transaction begins with the write lock, so it sees all that is committed.
        with transaction.atomic(), connection.cursor() as cursor:
            if settling is not None:
                settlements.record(settling, self.part, now=now)
            if message is None:
                return None
            cursor.execute(
                self._filled(_PASS + _MAY_SEND, _SQLITE_NAMES)
                + " RETURNING status, reasons, attempt_count",
                {
                    "profile": message.profile_id,
                    "digest": message.digest,
                    "part": self.part.pk,
                    "slot": self.part.slot_id,
                    "now": at,
                },
            )
            row = cursor.fetchone()
        return _passage((*row, now)) if row else None

    @property
    def _statement(self) -> str:
        settle = self._filled(_SETTLE, _POSTGRESQL_NAMES)
        passing = self._filled(_PASS + _MAY_SEND, _POSTGRESQL_NAMES)
        return (
            f"WITH settled AS ({settle}), logged AS (INSERT INTO"
            f" delivery_attempt ({_LOGGED}) SELECT {self.part.analysis_id:d},"
            " $5::bigint, $8::smallint, $4::bigint, $9::timestamptz, clock_timestamp(),"
            " $10::smallint, $11::smallint, $12::smallint, $13::text, $14::text,"
            f" $15::text, $10::smallint IN ({_REFUSALS})"
            f" WHERE $5::bigint IS NOT NULL) {passing}"
            " RETURNING message.status, message.reasons, message.attempt_count,"
            " statement_timestamp()"
        )

    def _filled(self, text: str, names: dict[str, str]) -> str:
        one = OneMessage(names["profile"], names["digest"], names["now"])
        is_postgresql = connection.vendor == "postgresql"
        table = partitions.name_of if is_postgresql else _one_table
        return text.format(
            table=table(self.part.analysis_id),
            evaluated=eligibility.evaluated_one(self.delivery, one),
            analysis=f"{self.part.analysis_id:d}",
            delivery=f"{self.delivery.pk:d}",
            **names,
        )


_POSTGRESQL_NAMES: Final = {
    "profile": "$1::bigint",
    "digest": "$2::uuid",
    "part": "$3::bigint",
    "slot": "$4::bigint",
    "settled": "$5::bigint",
    "status": "$6::smallint",
    "due_at": "$7::timestamptz",
    "now": "statement_timestamp()",
}
_SQLITE_NAMES: Final = {
    name: f"%({name})s" for name in ("profile", "digest", "part", "slot", "now")
}


def _one_table(_analysis_id: int) -> str:
    return Message._meta.db_table


def _settled(settling: Settlement | None) -> tuple[Any, ...]:
    if settling is None:
        return (None,) * 11
    outcome = settling.outcome
    return (
        settling.profile_id,
        settling.status.value,
        settling.due_at,
        settling.number,
        settling.started_at,
        outcome.kind.value,
        outcome.phase.value,
        outcome.reply_code,
        outcome.enhanced,
        outcome.code,
        outcome.reply,
    )


def _passage(row: Sequence[Any]) -> Passage:
    status, reasons, number, started_at = row
    return Passage(status == MessageStatus.SENDING, reasons, number, started_at)


def _is_wait(error: OperationalError) -> bool:
    """Say whether a statement gave up waiting: it is to be issued anew."""
    state = getattr(error.__cause__, "sqlstate", None)
    return state in {_LOCK_NOT_AVAILABLE, _DEADLOCK}
