"""The five-minute guide: what a newcomer does, step by step, with a picture of each.

The pictures are made from the example data by tools/screenshots/guide.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

WIDTH: Final = 920
HEIGHT: Final = 620


@dataclass(frozen=True)
class Step:
    """One step. `name` is its picture; `right` opens the page of `url_name`."""

    name: str
    title: Promise
    text: Promise
    alt: Promise
    url_name: str
    link: Promise
    right: str


@dataclass(frozen=True)
class ShownStep:
    """A step as one reader sees it; without `url` they may not open its page."""

    step: Step
    picture: str
    url: str


STEPS: Final = (
    Step(
        "import",
        _("Import people"),
        _(
            "Upload a CSV file of the people you know: one row a person, with their"
            " addresses and opt-outs. A dry run counts what would happen. Rows that"
            " cannot be used come back in a report with the reason and the cure."
        ),
        _("An upload that is finished: how many rows were read, created and updated."),
        "upload_list",
        _("Open the uploads"),
        "optout.view_upload",
    ),
    Step(
        "landing-page",
        _("Give people a landing page"),
        _(
            "People change what they get on a public page that you write, preview"
            " and publish; messages carry a link to it. Until you have one of your"
            " own, a built-in page does the work."
        ),
        _("The preview of a landing page, with its title, boxes and button."),
        "landing_pages",
        _("Open the landing pages"),
        "optout.view_landingpage",
    ),
    Step(
        "opt-out",
        _("A person opts out"),
        _(
            "Whoever no longer wants messages says so on the page, by one click in"
            " their mail program, by STOP, or to you. An opt-out belongs to the"
            " person, counts at once, and stays in the ledger as proof."
        ),
        _("The opt-outs of one person: a box for each channel, and email is ticked."),
        "profiles",
        _("Find a person"),
        "profiles.view_profile",
    ),
    Step(
        "quarantine",
        _("Bad addresses go to quarantine"),
        _(
            "Quarantine belongs to an address, not to a person: it holds addresses"
            " that bounced, complained or were put there by hand. A person with a"
            " new address can be reached again."
        ),
        _("An address in quarantine: what happens next, why, and since when."),
        "quarantine",
        _("Open the quarantine"),
        "quarantine.view_quarantinedaddress",
    ),
    Step(
        "analyse",
        _("Analyse a delivery: who is excluded, and why"),
        _(
            "Make a delivery with a channel and an audience, and analyse it. The"
            " analysis finds everybody in the audience and says who will be reached,"
            " who is excluded, and by which rule. Nothing is sent, and you can ask"
            " for any one person why."
        ),
        _(
            "An analysed delivery: targeted, to send and excluded, and the reasons"
            " below."
        ),
        "delivery_list",
        _("Open the deliveries"),
        "delivery.view_delivery",
    ),
    Step(
        "confirm",
        _("Confirm, and it is sent"),
        _(
            "Look at the preview, send a proof to colleagues, and confirm. Errors in"
            " content, sender or links must be mended first. Each person is checked"
            " once more in the moment their message starts, so that an opt-out of a"
            " minute ago still counts."
        ),
        _(
            "The page to confirm a delivery: its figures, and what changed since the"
            " analysis before."
        ),
        "delivery_list",
        _("Choose a delivery to confirm"),
        "delivery.confirm_delivery",
    ),
    Step(
        "bounces",
        _("See what comes back"),
        _(
            "Bounces, complaints and replies are read by themselves. They put"
            " addresses into quarantine and stop people who ask for it, and the next"
            " delivery excludes them. What no rule understands waits for a person."
        ),
        _("The inbound page: how many reports were applied, and how many wait."),
        "inbound_list",
        _("Open what came in"),
        "delivery.view_inbound",
    ),
)


def steps(may: Callable[[str], bool]) -> list[ShownStep]:
    """Give every step with the picture of the page's language, and its page."""
    language = _language_of_pictures()
    return [
        ShownStep(
            step,
            static(f"console/guide/{step.name}-{language}.webp"),
            reverse(step.url_name) if may(step.right) else "",
        )
        for step in STEPS
    ]


def _language_of_pictures() -> str:
    language = (get_language() or "").split("-")[0]
    return language if language in dict(settings.CONSOLE_LANGUAGES) else "en"
