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

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, TypeVar

from django.db import IntegrityError, transaction

from optout.import_runs import ImportRun, Listener
from profiles import bulk
from profiles.checks import check_digest_key
from profiles.chunks import Chunk, one_at_a_time, parsed_chunks
from profiles.parsing import expected_columns
from profiles.reading import FailedRow, Progress, RowReader, open_rows, write_report
from profiles.staging import Staging, Waiting

BATCH_ROWS: Final = 50_000
CHUNK_ROWS: Final = 10_000
_CHANGED: Final = ("profiles_profile", "profiles_address", "optout_optout")
# Somebody else made a profile or an address in the same moment: look again.
_TRIES: Final = 3

Report: TypeAlias = Path | Callable[[FailedRow], None] | None
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
            report = stack.enter_context(write_report(report, source=source))
        stack.enter_context(one_at_a_time())
        staging = stack.enter_context(Staging(now=_utc(now)))
        run = ImportRun(
            staging,
            report=report or _ignore,
            is_dry_run=is_dry_run,
            by=by,
            now=_utc(now),
        )
        _read(run, reader, progress or _ignore)
        _apply_waiting(run, progress or _ignore)
        if not is_dry_run:
            bulk.look_again(
                *_CHANGED, changed=run.counts["created"] + run.counts["updated"]
            )
    return ImportSummary(
        **{field.name: run.counts[field.name] for field in fields(ImportSummary)}
    )


def _read(run: ImportRun, reader: RowReader, progress: Listener) -> None:
    chunks = parsed_chunks(
        reader, size=CHUNK_ROWS, now=run.now, reserve=run.reserve_ids
    )
    with closing(chunks):
        while _batch(chunks, run.take):
            progress(run.progress)


def _apply_waiting(run: ImportRun, progress: Listener) -> None:
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


def _utc(moment: datetime) -> str:
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def _ignore(_told: object) -> None:
    return None
