"""The gate: the last look before a message starts, and the only way to start one.

One statement on the primary, READ COMMITTED, in autocommit, for the messages that go
out right after it, one over each connection to the mail server. It asks the one
definition of eligibility again for each of them, and whether the delivery is still
being sent and the part still ours; it moves each message to `sending` or to `excluded
after the analysis`, and gives back which. Its snapshot is taken when it is issued, so
whoever's opt-out was acknowledged before that is seen. A statement that waits for a row
would decide on an old snapshot: it gives up after 200 ms and is issued anew.

What came of the messages before is recorded in the same commit, so that they cost one
commit, and at most one message of a connection is ever in doubt.
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
    " FROM {asked}({evaluated}) outcome"
    " WHERE message.analysis_id = {analysis} AND message.profile_id = {profile}"
    f" AND message.digest = {{digest}} AND message.status = {MessageStatus.LEASED:d}"
    " AND outcome.profile_id = {profile}"
)
_SETTLED: Final = (
    "UPDATE {table} AS begun SET status = done.status, due_at = done.due_at FROM done"
    " WHERE begun.analysis_id = {analysis} AND begun.profile_id = done.profile_id"
    f" AND begun.status = {MessageStatus.SENDING:d}"
)
# What came of a message, in the order of _columns(), with its types.
_DONE: Final = (
    ("profile_id", "bigint"),
    ("status", "smallint"),
    ("due_at", "timestamptz"),
    ("number", "smallint"),
    ("started_at", "timestamptz"),
    ("outcome", "smallint"),
    ("phase", "smallint"),
    ("reply_code", "smallint"),
    ("enhanced", "text"),
    ("code", "text"),
    ("reply", "text"),
)
_FIRST_DONE: Final = 5  # the number of its first parameter
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
        self,
        messages: Sequence[Leased],
        *,
        now: datetime,
        settling: Sequence[Settlement] = (),
    ) -> dict[int, Passage]:
        """Ask which messages may start, recording what came of those before.

        Gives passages by profile id; go on only with one that may start. None for a
        message of which there is nothing to decide: the delivery is not being sent any
        more, its validity is over, or the message is not ours. `now` counts on SQLite
        only. Raises GateStuck: then nothing was begun, and nothing recorded.
        """
        for _try in range(_TRIES):
            try:
                return self._decide(messages, now=now, settling=settling)
            except OperationalError as error:
                if not _is_wait(error):
                    raise
        raise GateStuck

    def settle(self, settling: Sequence[Settlement], *, now: datetime) -> None:
        """Record what came of messages without asking for others. Raises GateStuck."""
        self.let_pass((), now=now, settling=settling)

    def _decide(
        self,
        messages: Sequence[Leased],
        *,
        now: datetime,
        settling: Sequence[Settlement],
    ) -> dict[int, Passage]:
        if connection.vendor == "postgresql":
            return self._decide_on_postgresql(messages, settling)
        return self._decide_on_sqlite(messages, settling, now=now)

    def _decide_on_postgresql(
        self, messages: Sequence[Leased], settling: Sequence[Settlement]
    ) -> dict[int, Passage]:
        assert self._prepared is not None
        values = (
            [message.profile_id for message in messages],
            [message.digest for message in messages],
            self.part.pk,
            self.part.slot_id,
            *_columns(settling),
        )
        return {
            int(profile_id): Passage(
                int(status) == MessageStatus.SENDING,
                int(reasons),
                int(number),
                prepared.moment_of(started_at),
            )
            for profile_id, status, reasons, number, started_at in self._prepared.ask(
                values
            )
        }

    def _decide_on_sqlite(
        self,
        messages: Sequence[Leased],
        settling: Sequence[Settlement],
        *,
        now: datetime,
    ) -> dict[int, Passage]:
        passages = {}
        # The transaction begins with the write lock, so it sees all that is committed.
        with transaction.atomic(), connection.cursor() as cursor:
            for settlement in settling:
                settlements.record(settlement, self.part, now=now)
            asking = self._filled(_PASS + _MAY_SEND, _SQLITE_NAMES) if messages else ""
            for message in messages:
                cursor.execute(
                    f"{asking} RETURNING status, reasons, attempt_count",
                    {
                        "profile": message.profile_id,
                        "digest": message.digest,
                        "part": self.part.pk,
                        "slot": self.part.slot_id,
                        "now": connection.ops.adapt_datetimefield_value(now),
                    },
                )
                for status, reasons, number in cursor.fetchall():
                    may_start = status == MessageStatus.SENDING
                    passage = Passage(may_start, reasons, number, now)
                    passages[message.profile_id] = passage
        return passages

    @property
    def _statement(self) -> str:
        arrays = ", ".join(
            f"${number}::{kind}[]"
            for number, (_name, kind) in enumerate(_DONE, start=_FIRST_DONE)
        )
        names = ", ".join(name for name, _kind in _DONE)
        settled = self._filled(_SETTLED, _POSTGRESQL_NAMES)
        passing = self._filled(_PASS + _MAY_SEND, _POSTGRESQL_NAMES)
        return (
            f"WITH done AS (SELECT * FROM unnest({arrays}) AS each({names})),"
            f" settled AS ({settled}), logged AS (INSERT INTO delivery_attempt"
            " (analysis_id, profile_id, number, slot_id, started_at, ended_at,"
            " outcome, phase, reply_code, enhanced, code, reply, is_unread)"
            f" SELECT {self.part.analysis_id:d}, profile_id, number, $4::bigint,"
            " started_at, clock_timestamp(), outcome, phase, reply_code, enhanced,"
            f" code, reply, outcome IN ({_REFUSALS}) FROM done) {passing}"
            " RETURNING message.profile_id, message.status, message.reasons,"
            " message.attempt_count, statement_timestamp()"
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
    "asked": (
        "unnest($1::bigint[], $2::uuid[]) AS asked(profile_id, digest)"
        " CROSS JOIN LATERAL "
    ),
    "profile": "asked.profile_id",
    "digest": "asked.digest",
    "part": "$3::bigint",
    "slot": "$4::bigint",
    "now": "statement_timestamp()",
}
_SQLITE_NAMES: Final = {
    "asked": "",
    **{name: f"%({name})s" for name in ("profile", "digest", "part", "slot", "now")},
}


def _one_table(_analysis_id: int) -> str:
    return Message._meta.db_table


def _columns(settling: Sequence[Settlement]) -> list[list[Any]]:
    """Give what came of messages column by column, as the statement takes it."""
    rows = [
        (
            each.profile_id,
            each.status.value,
            each.due_at,
            each.number,
            each.started_at,
            each.outcome.kind.value,
            each.outcome.phase.value,
            each.outcome.reply_code,
            each.outcome.enhanced,
            each.outcome.code,
            each.outcome.reply,
        )
        for each in settling
    ]
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in _DONE]


def _is_wait(error: OperationalError) -> bool:
    """Say whether a statement gave up waiting: it is to be issued anew."""
    state = getattr(error.__cause__, "sqlstate", None)
    return state in {_LOCK_NOT_AVAILABLE, _DEADLOCK}
