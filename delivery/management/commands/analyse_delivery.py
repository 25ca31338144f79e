import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery import analysis, preparation
from delivery.models import Analysis
from delivery.watching import Progress
from profiles.channels import Channel
from profiles.progress import terminal_progress


class Command(BaseCommand):
    help = "Analyse a delivery: who will be reached, who will not, and why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("delivery", nargs="?", type=int, help="id of a delivery")
        parser.add_argument("--new", metavar="LABEL", help="make a delivery first")
        parser.add_argument("--channel", choices=[each.code for each in Channel])
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        self._parser = parser

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["delivery"] is None) == (options["new"] is None):
            self._parser.error("give either the id of a delivery, or --new LABEL")
        if (options["new"] is None) != (options["channel"] is None):
            self._parser.error("--new LABEL and --channel CHANNEL belong together")

        with terminal_progress(self.stderr, _("profiles")) as progress:
            try:
                run = self._analyse(options, progress)
            except (analysis.AnalysisError, preparation.DeliveryError) as error:
                raise CommandError(str(error)) from error
        self._print(run, as_json=options["json"])

    def _analyse(self, options: Any, progress: Progress) -> Analysis:
        by, now = "command line", timezone.now()
        if options["new"] is not None:
            channel = Channel[options["channel"].upper()]
            return preparation.create_and_analyse(
                options["new"], channel, by=by, now=now, progress=progress
            )
        delivery = preparation.find(options["delivery"])
        return analysis.prepare(delivery, by=by, now=now, progress=progress)

    def _print(self, run: Analysis, *, as_json: bool) -> None:
        figures = {
            "delivery": run.delivery_id,
            "targeted": run.targeted_count,
            "to_send": run.to_send_count,
            "excluded": run.excluded_counts,
            "seconds": run.seconds,
        }
        if as_json:
            self.stdout.write(json.dumps(figures))
            return
        excluded = figures.pop("excluded")
        for name, figure in (*figures.items(), *excluded.items()):
            self.stdout.write(f"{name}: {figure}")
