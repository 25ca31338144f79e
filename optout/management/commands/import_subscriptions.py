import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from optout.importing_subscriptions import import_file
from optout.models import Service
from profiles.progress import reading_progress
from profiles.reading import FileError


class Command(BaseCommand):
    help = "Subscribe and unsubscribe people by a CSV file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV file")
        parser.add_argument(
            "--service", help="the name of the service, for rows that name none"
        )
        parser.add_argument("--report", type=Path, help="where failed rows are listed")
        parser.add_argument(
            "--dry-run", action="store_true", help="only count, write nothing"
        )
        parser.add_argument(
            "--json", action="store_true", help="print the summary as one JSON object"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        service = _service(options["service"])
        with reading_progress(self.stderr) as progress:
            try:
                summary = import_file(
                    options["file"],
                    now=timezone.now(),
                    by="command line",
                    service=service,
                    is_dry_run=options["dry_run"],
                    report=options["report"],
                    progress=progress,
                )
            except FileError as error:
                raise CommandError(str(error)) from error
            except KeyboardInterrupt:
                raise CommandError(
                    _(
                        "Stopped. What was committed stays; run the file again to go"
                        " on."
                    ),
                    returncode=130,
                ) from None

        figures = asdict(summary)
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, number in figures.items():
            self.stdout.write(f"{name}: {number}")


def _service(name: str | None) -> Service | None:
    if name is None:
        return None
    service = Service.objects.filter(name__iexact=name).first()
    if service is None:
        names = ", ".join(Service.objects.values_list("name", flat=True)) or "–"
        raise CommandError(
            _("There is no service “%(name)s”. Known are: %(names)s.")
            % {"name": name, "names": names}
        )
    return service
