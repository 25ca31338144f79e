"""Importing profiles, and their opt-outs, from a file that somebody else made.

1. Read a chunk of rows and understand them; a bad row fails alone and is reported.
2. Rows of an external id that nobody has create profiles at once. Rows that change
   nothing are counted. All others wait (profiles.staging), because what they change
   depends on every row about the same profile.
3. When the file is read: find whom the waiting rows are about, put the rows of each
   profile together, compare, create, update.
4. Opt-outs are set where they are missing, never lifted, with a ledger row each.

Batches of 50,000 rows commit whole. Running the file again is the resume, and a file
that was imported changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, TypeVar

from django.db import IntegrityError, transaction

from optout import flagging
from optout.flagging import Flag
from profiles import storing
from profiles.checks import check_digest_key
from profiles.chunks import Chunk, IdSet, one_at_a_time, parsed_chunks
from profiles.parsing import ParsedRow, expected_columns
from profiles.reading import FailedRow, Progress, RowReader, open_rows, write_report
from profiles.staging import Staging, Waiting
from profiles.storing import Change, KnownDomains, StoredProfile

BATCH_ROWS: Final = 50_000
CHUNK_ROWS: Final = 5_000
# Somebody else made a profile or an address in the same moment: look again.
_TRIES: Final = 3

Report: TypeAlias = Path | Callable[[FailedRow], None] | None
Listener: TypeAlias = Callable[[Any], None]
Item = TypeVar("Item", Chunk, list[Waiting])


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What a file did: rows = created + updated + unchanged + repeated + failed.

    `repeated` rows are about a profile that another row of the file was counted for.
    `opt_outs_kept` are those that the file says no to, and that stay.
    """

    rows: int
    created: int
    updated: int
    unchanged: int
    repeated: int
    failed: int
    opt_outs_set: int
    opt_outs_kept: int
    addresses_invalid: int


def import_profiles(
    source: Path | BinaryIO,
    *,
    now: datetime,
    by: str = "",
    mapping: Mapping[str, str] | None = None,
    is_dry_run: bool = False,
    report: Report = None,
    progress: Callable[[Progress], None] | None = None,
) -> ImportSummary:
    """Import a profile file, as in CONTRACTS.md, "Profiles".

    Takes the mapping of columns to fields, a path or a function for the failed rows,
    and a function that is told the progress between batches; what it raises stops the
    import, and the batches before stay. Raises FileError.
    """
    check_digest_key()
    with ExitStack() as stack:
        reader = stack.enter_context(open_rows(source, expected_columns(mapping)))
        if isinstance(report, Path):
            report = stack.enter_context(write_report(report))
        stack.enter_context(one_at_a_time())
        staging = stack.enter_context(Staging(now=_utc(now)))
        run = _Run(
            staging,
            report=report or _ignore,
            is_dry_run=is_dry_run,
            by=by,
            now=_utc(now),
        )
        _read(run, reader, progress or _ignore)
        _apply_waiting(run, progress or _ignore)
    return run.summary()


def _read(run: "_Run", reader: RowReader, progress: Listener) -> None:
    chunks = parsed_chunks(reader, size=CHUNK_ROWS)
    with closing(chunks):
        while _batch(chunks, run.take):
            progress(run.progress)


def _apply_waiting(run: "_Run", progress: Listener) -> None:
    if not run.staging.row_count:
        return
    progress(replace(run.progress, phase="applying"))
    run.staging.plan()
    people = run.staging.people()
    groups = iter(lambda: list(islice(people, CHUNK_ROWS)), [])
    while _batch(groups, run.apply):
        progress(replace(run.progress, phase="applying"))


