from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from optout.exporting import export_profiles


class Command(BaseCommand):
    help = "Export all profiles as CSV, in the columns that import_profiles reads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", help="the file to write; else standard output"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path | None = options["file"]
        if path is None:
            export_profiles(self.stdout)
            return
        try:
            count = _write(path)
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be written: %(reason)s. Check its folder.")
                % {"file": path.name, "reason": error.strerror}
            ) from error
        self.stdout.write(f"profiles: {count}")


def _write(path: Path) -> int:
    if path.exists() and not path.is_file():
        # A device or a pipe is written to; nothing may take its place.
        with path.open("w", encoding="utf-8", newline="") as stream:
            return export_profiles(stream)
    # Under another name until it is whole, so that nobody takes half for all.
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as stream:
            count = export_profiles(stream)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count
