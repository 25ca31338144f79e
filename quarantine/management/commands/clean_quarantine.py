from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _

from profiles.progress import terminal_progress
from quarantine import cleaning


class Command(BaseCommand):
    help = "Release the addresses whose time is over; the worker does so every night."

    def handle(self, *args: Any, **options: Any) -> None:
        with terminal_progress(self.stderr, _("addresses")) as progress:
            cleaned = cleaning.clean(now=timezone.now(), progress=progress)
        self.stdout.write(
            f"released: {cleaned.released}, made definite: {cleaned.made_definite}"
        )
