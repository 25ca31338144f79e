"""Report: opt-outs by time, source and delivery, with the opt-ins beside them."""

from collections.abc import Mapping
from datetime import date

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.translation import gettext as _

from delivery.models import Delivery
from delivery.reporting import pictures
from delivery.reporting.sections import Choice, Section, share
from delivery.reporting.tables import Cell, Row, Table
from optout import consent_figures
from optout.consent_figures import MOST_DELIVERIES, Changes
from optout.models.ledger import ConsentSource
from profiles import periods


def sections(choice: Choice) -> list[Section]:
    """Count the rows of the ledger; deliveries only for who may see them."""
    report = consent_figures.report(choice.period, choice.channel)
    parts = [
        _over_time(choice, report.steps),
        _by_source(report.sources),
    ]
    if choice.may("delivery.view_delivery"):
        parts.append(_by_delivery(choice))
    return parts


def last_figure(choice: Choice) -> tuple[int, str] | None:
    """Give how many opt-outs the last week had."""
    week = periods.last_days(7, now=choice.now)
    return consent_figures.opt_outs(week), _("in the last 7 days")


def _columns() -> list[str]:
    return [
        *(_("Opt-outs"), _("Subscriptions ended"), _("Opt-ins")),
        *(_("Subscriptions begun"), _("Net")),
    ]


def _cells(changes: Changes) -> list[Cell]:
    return [
        *(changes.opted_out, changes.unsubscribed, changes.opted_in),
        *(changes.subscribed, changes.net),
    ]


def _over_time(choice: Choice, steps: Mapping[date, Changes]) -> Section:
    names = _columns()
    is_weekly = choice.period.is_weekly
    rows = [Row(str(step), _cells(changes)) for step, changes in steps.items()]
    is_any = any(changes != Changes() for changes in steps.values())
    table = Table(
        _("Week from") if is_weekly else _("Day"), names, rows if is_any else []
    )
    return Section(
        "time",
        _("Week by week") if is_weekly else _("Day by day"),
        _("Each change of consent counts, of a channel or of a service."),
        table,
        columns=pictures.columns_of(
            table,
            [names[2], names[3]],
            [names[0], names[1]],
            title=_("Opt-ins and opt-outs"),
            description=_("Opt-ins above the line, opt-outs below it."),
        ),
    )


def _by_source(sources: Mapping[str, Changes]) -> Section:
    names = _columns()
    rows = [
        Row(str(ConsentSource(source).label), _cells(changes))
        for source, changes in sources.items()
    ]
    table = Table(_("Source"), names, rows)
    return Section(
        "sources",
        _("By source"),
        "",
        table,
        bars=pictures.bars_of(
            table,
            names[:2],
            title=_("Opt-outs by source"),
            description=_("One bar for each source, the most opt-outs first."),
            values=[intcomma(changes.lost) for changes in sources.values()],
        ),
    )


def _by_delivery(choice: Choice) -> Section:
    found, others = consent_figures.by_delivery(choice.period, choice.channel)
    known = Delivery.objects.select_related("current_analysis").in_bulk(list(found))
    rows = [_row(pk, known.get(pk), changes) for pk, changes in found.items()]
    values = [intcomma(changes.lost) for changes in found.values()]
    if others.lost:
        cells = [others.opted_out, others.unsubscribed, None]
        rows.append(Row(_("All other deliveries"), cells))
        values.append(intcomma(others.lost))
    names = [_("Opt-outs"), _("Subscriptions ended")]
    table = Table(_("Delivery"), [*names, _("Of those to send to, %")], rows)
    return Section(
        "deliveries",
        _("By delivery"),
        _("The %(count)s deliveries whose links led to the most opt-outs.")
        % {"count": MOST_DELIVERIES},
        table,
        bars=pictures.bars_of(
            table,
            names,
            title=_("Opt-outs by delivery"),
            description=_("One bar for each delivery, the most opt-outs first."),
            values=values,
        ),
    )


def _row(pk: int, delivery: Delivery | None, changes: Changes) -> Row:
    counts = [changes.opted_out, changes.unsubscribed]
    if delivery is None:
        return Row(_("Delivery %(number)s") % {"number": pk}, [*counts, None])
    analysis = delivery.current_analysis
    to_send = analysis.to_send_count if analysis is not None else 0
    url = reverse("delivery_detail", args=[pk])
    return Row(delivery.label, [*counts, share(changes.lost, to_send)], url)
