import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from delivery.inbound import qualifying
from delivery.inbound.qualifying import ReadFile

ROW = "{:<28} {:<10} {:<36} {:<7} {:<16} {:<7} {}"


class Command(BaseCommand):
    help = "Say what would be made of mails in files. Needs no database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths",
            nargs="+",
            type=Path,
            metavar="PATH",
            help="a mail, or a folder of mails",
        )
        parser.add_argument(
            "--jsonl", action="store_true", help="print a line of JSON for each file"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            files = qualifying.files_of(options["paths"])
        except OSError as error:
            raise CommandError(
                _("%(path)s cannot be read: %(reason)s. Check the path.")
                % {"path": error.filename, "reason": error.strerror}
            ) from error
        if not options["jsonl"]:
            heads = ("file", "kind", "recipient", "type", "reason", "status", "confirm")
            self._print_row(*heads)
        for file in qualifying.read_files(files):
            if file.trouble:
                self.stderr.write(
                    _("%(file)s cannot be read: %(reason)s.")
                    % {"file": file.name, "reason": file.trouble}
                )
            if options["jsonl"]:
                line = json.dumps(qualifying.described(file), ensure_ascii=False)
                self.stdout.write(line)
            else:
                self._print(file)

    def _print(self, file: ReadFile) -> None:
        described = qualifying.described(file)
        for each in described["recipients"] or [{}]:
            self._print_row(
                file.name,
                described["kind"],
                *(each.get(key, "") for key in ("recipient", "type", "reason")),
                each.get("status", "") or each.get("reply", ""),
                "yes" if each.get("confirm") else "",
            )

    def _print_row(self, *cells: str) -> None:
        self.stdout.write(ROW.format(*cells).rstrip())
