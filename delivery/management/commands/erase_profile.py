from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.erasure import ErasureError, erase
from profiles.models import Profile


class Command(BaseCommand):
    help = "Erase a person: opt out, delete their data, never write to them again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("external_id", help="the key of the profile in your CRM")
        parser.add_argument(
            "--reason", required=True, help="why, and who asked; kept as evidence"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        external_id = options["external_id"]
        profile = Profile.objects.known_as(external_id).first()
        if profile is None:
            raise CommandError(
                _(
                    "There is no profile with external id “%(id)s”. Check its"
                    " spelling; an erased profile has no external id."
                )
                % {"id": external_id}
            )

        try:
            erasure = erase(
                profile,
                by="command line",
                reason=options["reason"],
                now=timezone.now(),
            )
        except ErasureError as error:
            raise CommandError(str(error)) from error

        for name, number in asdict(erasure).items():
            self.stdout.write(f"{name}: {number}")
