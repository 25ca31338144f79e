"""Report: bounces by reason and by domain, hard and soft."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.translation import gettext as _

from delivery.reporting import pictures
from delivery.reporting.sections import Choice, Section
from delivery.reporting.tables import Row, Table
from profiles import periods
from quarantine import bounce_figures
from quarantine.bounce_figures import MOST_DOMAINS, Bounces
from quarantine.reasons import Reason


def sections(choice: Choice) -> list[Section]:
    """Count what was reported of addresses in the period."""
    report = bounce_figures.report(choice.period, choice.channel)
    rows = [_row(each, _reason, "reason") for each in report.reasons]
    domains = [_row(each, _domain, "domain") for each in report.domains]
    if report.others.total:
        # Telephone numbers and the like have no domain.
        domains.append(_row(report.others, lambda _key: _("All others"), ""))
    more = [
        (reverse("quarantine_figures"), _("By error code, delivery and day")),
        (reverse("quarantine_growth"), _("Growth of the quarantine")),
    ]
    return [
        _section(
            "reasons",
            _("By reason"),
            Table(_("Reason"), _columns(), rows),
            links=more,
        ),
        _section(
            "domains",
            _("By domain"),
            Table(_("Domain"), _columns(), domains),
            note=_("The %(count)s domains with the most errors, and all others.")
            % {"count": MOST_DOMAINS},
        ),
    ]


def last_figure(choice: Choice) -> tuple[int, str] | None:
    """Give how many errors the last week had."""
    week = periods.last_days(7, now=choice.now)
    return bounce_figures.total(week), _("in the last 7 days")


def _columns() -> list[str]:
    return [
        *(_("Hard"), _("Soft"), _("Changed nothing")),
        *(_("All errors"), _("Into quarantine")),
    ]


def _section(
    name: str,
    title: str,
    table: Table,
    *,
    note: str = "",
    links: Sequence[tuple[str, str]] = (),
) -> Section:
    bars = pictures.bars_of(
        table,
        table.columns[:3],
        title=title,
        description=_("One bar for each line of the table, the longest first."),
        values=[intcomma(cell) for cell in table.column(_("All errors"))],
    )
    return Section(name, title, note, table, bars=bars, links=links)


def _row(bounces: Bounces, label: Callable[[str], str], field: str) -> Row:
    url = f"{reverse('quarantine')}?{urlencode({field: bounces.key})}"
    cells = [bounces.hard, bounces.soft, bounces.noted, bounces.total, bounces.held]
    return Row(label(bounces.key), cells, url if bounces.key else "")


def _reason(key: str) -> str:
    return str(Reason(key).label)


def _domain(key: str) -> str:
    return key
