import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from profiles.progress import reading_progress
from profiles.reading import FileError
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
        with reading_progress(self.stderr) as progress:
            try:
                summary = import_file(
                    options["file"],
                    now=timezone.now(),
                    by="command line",
                    is_dry_run=options["dry_run"],
                    report=options["report"],
                    progress=progress,
                )
            except FileError as error:
                raise CommandError(str(error)) from error

        figures = asdict(summary)
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, number in figures.items():
            self.stdout.write(f"{name}: {number}")