def _batch(items: Iterator[Item], work: Callable[[Item], None]) -> int:
    """Do the work of a few items in one transaction; tell how many there were."""
    count = 0
    with transaction.atomic():
        for item in islice(items, BATCH_ROWS // CHUNK_ROWS):
            _try_again(work, item)
            count += 1
    return count


def _try_again(work: Callable[[Item], None], item: Item) -> None:
    for _ in range(_TRIES - 1):
        try:
            with transaction.atomic():
                return work(item)
        except IntegrityError:
            continue
    with transaction.atomic():
        work(item)


@dataclass(frozen=True, slots=True)
class _Known:
    """Stored profiles, and the channels they are opted out of."""

    profiles: list[StoredProfile]
    opt_outs: dict[int, set[int]]

    def missing(self, profile: StoredProfile, row: ParsedRow) -> list[Flag]:
        """Give the opt-outs of a row that its profile does not have."""
        if not row.opt_outs:
            return []
        stored = self.opt_outs.get(profile.id, ())
        return [
            Flag(profile.id, channel, _digest(row, profile, channel))
            for channel in row.opt_outs
            if channel not in stored
        ]

    def kept(self, profile: StoredProfile, row: ParsedRow) -> int:
        """Count the opt-outs that stay although the row says no."""
        stored = self.opt_outs.get(profile.id)
        return len(stored.intersection(row.not_opted_out)) if stored else 0


class _Run:
    """One import: what was counted so far, and for which profiles."""

    def __init__(
        self, staging: Staging, *, report: Listener, is_dry_run: bool, by: str, now: str
    ) -> None:
        self.staging = staging
        self.counts: Counter[str] = Counter()
        self.progress = Progress(0, 0, 0)
        self._report = report
        self._is_dry_run = is_dry_run
        self._by = by
        self._now = now
        self._domains = KnownDomains()
        # The profiles that rows were counted for, and those that rows wait for.
        self._created = IdSet()
        self._unchanged = IdSet()
        self._waiting = IdSet()

    def summary(self) -> ImportSummary:
        return ImportSummary(
            **{field.name: self.counts[field.name] for field in fields(ImportSummary)}
        )

    def take(self, chunk: Chunk) -> None:
        """Create, count, or let wait each row of a chunk."""
        known = self._load(
            external_ids=[row.external_id for row in chunk.rows if row.external_id]
        )
        stored = {profile.external_id: profile for profile in known.profiles}
        new: dict[str, ParsedRow] = {}
        waiting: list[ParsedRow] = []
        counts: Counter[str] = Counter()
        for row in chunk.rows:
            profile = stored.get(row.external_id) if row.external_id else None
            if profile is not None:
                if self._has_to_wait(known, profile, row):
                    waiting.append(row)
                else:
                    self._count_unchanged(counts, known, profile, row)
            elif row.external_id and row.external_id not in new:
                new[row.external_id] = row
            else:
                waiting.append(row)

        if self._is_dry_run:
            # Nobody is created whom the next chunk could find: count them at the end.
            waiting = sorted([*new.values(), *waiting], key=attrgetter("line"))
        else:
            self._create(counts, list(new.values()))
        self.staging.add(waiting)
        self._finish(chunk, counts)

    def apply(self, people: list[Waiting]) -> None:
        """Create or change the profiles that waiting rows are about."""
        known = self._load_people(people)
        by_id = {profile.id: profile for profile in known.profiles}
        counts: Counter[str] = Counter()
        changes: list[Change] = []
        flags: list[Flag] = []
        new: list[ParsedRow] = []
        for waiting in people:
            profile = by_id.get(waiting.profile_id or 0)
            counts["repeated"] += waiting.row_count - 1
            if profile is None:
                new.append(waiting.row)
                continue
            change = storing.change(profile, waiting.row)
            missing = known.missing(profile, waiting.row)
            changes.append(change)
            flags += missing
            is_changed = bool(change or missing)
            self._count_known(counts, profile, is_changed=is_changed)
            if profile.id not in self._unchanged:
                counts["opt_outs_kept"] += known.kept(profile, waiting.row)

        self._create(counts, new)
        self._update(counts, changes, flags)
        self.counts.update(counts)

    def _load(
        self, *, external_ids: Sequence[str] = (), ids: Sequence[int] = ()
    ) -> _Known:
        profiles = storing.load(
            external_ids=external_ids, ids=ids, is_locked=not self._is_dry_run
        )
        return _Known(
            profiles, flagging.opted_out_channels([profile.id for profile in profiles])
        )

    def _load_people(self, people: list[Waiting]) -> _Known:
        return self._load(ids=[one.profile_id for one in people if one.profile_id])

    def _has_to_wait(
        self, known: _Known, profile: StoredProfile, row: ParsedRow
    ) -> bool:
        if profile.id in self._waiting:
            return True
        if storing.change(profile, row) or known.missing(profile, row):
            self._waiting.add(profile.id)
            return True
        return False

    def _count_unchanged(
        self,
        counts: Counter[str],
        known: _Known,
        profile: StoredProfile,
        row: ParsedRow,
    ) -> None:
        if profile.id in self._created or profile.id in self._unchanged:
            counts["repeated"] += 1
            return
        self._unchanged.add(profile.id)
        counts["unchanged"] += 1
        counts["opt_outs_kept"] += known.kept(profile, row)

    def _count_known(
        self, counts: Counter[str], profile: StoredProfile, *, is_changed: bool
    ) -> None:
        """Count the first waiting row about a stored profile."""
        if profile.id in self._created:
            counts["repeated"] += 1
        elif profile.id in self._unchanged:
            counts["repeated"] += 1
            # An earlier row alone changed nothing; together they do.
            counts["unchanged"] -= is_changed
            counts["updated"] += is_changed
        else:
            counts["updated" if is_changed else "unchanged"] += 1

    def _create(self, counts: Counter[str], rows: list[ParsedRow]) -> None:
        counts["created"] += len(rows)
        if self._is_dry_run:
            counts["opt_outs_set"] += sum(len(row.opt_outs) for row in rows)
            return
        if not rows:
            return
        self._domains.add(given for row in rows for given in row.addresses)
        ids = storing.create(rows, now=self._now)
        for number in ids:
            self._created.add(number)
        flags = [
            Flag(number, channel, _digest(row, None, channel))
            for number, row in zip(ids, rows, strict=True)
            for channel in row.opt_outs
        ]
        counts["opt_outs_set"] += flagging.set_new(flags, by=self._by, now=self._now)

    def _update(
        self, counts: Counter[str], changes: list[Change], flags: list[Flag]
    ) -> None:
        if self._is_dry_run:
            counts["opt_outs_set"] += len(flags)
            return
        self._domains.add(given for change in changes for given, _ in change.added)
        storing.update(changes, now=self._now)
        counts["opt_outs_set"] += flagging.set_missing(
            flags, by=self._by, now=self._now
        )

    def _finish(self, chunk: Chunk, counts: Counter[str]) -> None:
        counts["failed"] += len(chunk.failed)
        counts["rows"] += len(chunk.failed) + len(chunk.rows)
        counts["addresses_invalid"] += sum(
            not given.is_deliverable for row in chunk.rows for given in row.addresses
        )
        self.counts.update(counts)
        self.progress = chunk.progress
        for failed in chunk.failed:
            self._report(failed)


def _digest(row: ParsedRow, profile: StoredProfile | None, channel: int) -> str:
    """Give the digest of the address that is preferred once the row was applied."""
    for given in row.addresses:
        if given.channel == channel:
            return given.digest
    return profile.preferred_digest(channel) if profile else ""


def _utc(moment: datetime) -> str:
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def _ignore(_told: object) -> None:
    return None
