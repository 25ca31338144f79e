"""Subscribing and unsubscribing many people by a file that somebody else made.

1. Read and check a batch of rows; a bad row fails that row and is reported.
2. In one transaction: find the people, lock them, look up what they subscribe to,
   decide row after row, write subscriptions and ledger.

Nobody is made, nobody is told. A file never brings back somebody who unsubscribed,
and it begins a validity anew only with a date that is newer than the one we know: the
same file every night keeps nobody subscribed for ever. A person who comes several
times is no error. A batch commits whole, so running the file again is the resume.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, TypeVar
from uuid import UUID

from django.db import transaction

from optout import ledger
from optout.models import ConsentEvent, Service, Subscription
from optout.models.ledger import ConsentSource, Direction
from optout.subscription_rows import (
    COLUMNS,
    IDENTITIES,
    RowReader,
    Wanted,
    named_services,
    strictest,
    unknown_person,
)
from profiles import bulk, in_flight, storing
from profiles.checks import check_digest_key
from profiles.models import Address
from profiles.reading import (
    Expected,
    FailedRow,
    Progress,
    open_rows,
    write_report,
)
from profiles.storing import StoredProfile

BATCH_ROWS: Final = 10_000
_AT_ONCE: Final = 1_000
_TABLE: Final = Subscription._meta.db_table
Report: TypeAlias = Callable[[FailedRow], None]
Value = TypeVar("Value", int, str)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a file did: rows is the sum of all other figures.

    `kept` counts those who had unsubscribed, or whose subscription is over, and whom
    the file would have brought back; `repeated` further rows about one person.
    """

    rows: int
    subscribed: int
    renewed: int
    unsubscribed: int
    unchanged: int
    kept: int
    repeated: int
    failed: int


