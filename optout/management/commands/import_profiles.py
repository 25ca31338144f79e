from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from optout.importing import ImportSummary, import_profiles
from profiles import reading_commands
from profiles.progress import reading_progress
from profiles.reading import FailedRow, FileError, Progress

_SHOWN_FAILURES: Final = 20


class Command(BaseCommand):
    help = "Import profiles, their addresses and their opt-outs from a CSV file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        reading_commands.add_options(parser)
        parser.add_argument(
            "--map",
            action="append",
            type=_column_and_field,
            default=[],
            metavar="COLUMN=FIELD",
            help="read a column as this field; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._failures: list[FailedRow] = []
        columns = [column.casefold() for column, _field in options["map"]]
        if len(set(columns)) < len(columns):
            raise CommandError(
                _("--map names a column twice. Give it one field."), returncode=2
            )
        with reading_progress(self.stderr) as progress:
            summary = self._import(options, progress)
        self._show_failures(summary.failed)
        reading_commands.show_figures(
            self.stdout, asdict(summary), is_json=options["json"]
        )

    def _import(
        self, options: Any, progress: Callable[[Progress], None]
    ) -> ImportSummary:
        try:
            return import_profiles(
                options["file"],
                now=timezone.now(),
                by="command line",
                mapping=dict(options["map"]),
                is_dry_run=options["dry_run"],
                report=options["report"] or self._keep_failure,
                progress=progress,
            )
        except FileError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(
                _("Stopped. What was committed stays; run the file again to go on."),
                returncode=130,
            ) from None

    def _keep_failure(self, failed: FailedRow) -> None:
        if len(self._failures) < _SHOWN_FAILURES:
            self._failures.append(failed)

    def _show_failures(self, count: int) -> None:
        for failed in self._failures:
            place = f"{failed.line} {failed.column}".strip()
            self.stderr.write(
                _("Line %(place)s: %(reason)s %(cure)s")
                % {"place": place, "reason": failed.reason, "cure": failed.cure}
            )
        if self._failures and count > len(self._failures):
            self.stderr.write(
                _("%(count)d rows failed in all; --report PATH lists them.")
                % {"count": count}
            )


def _column_and_field(text: str) -> tuple[str, str]:
    column, _separator, field = text.rpartition("=")
    if not column.strip() or not field.strip():
        raise ArgumentTypeError(f"“{text}” is not COLUMN=FIELD")
    return column.strip(), field.strip()
