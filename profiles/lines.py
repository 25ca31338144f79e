"""The bytes of a file as lines of text, whatever made the file.

UTF-8 and UTF-16 with or without byte order mark; LF, CRLF or CR. What cannot be
decoded becomes lone surrogates, which the reader of rows fails row by row. A line
longer than MAX_LINE is cut, so memory stays flat whatever the file holds.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

CHUNK_BYTES = 1 << 19
MAX_LINE = 1 << 20  # characters
_SIGNATURES = (b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"\xd0\xcf\x11\xe0", b"SQLite")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class FileError(Exception):
    """A file that cannot be read at all; the sentence says what to do."""


class LineSource:
    """Chunks of whole lines of one file, and how far the reading has come."""

    def __init__(self, stream: BinaryIO, *, name: str) -> None:
        self._stream = stream
        self.name = name
        self.bytes_total = stream.seek(0, io.SEEK_END)
        self.bytes_read = 0
        stream.seek(0)
        self._decoder = self._make_decoder(stream.read(4096))

    def _make_decoder(self, start: bytes) -> codecs.IncrementalDecoder:
        if not start.strip(b"\xef\xbb\xbf\xff\xfe \r\n\t\0"):
            raise FileError(
                _("%(file)s is empty. Give a file with a header line and rows.")
                % {"file": self.name}
            )
        encoding, length = encoding_of(start)
        if not encoding:
            raise FileError(
                _(
                    "%(file)s is not a text file. Save it as CSV in UTF-8 and give"
                    " that file."
                )
                % {"file": self.name}
            )
        self._stream.seek(length)
        self.bytes_read = length
        # Undecodable bytes come out as lone surrogates in both.
        errors = "surrogateescape" if encoding == "utf-8" else "surrogatepass"
        return codecs.getincrementaldecoder(encoding)(errors=errors)

    def close(self) -> None:
        self._stream.close()

    def chunks(self) -> Iterator[str]:
        """Give texts of whole lines; a line that is too long comes cut.

        A cut line ends in more characters than the csv module lets a cell have, so
        that reading it always fails, whatever it stands in.
        """
        tail, cut = "", None
        for text in self._texts():
            lines, tail = _split_at_last_line(tail + text)
            if cut is not None and lines:
                end, lines = _split_at_first_line(lines)
                yield cut.line(end)
                cut = None
            if lines:
                yield lines
            if cut is None and len(tail) > MAX_LINE:
                cut = _CutLine(tail)
            if cut is not None:
                tail = cut.drop(tail)
        if cut is not None:
            yield cut.line(tail)
        elif tail:
            yield tail

    def _texts(self) -> Iterator[str]:
        while raw := self._read():
            self.bytes_read += len(raw)
            yield self._decoder.decode(raw)
        try:
            yield self._decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            yield "\udcff"

    def _read(self) -> bytes:
        try:
            return self._stream.read(CHUNK_BYTES)
        except OSError as error:
            raise unreadable_file(self.name, error) from error


def unreadable_file(name: str, error: OSError) -> FileError:
    return FileError(
        _("%(file)s cannot be read: %(reason)s. Check its path and its permissions.")
        % {"file": name, "reason": error.strerror or type(error).__name__}
    )


def unwritable_file(name: str, error: OSError) -> FileError:
    return FileError(
        _("%(file)s cannot be written: %(reason)s. Give another path.")
        % {"file": name, "reason": error.strerror or type(error).__name__}
    )


def open_lines(source: Path | BinaryIO) -> LineSource:
    """Open a file, or take one that is open and can seek. Raises FileError."""
    if not isinstance(source, Path):
        name = str(getattr(source, "name", "") or _("The file"))
        return LineSource(source, name=Path(name).name)
    try:
        stream = source.open("rb")
    except OSError as error:
        raise unreadable_file(source.name, error) from error
    try:
        return LineSource(stream, name=source.name)
    except (OSError, FileError) as error:
        stream.close()
        if isinstance(error, FileError):
            raise
        raise unreadable_file(source.name, error) from error


def encoding_of(start: bytes) -> tuple[str, int]:
    """Tell (encoding, length of its mark) from the first bytes; ("", 0): not text."""
    if start.startswith(_SIGNATURES):
        return "", 0
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding, len(mark)

    # A header has Latin letters and commas: in UTF-16 a zero byte each, on one side.
    header = start[:64]
    zeros = header[0::2].count(0), header[1::2].count(0)
    many = 0.4 * len(header) / 2
    if zeros[1] > many and zeros[1] > 8 * zeros[0]:
        return "utf-16-le", 0
    if zeros[0] > many and zeros[0] > 8 * zeros[1]:
        return "utf-16-be", 0
    # In UTF-8 it has none; a cell further down may, and fails its row only.
    if 0 in start.lstrip().splitlines()[0] or start.count(0) > 0.2 * len(start):
        return "", 0
    return "utf-8", 0


def _split_at_last_line(text: str) -> tuple[str, str]:
    # A CR that ends the text may be half of CRLF: wait for what follows.
    end = len(text) - 1 if text.endswith("\r") else len(text)
    cut = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1
    return text[:cut], text[cut:]


def _split_at_first_line(lines: str) -> tuple[str, str]:
    stream = io.StringIO(lines, newline="")
    return stream.readline(), stream.read()


class _CutLine:
    """A line that is too long: its start, and whether its quotes come in pairs."""

    def __init__(self, start: str) -> None:
        limit = csv.field_size_limit()
        self._kept = start[:limit] + "x" * (limit + 1)
        self._quotes = 0

    def drop(self, text: str) -> str:
        """Forget text of the line; give back a CR that may be half of CRLF."""
        self._quotes += text.count('"')
        return text[-1:] if text.endswith("\r") else ""

    def line(self, end: str) -> str:
        is_open = (self._quotes + end.count('"')) % 2 == 1
        has_open_start = self._kept.count('"') % 2 == 1
        return self._kept + ('"' if is_open != has_open_start else "") + "\n"
