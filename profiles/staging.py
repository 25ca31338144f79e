"""Rows of a file that wait until the whole file was read, and whom they are about.

A row waits when it has no external id, or would change a profile: what another row of
the file says of the same profile may come later, and only all of them together tell
whether anything changes. They wait in temporary tables, so memory stays flat.

Whom a row is about, when it has no external id: the oldest profile (created_at, then
id) with the row's first email, be it stored or made by this file; without an email,
the oldest profile without an external id that has the row's first address. It makes a
profile only when nobody has that address. Rows about a profile are put together in the
order of the file, those with its external id first.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Any, Final, Self

from django.db import Error, connection

from profiles import bulk
from profiles.channels import Channel
from profiles.combining import together
from profiles.parsing import GivenAddress, ParsedRow

_PAGE: Final = 5_000
# Of a file that is about one person only, some are put together early.
_ROWS_OF_ONE: Final = 1_000
_TABLES: Final = (
    "import_row",
    "import_address",
    "import_first",
    "import_key",
    "import_known",
    "import_maker",
    "import_owner",
    "import_plan",
)

# What the rows without external id are matched by.
_KEYS: Final = """
CREATE TEMPORARY TABLE import_key AS
SELECT DISTINCT digest, is_email FROM import_row WHERE external_id IS NULL
"""

# The first row of each external id: it makes the profile if there is none.
_FIRST: Final = """
CREATE TEMPORARY TABLE import_first AS
SELECT r.external_id, r.line, r.created_at
FROM import_row r
JOIN (
    SELECT min(line) AS line FROM import_row
    WHERE external_id IS NOT NULL GROUP BY external_id
) f ON f.line = r.line
"""

# Who has a key already: stored profiles, and those of the external ids of this file.
_KNOWN: Final = """
CREATE TEMPORARY TABLE import_known AS
SELECT k.digest, p.id AS profile_id, p.external_id, p.created_at, 0 AS line,
    'p' || p.id AS who
FROM import_key k
JOIN profiles_address a ON a.digest = k.digest
JOIN profiles_profile p ON p.id = a.profile_id
WHERE k.is_email OR p.external_id IS NULL
UNION
SELECT k.digest, p.id, r.external_id, coalesce(p.created_at, f.created_at), f.line,
    coalesce('p' || p.id, 'e' || r.external_id)
FROM import_key k
JOIN import_address a ON a.digest = k.digest
JOIN import_row r ON r.line = a.line
JOIN import_first f ON f.external_id = r.external_id
LEFT JOIN profiles_profile named ON named.external_id = r.external_id
LEFT JOIN profiles_profile p ON p.id = coalesce(named.merged_into_id, named.id)
WHERE k.is_email
"""

# A row about somebody known brings them its other addresses.
_BROUGHT: Final = """
INSERT INTO import_known
SELECT DISTINCT k.digest, o.profile_id, o.external_id, o.created_at, o.line, o.who
FROM import_key k
JOIN import_address a ON a.digest = k.digest
JOIN import_row r ON r.line = a.line AND r.digest <> a.digest
JOIN (
    SELECT n.*, row_number() OVER (
        PARTITION BY digest ORDER BY created_at, profile_id NULLS LAST, line
    ) AS place
    FROM import_known n
) o ON o.digest = r.digest AND o.place = 1
WHERE r.external_id IS NULL AND (k.is_email OR o.external_id IS NULL)
    AND NOT EXISTS (
        SELECT 1 FROM import_known n WHERE n.digest = k.digest AND n.who = o.who
    )
"""

# Of the rows that find nobody, the first one with each key: it makes a profile.
_MAKERS: Final = """
CREATE TEMPORARY TABLE import_maker AS
SELECT r.digest, r.line, r.created_at
FROM import_row r
JOIN (
    SELECT min(line) AS line FROM import_row u
    WHERE external_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM import_known n WHERE n.digest = u.digest)
    GROUP BY digest
) f ON f.line = r.line
"""

# For each key its oldest owner: somebody known, or else who is made, by their line.
_OWNERS: Final = """
CREATE TEMPORARY TABLE import_owner AS
SELECT digest, profile_id, external_id, line
FROM (
    SELECT c.*, row_number() OVER (
        PARTITION BY digest
        ORDER BY created_at, profile_id NULLS LAST, external_id IS NULL, line
    ) AS place
    FROM (
        SELECT digest, profile_id, external_id, created_at, line FROM import_known
        UNION ALL
        SELECT k.digest, NULL, NULL, m.created_at, m.line
        FROM import_key k
        JOIN import_address a ON a.digest = k.digest
        JOIN import_row r ON r.line = a.line
        JOIN import_maker m ON m.digest = r.digest
        WHERE r.external_id IS NULL
    ) c
) o
WHERE place = 1
"""

# A row that owns a key may itself be about the owner of its own key.
_FOLLOW: Final = """
UPDATE import_owner
SET profile_id = n.profile_id, external_id = n.external_id, line = n.line
FROM (
    SELECT r.line AS owning_line, o.profile_id, o.external_id, o.line
    FROM import_row r JOIN import_owner o ON o.digest = r.digest
    WHERE r.external_id IS NULL
) n
WHERE import_owner.profile_id IS NULL AND import_owner.external_id IS NULL
    AND n.owning_line = import_owner.line AND n.line <> import_owner.line
"""

_PLAN: Final = """
CREATE TEMPORARY TABLE import_plan AS
SELECT row_number() OVER (ORDER BY first, who, is_late, line) AS place,
    who, profile_id, line
