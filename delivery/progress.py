"""Progress of a command, on standard error and only where a person looks at it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import OutputWrapper


@contextmanager
def terminal_progress(
    stderr: OutputWrapper, unit: str
) -> Iterator[Callable[[int, int], None]]:
    """Give a function of (done, in all) that rewrites one line of a terminal."""
    is_shown = stderr.isatty()

    def show(done: int, total: int) -> None:
        if is_shown:
            share = done / total if total else 1
            stderr.write(f"\r{share:4.0%}  {done:,} {unit}", ending="")
            stderr.flush()

    yield show
    if is_shown:
        stderr.write("\r\x1b[K", ending="")
