from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from delivery import confirming, preparation
from delivery.confirming import ConfirmationRefused
from delivery.preparation import DeliveryError


class Command(BaseCommand):
    help = "Confirm a delivery, so that it is sent; warnings do not stop it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("delivery", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            delivery = preparation.find(options["delivery"])
            warnings = confirming.confirm(
                delivery, by="command line", now=timezone.now()
            )
        except (DeliveryError, ConfirmationRefused) as error:
            raise CommandError(str(error)) from error
        for warning in warnings:
            self.stderr.write(warning.sentence)