FROM (
    SELECT w.*, min(line) OVER (PARTITION BY who) AS first
    FROM (
        SELECT r.line, coalesce(p.merged_into_id, p.id) AS profile_id, 0 AS is_late,
            coalesce('p' || coalesce(p.merged_into_id, p.id), 'e' || r.external_id)
                AS who
        FROM import_row r
        LEFT JOIN profiles_profile p ON p.external_id = r.external_id
        WHERE r.external_id IS NOT NULL
        UNION ALL
        SELECT r.line, o.profile_id, 1,
            coalesce('p' || o.profile_id, 'e' || o.external_id, 'l' || o.line)
        FROM import_row r
        JOIN import_owner o ON o.digest = r.digest
        WHERE r.external_id IS NULL
    ) w
) g
"""


@dataclass(slots=True)
class Waiting:
    """The waiting rows about one profile, in order."""

    profile_id: int | None
    rows: list[ParsedRow]
    row_count: int
    created_at: str  # of the row that makes the profile, if it has to be made

    @property
    def external_id(self) -> str:
        """Give the external id of the profile, if the rows say it: the first does."""
        return self.rows[0].external_id

    def new(self) -> ParsedRow:
        """Put the rows together to make the profile."""
        return replace(together(self.rows), created_at=self.created_at)

    def add(self, row: ParsedRow) -> None:
        self.rows.append(row)
        self.row_count += 1
        if len(self.rows) > _ROWS_OF_ONE:
            self.rows = [together(self.rows)]


class Staging:
    """The temporary tables of one import; a context manager that drops them."""

    def __init__(self, *, now: str) -> None:
        self._now = now
        self.row_count = 0

    def __enter__(self) -> Self:
        is_postgres = connection.vendor == "postgresql"
        moment, digest = ("timestamptz", "uuid") if is_postgres else ("text", "text")
        self._drop()
        bulk.execute(
            "CREATE TEMPORARY TABLE import_row (line bigint, external_id text,"
            f" digest {digest}, is_email boolean, created_at {moment}, parsed text)"
        )
        bulk.execute(
            f"CREATE TEMPORARY TABLE import_address (line bigint, digest {digest})"
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # When the connection is gone, so are they.
        with suppress(Error):
            self._drop()

    def _drop(self) -> None:
        for table in _TABLES:
            bulk.execute(f"DROP TABLE IF EXISTS {table}")

    def add(self, rows: Sequence[ParsedRow]) -> None:
        """Let rows wait."""
        if not rows:
            return
        self.row_count += len(rows)
        bulk.insert(
            "import_row",
            ["line", "external_id", "digest", "is_email", "created_at", "parsed"],
            [self._staged(row) for row in rows],
            nullable=["external_id", "digest"],
        )
        bulk.insert(
            "import_address",
            ["line", "digest"],
            [(row.line, given.digest) for row in rows for given in _owned(row)],
        )

    def _staged(self, row: ParsedRow) -> tuple[Any, ...]:
        key = None if row.external_id else row.key
        return (
            row.line,
            row.external_id,
            key.digest if key else "",
            bool(key and key.channel == Channel.EMAIL),
            row.created_at or self._now,
            _dumped(row),
        )

    def plan(self) -> None:
        """Find whom each waiting row is about, once all rows were added."""
        self._index("import_row", "line")
        self._index("import_address", "digest")
        bulk.execute(_KEYS)
        bulk.execute(_FIRST)
        self._index("import_first", "external_id")
        bulk.execute(_KNOWN)
        self._index("import_known", "digest")
        while bulk.execute(_BROUGHT):
            pass
        bulk.execute(_MAKERS)
        self._index("import_maker", "digest")
        bulk.execute(_OWNERS)
        self._index("import_owner", "digest")
        while bulk.execute(_FOLLOW):
            pass
        bulk.execute(_PLAN)
        self._index("import_plan", "place")

    def _index(self, table: str, column: str) -> None:
        bulk.execute(f"CREATE INDEX {table}_{column} ON {table} ({column})")
        if connection.vendor == "postgresql":
            bulk.execute(f"ANALYZE {table}")

    def people(self) -> Iterator[Waiting]:
        """Give the waiting rows of each profile they are about."""
        for (who, profile_id), planned in groupby(self._planned(), itemgetter(0, 1)):
            rows = (_loaded(parsed) for _who, _profile_id, parsed in planned)
            first = next(rows)
            waiting = Waiting(profile_id, [first], 1, first.created_at)
            for row in rows:
                waiting.add(row)
                if who == f"l{row.line}":
                    waiting.created_at = row.created_at
            yield waiting

    def _planned(self) -> Iterator[tuple[str, int | None, str]]:
        for start in range(0, self.row_count, _PAGE):
            yield from bulk.select(
                "SELECT p.who, p.profile_id, r.parsed FROM import_plan p"
                " JOIN import_row r ON r.line = p.line"
                " WHERE p.place > %s AND p.place <= %s ORDER BY p.place",
                [start, start + _PAGE],
            )


def _owned(row: ParsedRow) -> Iterable[GivenAddress]:
    """Give the addresses by which other rows may find the profile of this one."""
    if not row.external_id:
        return row.addresses
    return [given for given in row.addresses if given.channel == Channel.EMAIL]


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _dumped(row: ParsedRow) -> str:
    return _encode(
        [
            row.line,
            row.external_id,
            row.values,
            row.attributes,
            row.addresses,
            row.opt_outs,
            row.not_opted_out,
            row.created_at,
        ]
    )


def _loaded(text: str) -> ParsedRow:
    line, external_id, values, attributes, addresses, *rest = json.loads(text)
    given = [GivenAddress(*address) for address in addresses]
    return ParsedRow(line, external_id, values, attributes, given, *rest)
