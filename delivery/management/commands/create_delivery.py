import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery import preparation
from delivery.preparation import DeliveryError
from profiles.channels import Channel


class Command(BaseCommand):
    help = "Make a delivery to everybody, with its content; print its id as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("label")
        codes = [channel.code for channel in Channel]
        parser.add_argument("--channel", required=True, choices=codes)
        parser.add_argument("--subject", default="", help=_("Subject of an email."))
        parser.add_argument("--html", metavar="FILE", help=_("HTML, in UTF-8."))
        parser.add_argument("--text", metavar="FILE", help=_("Text, in UTF-8."))
        parser.add_argument("--service", metavar="NAME", default="")
        parser.add_argument("--from", dest="sender", metavar="ADDRESS", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            delivery = preparation.create(
                options["label"],
                next(each for each in Channel if each.code == options["channel"]),
                service_name=options["service"],
                written={
                    "subject": options["subject"],
                    "html": preparation.read_file(options["html"]),
                    "text": preparation.read_file(options["text"]),
                    "sender": options["sender"],
                    # Nobody is there to be asked, so it counts as ticked.
                    "has_address_in_content": True,
                },
                now=timezone.now(),
            )
        except DeliveryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({"delivery": delivery.pk}))
