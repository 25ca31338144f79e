import io
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from delivery import exporting, preparation


class Command(BaseCommand):
    help = "Write the log of a delivery as CSV: everybody targeted, and what became."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("delivery", type=int, help="id of a delivery")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            delivery = preparation.find(options["delivery"])
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8", newline="")
            exporting.write_log(delivery, self.stdout)
        except (preparation.DeliveryError, exporting.NotAnalysed) as error:
            raise CommandError(str(error)) from error
