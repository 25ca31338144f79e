"""Chunks of parsed rows, read ahead while the database works; sets of profile ids."""

import gc
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

from django.db import Error, connection
from django.utils import translation

from profiles import bulk
from profiles.parsing import ParsedRow, RowParser
from profiles.reading import FailedRow, Progress, RowReader

# Any number that no other part of the product locks.
_IMPORT_LOCK: Final = 5_163_207_001
# Between two collections; by default it is 700, which costs a third of the time.
_OBJECTS: Final = 200_000
_PAGE_BITS: Final = 15


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of a file that follow one another, and how far the reading has come."""

    rows: list[ParsedRow]
    failed: list[FailedRow]
    progress: Progress


def parsed_chunks(reader: RowReader, *, size: int) -> Generator[Chunk, None, None]:
    """Give the rows of a file in chunks; the next one is parsed in the meantime.

    Only one thread of Python runs at a time, but this one mostly waits for the
    database, which then works on one processor while we parse on another.
    """
    chunks = _parse(reader, size, language=translation.get_language())
    with _few_collections(), ThreadPoolExecutor(max_workers=1) as thread:
        ahead = thread.submit(next, chunks, None)
        while chunk := ahead.result():
            ahead = thread.submit(next, chunks, None)
            yield chunk


def _parse(reader: RowReader, size: int, *, language: str | None) -> Iterator[Chunk]:
    parser = RowParser(reader.columns)
    rows = iter(reader)
    count = 0
    while True:
        chunk = Chunk([], [], reader.progress(count))
        # The language of the sentences belongs to a thread.
        with translation.override(language):
            for row in islice(rows, size):
                parsed = row if isinstance(row, FailedRow) else parser.parse(*row)
                if isinstance(parsed, FailedRow):
                    chunk.failed.append(parsed)
                else:
                    chunk.rows.append(parsed)
        found = len(chunk.rows) + len(chunk.failed)
        if not found:
            return
        count += found
        yield Chunk(chunk.rows, chunk.failed, reader.progress(count))


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for garbage in cycles, of which rows make none, once in many rows."""
    former = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *former[1:])
    try:
        yield
    finally:
        gc.set_threshold(*former)


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

    def __contains__(self, number: int) -> bool:
        page = self._pages.get(number >> _PAGE_BITS)
        place = number & ((1 << _PAGE_BITS) - 1)
        return page is not None and bool(page[place >> 3] & 1 << (place & 7))
