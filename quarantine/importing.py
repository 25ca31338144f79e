"""Importing quarantined addresses from a file that somebody else made.

1. Read and check a batch of rows; a bad row fails that row and is reported.
2. In one transaction: look up what is known of the addresses, decide row after row by
   the table of quarantine.transitions (files only strengthen), write rows and history.

A batch commits whole, so running the same file again is the resume. The same address
several times in a file gives what the rows would give one after another.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TypeAlias

from django.db import transaction
from django.utils.translation import gettext as _

from profiles import bulk, in_flight
from profiles.addresses import parse
from profiles.channels import Channel
from profiles.checks import check_digest_key
from profiles.reading import (
    Expected,
    FailedRow,
    Progress,
    Row,
    RowReader,
    open_rows,
    write_report,
)
from quarantine import batches
from quarantine.batches import Change, Happening, Key, NewAddress
from quarantine.models import QuarantinedAddress
from quarantine.reasons import EXCLUDING, Event, Reason, Source, Status
from quarantine.transitions import KEEP, TABLE, Refusal, import_event

COLUMNS: Final = ("channel", "address", "status", "reason")
BATCH_ROWS: Final = 50_000
_TABLE: Final = QuarantinedAddress._meta.db_table
_PROGRESS_ROWS: Final = 5_000
_CHANNELS: Final = {channel.code: channel for channel in Channel}
_EVENTS: Final = {status.code: import_event(status) for status in Status}
# That a person was erased is known by erasing the person only.
_REASONS: Final = {reason.value: reason for reason in Reason if reason != Reason.ERASED}

Report: TypeAlias = Callable[[FailedRow], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a file did: rows = applied + kept + failed.

    `unreadable` counts, among those applied or kept, the addresses that nothing can
    be sent to as they are written, such as a number without its country code.
    """

    rows: int
    applied: int
    kept: int
    failed: int
    unreadable: int


class _Wanted(NamedTuple):
    """A row that could be read: what it wants an address to become."""

    key: Key
    address: str
    domain: str
    event: Event
    reason: str
    is_readable: bool


@dataclass(slots=True)
class _Tally:
    applied: int = 0
    kept: int = 0
    failed: int = 0
    unreadable: int = 0

    def summary(self) -> Summary:
        rows = self.applied + self.kept + self.failed
        return Summary(rows, self.applied, self.kept, self.failed, self.unreadable)


@dataclass(slots=True)
class _Decisions:
    """What a batch makes of the addresses that are known so far."""

    states: dict[Key, Status]
    new: dict[Key, NewAddress] = field(default_factory=dict)
    changes: dict[Key, Change] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)
    kept: int = 0

    def take(self, wanted: _Wanted) -> None:
        key, event, reason = wanted.key, wanted.event, wanted.reason
        state = self.states.get(key)
        target = TABLE[state, event]
        # No file row is ever refused: see the import rows of the table.
        if target is KEEP or isinstance(target, Refusal):
            self.kept += 1
            return

        self.states[key] = target
        self.happenings.append(Happening(key, event.value, state, target, reason))
        if state is None:
            self.new[key] = NewAddress(
                key, wanted.address, wanted.domain, target, reason
            )
        elif key in self.new:
            self.new[key] = self.new[key]._replace(status=target, reason=reason)
        else:
            self.changes[key] = Change(key, target, reason)


