from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import ngettext

from optout import bursts


class Command(BaseCommand):
    help = "Flag many opt-outs of one delivery within seconds. Changes no opt-out."

    def handle(self, *args: object, **options: object) -> None:
        found = bursts.detect(timezone.now())
        text = ngettext(
            "%(count)s new burst was flagged.",
            "%(count)s new bursts were flagged.",
            found,
        )
        self.stdout.write(text % {"count": found})
