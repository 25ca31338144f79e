import io
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery import extraction, preparation
from delivery.extraction import ExtractionError
from delivery.preparation import DeliveryError

BY = "command line"


class Command(BaseCommand):
    help = "Hand over the file of a delivery by phone, direct mail, fax or push."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("delivery", type=int, help=_("id of a delivery"))
        parser.add_argument(
            "--output",
            metavar="FILE",
            type=Path,
            help=_("Where it is written; to the standard output without it."),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            delivery = preparation.find(options["delivery"])
            if options["output"]:
                extraction.write(delivery, options["output"], by=BY, now=timezone.now())
                return
            file = extraction.hand_over(delivery, by=BY, now=timezone.now())
        except (DeliveryError, ExtractionError) as error:
            raise CommandError(str(error)) from error
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        for piece in extraction.content(file):
            self.stdout.write(piece.decode(), ending="")
