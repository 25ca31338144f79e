"""Chunks of parsed rows, read ahead while the database works; sets of profile ids."""

import gc
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeAlias

from django.db import Error, connection
from django.utils import translation

from profiles import bulk
from profiles.creating import NewProfiles, prepare
from profiles.parsing import ParsedRow, RowParser
from profiles.reading import FailedRow, Progress, Row, RowReader

# Any number that no other part of the product locks.
_IMPORT_LOCK: Final = 5_163_207_001
# Between two collections; by default it is 700, which costs a third of the time.
_OBJECTS: Final = 1_000_000
_SWITCH_INTERVAL: Final = 0.0002  # seconds
# Chunks that are made before they are asked for; a commit takes as long as some.
_AHEAD: Final = 2
LARGE_FILE = 1 << 20  # bytes
_PAGE_BITS: Final = 15
NOTHING_READ: Final = Progress(0, 0, 0)


@dataclass(slots=True)
class Chunk:
    """Rows of a file that follow one another, and how far the reading has come.

    `external_ids` are those the rows have. `new` is what the rows create if nobody
    has any of these; only given when each row has an external id of its own.
    """

    rows: list[ParsedRow] = field(default_factory=list)
    failed: list[FailedRow] = field(default_factory=list)
    external_ids: list[str] = field(default_factory=list)
    new: NewProfiles | None = None
    invalid_count: int = 0
    progress: Progress = NOTHING_READ

    @property
    def row_count(self) -> int:
        return len(self.rows) + len(self.failed)


Reserve: TypeAlias = Callable[[int], Sequence[int]]


def parsed_chunks(
    reader: RowReader, *, size: int, now: str, reserve: Reserve
) -> Generator[Chunk, None, None]:
    """Give the rows of a file in chunks; the next ones are made in the meantime.

    `reserve` gives ids for the profiles that a chunk may create, or none when it is
    not expected to. A chunk is used until the next one is asked for. Only one thread
    of Python runs at a time, but this one mostly waits for the database, which works
    on one processor while we parse on another.
    """
    chunks = _Chunks(reader, size, now=now)
    if reader.bytes_total < LARGE_FILE:
        # Not worth the ids that a chunk would leave unused.
        reserve = _nothing
    with _two_threads(), ThreadPoolExecutor(max_workers=1) as thread:
        ahead = deque(thread.submit(chunks.make, reserve(size)) for _ in range(_AHEAD))
        while (chunk := ahead.popleft().result()).row_count:
            ahead.append(thread.submit(chunks.make, reserve(size)))
            yield chunk
            chunks.used.append(chunk)


def _nothing(_size: int) -> Sequence[int]:
    return ()


class _Chunks:
    def __init__(self, reader: RowReader, size: int, *, now: str) -> None:
        self._reader = reader
        self._rows = iter(reader)
        self._parser = RowParser(reader.columns)
        self._size = size
        self._now = now
        self._count = 0
        self._language = translation.get_language()
        # To forget as many objects takes so long that it is done here.
        self.used: deque[Chunk] = deque()

    def make(self, ids: Sequence[int]) -> Chunk:
        while len(self.used) > 1:
            self.used.popleft()
        chunk = Chunk()
        # The language of the sentences belongs to a thread.
        with translation.override(self._language):
            for row in islice(self._rows, self._size):
                self._add(chunk, row)
        self._count += chunk.row_count
        chunk.progress = self._reader.progress(self._count)
        chunk.external_ids = [row.external_id for row in chunk.rows if row.external_id]
        if ids and len(set(chunk.external_ids)) == len(chunk.rows):
            chunk.new = prepare(chunk.rows, ids, now=self._now)
        return chunk

    def _add(self, chunk: Chunk, row: Row | FailedRow) -> None:
        parsed = row if isinstance(row, FailedRow) else self._parser.parse(*row)
        if isinstance(parsed, FailedRow):
            chunk.failed.append(parsed)
            return
        chunk.rows.append(parsed)
        for given in parsed.addresses:
            chunk.invalid_count += not given.is_deliverable


@contextmanager
def _two_threads() -> Iterator[None]:
    """Let a thread go on soon whose answer has come, and look rarely for garbage.

    Only garbage in cycles needs looking for, and rows make none.
    """
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(_OBJECTS, *threshold[1:])
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        sys.setswitchinterval(interval)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other import runs; on SQLite its transactions do that."""
    if connection.vendor != "postgresql":
        yield
        return
    bulk.execute("SELECT pg_advisory_lock(%s)", [_IMPORT_LOCK])
    try:
        yield
    finally:
        # A connection that is gone has let go of it.
        with suppress(Error):
            bulk.execute("SELECT pg_advisory_unlock(%s)", [_IMPORT_LOCK])


class IdSet:
    """A set of profile ids: a bit each, in pages, because ids are dense."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> None:
        page = self._pages.get(number >> _PAGE_BITS)
        if page is None:
            page = self._pages[number >> _PAGE_BITS] = bytearray(1 << (_PAGE_BITS - 3))
        place = number & ((1 << _PAGE_BITS) - 1)
        page[place >> 3] |= 1 << (place & 7)

    def update(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.add(number)

    def __contains__(self, number: int) -> bool:
        page = self._pages.get(number >> _PAGE_BITS)
        place = number & ((1 << _PAGE_BITS) - 1)
        return page is not None and bool(page[place >> 3] & 1 << (place & 7))
