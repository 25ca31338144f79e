from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from delivery import dispatching
from delivery.dispatching import SendingRefused


class Command(BaseCommand):
    help = "Send what is confirmed and due. SIGTERM ends it after the message in hand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help=_("End when nothing is due.")
        )
        parser.add_argument(
            "--connections",
            type=int,
            default=dispatching.CONNECTIONS,
            metavar="N",
            help=_(
                "Senders side by side, 1 on SQLite. Each has SENDING_ABREAST"
                " connections to the mail server."
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            dispatching.run(
                is_once=options["once"],
                connections=options["connections"],
                report=lambda line: self.stderr.write(line),
            )
        except SendingRefused as refusal:
            raise CommandError(str(refusal)) from refusal
