from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from optout.importing_subscriptions import import_file
from optout.models import Service
from profiles import reading_commands
from profiles.progress import reading_progress
from profiles.reading import FileError


class Command(BaseCommand):
    help = "Subscribe and unsubscribe people by a CSV file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        reading_commands.add_options(parser)
        parser.add_argument(
            "--service", help="the name of the service, for rows that name none"
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

        reading_commands.show_figures(
            self.stdout, asdict(summary), is_json=options["json"]
        )


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
