"""Progress of a command, on standard error and only where a person looks at it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

from profiles.reading import Progress


@contextmanager
def terminal_progress(
    stderr: OutputWrapper, unit: str
) -> Iterator[Callable[[int, int], None]]:
    """Give a function of (done, in all) that rewrites one line of a terminal."""
    with _terminal_line(stderr) as show:

        def tell(done: int, total: int) -> None:
            share = done / total if total else 1
            show(f"{share:4.0%}  {done:,} {unit}")

        yield tell


@contextmanager
def reading_progress(stderr: OutputWrapper) -> Iterator[Callable[[Progress], None]]:
    """Give a function that tells how far the reading of a file has come."""
    with _terminal_line(stderr) as show:

        def tell(progress: Progress) -> None:
            percent = 100 * progress.bytes_read // max(progress.bytes_total, 1)
            figures = {"rows": progress.rows, "percent": percent}
            show(_("%(rows)d rows read (%(percent)d %%)") % figures)

        yield tell


@contextmanager
def _terminal_line(stderr: OutputWrapper) -> Iterator[Callable[[str], None]]:
    is_shown = stderr.isatty()

    def show(text: str) -> None:
        if is_shown:
            stderr.write(f"\r{text}", ending="")
            stderr.flush()

    try:
        yield show
    finally:
        if is_shown:
            stderr.write("\r\x1b[K", ending="")
