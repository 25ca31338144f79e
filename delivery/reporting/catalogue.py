"""All reports: what each answers, who may see it, and how it is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from delivery.forms_reports import (
    ChannelForm,
    PeriodForm,
    ServiceForm,
    ThroughputForm,
)
from delivery.reporting import bounces, exclusions, growth, opt_outs, throughput
from delivery.reporting.sections import Choice, Section


@dataclass(frozen=True)
class Catalogued:
    """One report. `name` names its pages and files."""

    name: str
    title: Promise
    question: Promise
    right: str
    sections: Callable[[Choice], Sequence[Section]]
    last_figure: Callable[[Choice], tuple[int, str] | None]
    form: type[PeriodForm] = ChannelForm
    days: int = 30

    @property
    def url_name(self) -> str:
        return f"report_{self.name}"

    @property
    def slug(self) -> str:
        return self.name.replace("_", "-")


EXCLUSIONS: Final = Catalogued(
    "exclusions",
    _("Exclusions"),
    _("Who was excluded from deliveries, and by which rule?"),
    "delivery.view_delivery",
    exclusions.sections,
    exclusions.last_figure,
    days=90,
)
BOUNCES: Final = Catalogued(
    "bounces",
    _("Bounces"),
    _("What goes wrong with addresses, and at which domains?"),
    "quarantine.view_quarantinedaddress",
    bounces.sections,
    bounces.last_figure,
)
OPT_OUTS: Final = Catalogued(
    "opt_outs",
    _("Opt-outs"),
    _("Who opts out, by which way, and after which delivery?"),
    "optout.view_consentevent",
    opt_outs.sections,
    opt_outs.last_figure,
)
SERVICES: Final = Catalogued(
    "services",
    _("Growth of services"),
    _("Which services grow, and which lose people?"),
    "optout.view_service",
    growth.sections,
    growth.last_figure,
    form=ServiceForm,
    days=90,
)
THROUGHPUT: Final = Catalogued(
    "throughput",
    _("Throughput"),
    _("How fast are messages sent, and what is refused?"),
    "delivery.view_delivery",
    throughput.sections,
    throughput.last_figure,
    form=ThroughputForm,
)
REPORTS: Final = (EXCLUSIONS, BOUNCES, OPT_OUTS, SERVICES, THROUGHPUT)