def import_file(
    source: Path | BinaryIO,
    *,
    now: datetime,
    by: str = "",
    is_dry_run: bool = False,
    report: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Read a file of addresses with statuses, and strengthen the quarantine with it.

    Writes the failed rows to `report`, calls `progress` outside of transactions. A
    dry run only counts; it takes an address that comes again in a later batch as new.
    Raises FileError for a file that cannot be read at all, ImproperlyConfigured when
    the digest key was changed. Source of the rules: CONTRACTS "Quarantine".
    """
    check_digest_key()
    tally = _Tally()
    with ExitStack() as stack:
        reader = stack.enter_context(
            open_rows(source, Expected(known=COLUMNS, required=COLUMNS[:3]))
        )
        write = (
            stack.enter_context(write_report(report, source=source))
            if report
            else _unreported
        )
        batch: list[_Wanted] = []
        for number, wanted in enumerate(_read(reader, write, tally), 1):
            if wanted is not None:
                batch.append(wanted)
            if len(batch) == BATCH_ROWS:
                _store(batch, tally, by=by, now=now, is_dry_run=is_dry_run)
                batch.clear()
            if progress is not None and number % _PROGRESS_ROWS == 0:
                progress(reader.progress(number))
        _store(batch, tally, by=by, now=now, is_dry_run=is_dry_run)
        if not is_dry_run:
            bulk.look_again(_TABLE, changed=tally.applied)
        if progress is not None:
            progress(reader.progress(tally.summary().rows))
    return tally.summary()


def _unreported(failed: FailedRow) -> None:
    return None


def _read(reader: RowReader, write: Report, tally: _Tally) -> Iterator[_Wanted | None]:
    """Give each row as it is wanted, or None when it failed and was reported."""
    columns = reader.columns
    places = [columns.index(name) for name in COLUMNS if name in columns]
    for row in reader:
        wanted = row if isinstance(row, FailedRow) else _understood(row, places)
        if isinstance(wanted, FailedRow):
            tally.failed += 1
            write(wanted)
            yield None
        else:
            tally.unreadable += not wanted.is_readable
            yield wanted


def _understood(row: Row, places: list[int]) -> _Wanted | FailedRow:
    line, cells = row
    # The reason, which comes last, may be without a column.
    code, text, status_code, *reasons = [cells[place].strip() for place in places]
    if not text:
        return FailedRow(
            line, "address", _("The cell is empty."), _("Write the address.")
        )
    channel = _CHANNELS.get(code.lower())
    if channel is None:
        return _unknown_code(line, "channel", _CHANNELS)
    event = _EVENTS.get(status_code.lower())
    if event is None:
        return _unknown_code(line, "status", _EVENTS)
    reason = _REASONS.get(reasons[0].lower() if reasons else "")
    if reason is None:
        return _unknown_code(line, "reason", _REASONS)

    # Without a country: a number needs its country code (+46...).
    parsed = parse(channel, text)
    return _Wanted(
        Key(channel.value, parsed.digest.hex),
        parsed.value,
        parsed.domain,
        event,
        reason,
        parsed.is_deliverable,
    )


def _unknown_code(line: int, column: str, known: Mapping[str, object]) -> FailedRow:
    codes = ", ".join(code for code in known if code)
    return FailedRow(
        line,
        column,
        _("The %(column)s is not known.") % {"column": column},
        _("Write one of: %(codes)s.") % {"codes": codes},
    )


def _store(
    batch: list[_Wanted], tally: _Tally, *, by: str, now: datetime, is_dry_run: bool
) -> None:
    """Decide and write one batch, whole or not at all."""
    if not batch:
        return
    with transaction.atomic():
        if not is_dry_run:
            batches.lock_addresses()
        decisions = _Decisions(batches.look_up(wanted.key for wanted in batch))
        for wanted in batch:
            decisions.take(wanted)
        if not is_dry_run:
            _write(decisions, by=by, now=now)
    tally.kept += decisions.kept
    tally.applied += len(decisions.happenings)


def _write(decisions: _Decisions, *, by: str, now: datetime) -> None:
    source = Source.IMPORT
    batches.insert(decisions.new.values(), source=source, by=by, now=now)
    batches.update(list(decisions.changes.values()), source=source, by=by, now=now)
    batches.record(decisions.happenings, source=source, by=by, now=now)
    stopped = [each for each in decisions.happenings if each.to_status in EXCLUDING]
    in_flight.wait_until_none([], {each.key.digest for each in stopped})
