from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery import explanation, preparation
from delivery.explanation import Answer, Explanation
from profiles.models import Profile

MARKS = {
    Answer.EXCLUDED: "✗",
    Answer.PASSED: "✓",
    Answer.NOT_APPLICABLE: "–",
}


class Command(BaseCommand):
    help = "Say of one person why a delivery would, or would not, reach them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("external_id")
        parser.add_argument("--delivery", type=int, required=True, metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            delivery = preparation.find(options["delivery"])
        except preparation.DeliveryError as error:
            raise CommandError(str(error)) from error
        profile = Profile.objects.known_as(options["external_id"]).first()
        if profile is None:
            raise CommandError(
                _("There is no profile ‘%(id)s’. Check the external id.")
                % {"id": options["external_id"]}
            )
        self._print(explanation.explain(profile, delivery, now=timezone.now()))

    def _print(self, explained: Explanation) -> None:
        self.stdout.write(f"profile: {explained.profile.external_id}")
        self.stdout.write(f"delivery: {explained.delivery.pk}")
        self.stdout.write(f"outcome: {explained.outcome}")
        reason = explained.primary_reason
        self.stdout.write(f"reason: {reason.code if reason else ''}")
        for rule in explained.rules:
            line = f"{rule.reason.value:>2} {MARKS[rule.answer]} {rule.reason.code}"
            self.stdout.write(" ".join(filter(None, (line, rule.fact, rule.cure))))
