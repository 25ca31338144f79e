"""What an import makes of the rows of a file: create, count, let wait, change.

Counts a profile once: as created, updated or unchanged. All other rows about it are
counted as repeated.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db import IntegrityError, transaction

from optout import flagging
from optout.flagging import Flag
from profiles import creating, merged, storing
from profiles.chunks import Chunk, IdSet
from profiles.combining import together
from profiles.creating import KnownDomains, NewProfiles
from profiles.parsing import ParsedRow
from profiles.reading import Progress
from profiles.staging import Staging, Waiting
from profiles.storing import Change, StoredProfile

Listener: TypeAlias = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Known:
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


class ImportRun:
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
        self.now = now
        self._domains = KnownDomains()
        # The profiles that rows were counted for, and those that rows wait for.
        self._created = IdSet()
        self._unchanged = IdSet()
        self._waiting = IdSet()
        self._expects_new = not is_dry_run

    def reserve_ids(self, count: int) -> Sequence[int]:
        """Reserve ids for a chunk that is expected to create all its profiles."""
        return creating.reserve_ids(count) if self._expects_new else ()

    def take(self, chunk: Chunk) -> None:
        """Create, count, or let wait each row of a chunk."""
        if chunk.new and self._create_all(chunk, chunk.new):
            return
        known = self._load(external_ids=chunk.external_ids)
        stored = {profile.external_id: profile for profile in known.profiles}
        new: dict[str, int] = {}
        waiting: list[int] = []
        counts: Counter[str] = Counter()
        for place, row in enumerate(chunk.rows):
            profile = stored.get(row.external_id) if row.external_id else None
            if profile is not None:
                whole = together([row], profile)
                if self._has_to_wait(known, profile, whole):
                    waiting.append(place)
                else:
                    self._count_unchanged(counts, known, profile, whole)
            elif row.external_id and row.external_id not in new:
                new[row.external_id] = place
            else:
                waiting.append(place)

        if self._is_dry_run:
            # Nobody is created whom the next chunk could find: count them at the end.
            waiting = sorted([*new.values(), *waiting])
        else:
            self._create(counts, [chunk.rows[place] for place in new.values()])
        self._expects_new = len(new) == len(chunk.rows) and not self._is_dry_run
        self.staging.add([chunk.rows[place] for place in waiting])
        self._finish(chunk, counts)

    def _create_all(self, chunk: Chunk, new: NewProfiles) -> bool:
        """Create what a chunk has prepared, unless an external id of it is taken.

        The database would look for them twice if we asked it before.
        """
        counts: Counter[str] = Counter()
        try:
            with transaction.atomic():
                self._create_prepared(counts, new)
        except IntegrityError:
            chunk.new = None
            return False
        self._finish(chunk, counts)
        return True

    def apply(self, people: list[Waiting]) -> None:
        """Create or change the profiles that waiting rows are about."""
        people = _living(people)
        known = self._load(
            ids=[one.profile_id for one in people if one.profile_id],
            external_ids=[one.external_id for one in people if not one.profile_id],
        )
        stored = {profile.id: profile for profile in known.profiles}
        # Made by somebody else in the meantime.
        made = {profile.external_id: profile for profile in known.profiles}
        counts: Counter[str] = Counter()
        changes: list[Change] = []
        flags: list[Flag] = []
        new: list[ParsedRow] = []
        for waiting in people:
            profile = stored.get(waiting.profile_id or 0)
            if profile is None and waiting.external_id:
                profile = made.get(waiting.external_id)
            counts["repeated"] += waiting.row_count - 1
            if profile is None:
                new.append(waiting.new())
                continue
            row = together(waiting.rows, profile)
            change = storing.change(profile, row)
            missing = known.missing(profile, row)
            changes.append(change)
            flags += missing
            if not self._is_counted(profile):
                counts["opt_outs_kept"] += known.kept(profile, row)
            is_changed = bool(change or missing)
            self._count_known(counts, profile, is_changed=is_changed)

        self._create(counts, new)
        self._update(counts, changes, flags)
        self.counts.update(counts)

    def _load(
        self, *, external_ids: Sequence[str] = (), ids: Sequence[int] = ()
    ) -> Known:
        is_locked = not self._is_dry_run
        profiles = storing.load("id", ids, is_locked=is_locked)
        profiles += storing.load("external_id", external_ids, is_locked=is_locked)
        return Known(
            profiles, flagging.opted_out_channels([profile.id for profile in profiles])
        )

    def _is_counted(self, profile: StoredProfile) -> bool:
        return profile.id in self._created or profile.id in self._unchanged

    def _has_to_wait(
        self, known: Known, profile: StoredProfile, row: ParsedRow
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
        known: Known,
        profile: StoredProfile,
        row: ParsedRow,
    ) -> None:
        if self._is_counted(profile):
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
        if self._is_dry_run:
            counts["created"] += len(rows)
            counts["opt_outs_set"] += sum(len(row.opt_outs) for row in rows)
        elif rows:
            ids = creating.reserve_ids(len(rows))
            self._create_prepared(counts, creating.prepare(rows, ids, now=self.now))

    def _create_prepared(self, counts: Counter[str], new: NewProfiles) -> None:
        counts["created"] += len(new.ids)
        self._domains.add(new.domains)
        creating.create(new)
        flags = [
            Flag(number, channel, _digest(row, None, channel))
            for number, row in new.opted_out
            for channel in row.opt_outs
        ]
        counts["opt_outs_set"] += flagging.set_new(flags, by=self._by, now=self.now)
        self._created.update(new.ids)

    def _update(
        self, counts: Counter[str], changes: list[Change], flags: list[Flag]
    ) -> None:
        if self._is_dry_run:
            counts["opt_outs_set"] += len(flags)
            return
        self._domains.add(
            {given.domain for change in changes for given, _ in change.added}
        )
        storing.update(changes, now=self.now)
        counts["opt_outs_set"] += flagging.set_missing(flags, by=self._by, now=self.now)

    def _finish(self, chunk: Chunk, counts: Counter[str]) -> None:
        counts["failed"] += len(chunk.failed)
        counts["rows"] += chunk.row_count
        counts["addresses_invalid"] += chunk.invalid_count
        self.counts.update(counts)
        self.progress = chunk.progress
        for failed in chunk.failed:
            self._report(failed)


def _living(people: list[Waiting]) -> list[Waiting]:
    """Put together what waits for profiles that were merged since it was planned."""
    ids = merged.living_ids(one.profile_id for one in people if one.profile_id)
    if all(number == living for number, living in ids.items()):
        return people
    found: dict[int, Waiting] = {}
    for one in people:
        one.profile_id = ids[one.profile_id] if one.profile_id else None
        first = found.setdefault(one.profile_id or -len(found) - 1, one)
        if first is not one:
            for row in one.rows:
                first.add(row)
    return list(found.values())


def _digest(row: ParsedRow, profile: StoredProfile | None, channel: int) -> str:
    """Give the digest of the address that is preferred once the row was applied."""
    for given in row.addresses:
        if given.channel == channel:
            return given.digest
    return profile.preferred_digest(channel) if profile else ""