def import_file(
    source: Path | BinaryIO,
    *,
    now: datetime,
    by: str = "",
    service: Service | None = None,
    is_dry_run: bool = False,
    report: Path | Report | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Read a file of subscriptions; `service` is that of rows which name none.

    Columns: external_id, else email, else mobile; service; operation (subscribe, the
    default, or unsubscribe); subscribed_at; origin. `report` is a path, or is told of
    each failed row. Raises FileError for a file that cannot be read at all.
    """
    check_digest_key()
    required = [] if service else ["service"]
    expected = Expected(COLUMNS, required, any_of=["external_id", *IDENTITIES])
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        reader = stack.enter_context(open_rows(source, expected))
        write = _writer(report, source, stack)
        rows = RowReader(reader.columns, named_services(), now, service)
        batch = _Batch(counts, write, by=by, now=now, is_dry_run=is_dry_run)
        for number, row in enumerate(reader, 1):
            batch.take(row if isinstance(row, FailedRow) else rows.read(row))
            if number % BATCH_ROWS == 0:
                batch.store()
                if progress is not None:
                    progress(reader.progress(number))
        batch.store()
        if progress is not None:
            progress(reader.progress(counts["rows"]))
    if not is_dry_run:
        changed = counts["subscribed"] + counts["renewed"] + counts["unsubscribed"]
        bulk.look_again(_TABLE, changed=changed)
    return Summary(**{name: counts[name] for name in Summary.__dataclass_fields__})


def _writer(
    report: Path | Report | None, source: Path | BinaryIO, stack: ExitStack
) -> Report:
    if isinstance(report, Path):
        return stack.enter_context(write_report(report, source=source))
    return report or _unreported


def _unreported(failed: FailedRow) -> None:
    return None


class _Batch:
    """Rows that are decided and written together."""

    def __init__(
        self,
        counts: Counter[str],
        report: Report,
        *,
        by: str,
        now: datetime,
        is_dry_run: bool,
    ) -> None:
        self._counts, self._report = counts, report
        self._by, self._now, self._is_dry_run = by, now, is_dry_run
        self._rows: list[Wanted] = []
        self._failed: list[FailedRow] = []

    def take(self, row: Wanted | FailedRow) -> None:
        if isinstance(row, FailedRow):
            self._failed.append(row)
        else:
            self._rows.append(row)

    def store(self) -> None:
        """Write what was taken, whole or not at all, and count it."""
        counts: Counter[str] = Counter(rows=len(self._rows) + len(self._failed))
        with transaction.atomic():
            self._decide(counts)
        counts["failed"] = len(self._failed)
        for failed in sorted(self._failed, key=lambda each: each.line):
            self._report(failed)
        self._counts.update(counts)
        self._rows, self._failed = [], []

    def _decide(self, counts: Counter[str]) -> None:
        people = _find(self._rows, is_locked=not self._is_dry_run)
        known_rows, owners = [], []
        for wanted in self._rows:
            owner = people.get(wanted.external_id or wanted.digest)
            if owner is None:
                self._failed.append(unknown_person(wanted))
            else:
                known_rows.append(wanted)
                owners.append(owner.id)
        chosen = list(strictest(known_rows, owners))
        counts["repeated"] += len(known_rows) - len(chosen)
        decisions = _Decisions(_subscriptions(owners), now=self._now)
        for wanted, profile_id in chosen:
            counts[decisions.take(wanted, profile_id)] += 1
        if not self._is_dry_run:
            by_id = {person.id: person for person in people.values()}
            decisions.write(by_id, by=self._by)


class _Decisions:
    """What a batch makes of the subscriptions that are known."""

    def __init__(
        self, known: dict[tuple[int, int], Subscription], *, now: datetime
    ) -> None:
        self._known, self._now = known, now
        self._new: list[Subscription] = []
        self._changed: list[Subscription] = []
        self._events: list[tuple[Subscription, Service, Direction]] = []

    def take(self, wanted: Wanted, profile_id: int) -> str:
        """Decide one row; give the name of the figure that counts it."""
        row = self._known.get((profile_id, wanted.service.pk))
        if not wanted.is_subscribing:
            return self._end(row, wanted, profile_id)
        if row is None:
            return self._begin(wanted, profile_id)
        if row.unsubscribed_at is not None:
            return "kept"
        return self._renew(row, wanted)

    def _begin(self, wanted: Wanted, profile_id: int) -> str:
        since = wanted.subscribed_at or self._now
        row = _row(wanted, profile_id, since=since, until=wanted.service.expiry(since))
        self._new.append(row)
        self._events.append((row, wanted.service, Direction.IN))
        return "subscribed"

    def _renew(self, row: Subscription, wanted: Wanted) -> str:
        since = wanted.subscribed_at
        is_newer = since is not None and since > row.subscribed_at
        if since is None or not is_newer or row.expires_at is None:
            return "unchanged" if row.is_current(self._now) else "kept"
        row.subscribed_at, row.expires_at = since, wanted.service.expiry(since)
        row.source, row.origin = ConsentSource.IMPORT, wanted.origin
        self._changed.append(row)
        self._events.append((row, wanted.service, Direction.IN))
        return "renewed"

    def _end(self, row: Subscription | None, wanted: Wanted, profile_id: int) -> str:
        if row is not None and row.unsubscribed_at is not None:
            return "unchanged"
        if row is None:
            # So that no later file subscribes them.
            row = _row(wanted, profile_id, since=self._now, until=self._now)
            self._new.append(row)
        else:
            self._changed.append(row)
        row.unsubscribed_at = self._now
        self._events.append((row, wanted.service, Direction.OUT))
        return "unsubscribed"

    def write(self, people: dict[int, StoredProfile], *, by: str) -> None:
        Subscription.objects.bulk_create(self._new, batch_size=_AT_ONCE)
        Subscription.objects.bulk_update(
            self._changed,
            ["subscribed_at", "expires_at", "unsubscribed_at", "source", "origin"],
            batch_size=_AT_ONCE,
        )
        ledger.record_many(
            ConsentEvent(
                at=self._now,
                profile_id=row.profile_id,
                address_digest=_digest(people[row.profile_id], service),
                direction=direction,
                service_id=service.pk,
                source=ConsentSource.IMPORT,
                actor=by,
            )
            for row, service, direction in self._events
        )
        in_flight.wait_until_none(
            row.profile_id
            for row, _service, direction in self._events
            if direction == Direction.OUT
        )


def _row(
    wanted: Wanted, profile_id: int, *, since: datetime, until: datetime | None
) -> Subscription:
    return Subscription(
        profile_id=profile_id,
        service=wanted.service,
        subscribed_at=since,
        expires_at=until,
        source=ConsentSource.IMPORT,
        origin=wanted.origin,
    )


def _digest(person: StoredProfile, service: Service) -> UUID | None:
    text = person.preferred_digest(service.channel)
    return UUID(text) if text else None


def _find(rows: Iterable[Wanted], *, is_locked: bool) -> dict[str, StoredProfile]:
    """Find the people of rows, by external id or by digest; locked until the end.

    Of several with one address, the oldest: by created_at, then id.
    """
    external_ids = sorted({row.external_id for row in rows} - {""})
    owners = _owners(sorted({row.digest for row in rows} - {""}))
    by_id = {
        each.id: each
        for each in storing.load("id", sorted(owners.values()), is_locked=is_locked)
    }
    found = {digest: by_id[pk] for digest, pk in owners.items() if pk in by_id}
    named = storing.load("external_id", external_ids, is_locked=is_locked)
    return found | {each.external_id: each for each in named}


def _owners(digests: Sequence[str]) -> dict[str, int]:
    """Give the oldest profile that has each address, preferred or not."""
    carriers = Address.objects.order_by("-profile__created_at", "-profile_id")
    return {
        digest.hex: profile_id
        for some in _cut(digests)
        for digest, profile_id in carriers.filter(
            digest__in=[UUID(each) for each in some]
        ).values_list("digest", "profile_id")
    }


def _subscriptions(
    profile_ids: Sequence[int],
) -> dict[tuple[int, int], Subscription]:
    """Load, and lock, what people subscribe to."""
    rows = Subscription.objects.select_for_update().order_by("pk")
    return {
        (row.profile_id, row.service_id): row
        for some in _cut(sorted(set(profile_ids)))
        for row in rows.filter(profile_id__in=some)
    }


def _cut(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
