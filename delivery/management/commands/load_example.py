from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery import example


class Command(BaseCommand):
    help = "Load example data (made-up people) into a database without profiles."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="a database with profiles is left as it is, and that is no failure",
        )

    def handle(self, **options: Any) -> None:
        if options["if_empty"] and not example.can_load():
            return
        try:
            loaded = example.load(now=timezone.now())
        except example.ExampleError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            _(
                "Loaded example data: %(profiles)d profiles, %(quarantined)d"
                " quarantined addresses, %(deliveries)d deliveries."
            )
            % vars(loaded)
        )
