import json
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from profiles.reading import FileError, Progress
from quarantine.importing import import_file


class Command(BaseCommand):
    help = "Import quarantined addresses: channel, address, status, reason (CSV)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV file")
        parser.add_argument("--report", type=Path, help="where failed rows are listed")
        parser.add_argument(
            "--dry-run", action="store_true", help="only count, write nothing"
        )
        parser.add_argument(
            "--json", action="store_true", help="print the summary as one JSON object"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            summary = import_file(
                options["file"],
                now=timezone.now(),
                by="command line",
                is_dry_run=options["dry_run"],
                report=options["report"],
                progress=self._progress(),
            )
        except FileError as error:
            raise CommandError(str(error)) from error
        finally:
            self._end_progress()

        figures = asdict(summary)
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, number in figures.items():
            self.stdout.write(f"{name}: {number}")

    def _progress(self) -> Callable[[Progress], None] | None:
        return self._show if self.stderr.isatty() else None

    def _show(self, progress: Progress) -> None:
        self._is_shown = True
        percent = 100 * progress.bytes_read // max(progress.bytes_total, 1)
        line = _("%(rows)d rows read (%(percent)d %%)") % {
            "rows": progress.rows,
            "percent": percent,
        }
        self.stderr.write(f"\r{line}", self.style.SUCCESS, ending="")

    def _end_progress(self) -> None:
        if getattr(self, "_is_shown", False):
            self.stderr.write("")
