from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from profiles import reading_commands
from profiles.progress import reading_progress
from profiles.reading import FileError
from quarantine.importing import import_file


class Command(BaseCommand):
    help = "Import quarantined addresses: channel, address, status, reason (CSV)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        reading_commands.add_options(parser)

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

        reading_commands.show_figures(
            self.stdout, asdict(summary), is_json=options["json"]
        )
