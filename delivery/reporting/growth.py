"""Report: how services grow, week by week and next to each other."""

from typing import Final

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from delivery.reporting import pictures
from delivery.reporting.sections import Choice, Section, day_text
from delivery.reporting.tables import Cell, Row, Table
from optout import service_growth
from optout.models import Subscription
from optout.service_growth import Growth, Moves
from profiles import counting

MOST_SERVICES: Final = 30


def sections(choice: Choice) -> list[Section]:
    """Count who came and who went, of one service or of all."""
    found = service_growth.growth(choice.period, choice.service, now=choice.now)
    return [_weeks(found), _services(found)]


def last_figure(choice: Choice) -> tuple[int, str] | None:
    """Give how many subscriptions count now."""
    rows: QuerySet[Subscription] = Subscription.objects.current(choice.now)
    return counting.count(rows).number, _("subscriptions now")


def _columns() -> list[str]:
    return [
        *(_("Came"), _("Of these on a page"), _("Left")),
        *(_("Expired"), _("Net")),
    ]


def _cells(moves: Moves) -> list[Cell]:
    return [
        *(moves.subscribed, moves.confirmed, moves.unsubscribed),
        *(moves.expired, moves.net),
    ]


def _weeks(growth: Growth) -> Section:
    names, at_end = _columns(), _("Members at its end")
    totals = growth.totals
    is_any = any(growth.members.values()) or any(
        moves != Moves() for moves in growth.weeks.values()
    )
    rows = [
        Row(day_text(week), [*_cells(moves), *([totals[week]] if totals else [])])
        for week, moves in growth.weeks.items()
    ]
    table = Table(
        _("Week from"), [*names, at_end] if totals else names, rows if is_any else []
    )
    note = _(
        "Weeks begin on Monday. Who subscribes on a page has confirmed it by a link"
        " in a mail of ours. A renewal counts as a subscription."
    )
    if totals is None:
        note += " " + _(
            "Subscriptions here expire, so the members of earlier weeks are not known."
        )
    columns = pictures.columns_of(
        table,
        names[:1],
        names[2:4],
        title=_("Who came and who went"),
        description=_("Those who came above the line, those who went below it."),
    )
    return Section(
        "weeks",
        _("Week by week"),
        note,
        table,
        columns=columns,
        line=_line(table, at_end) if totals else None,
    )


def _line(table: Table, name: str) -> pictures.Line:
    return pictures.line_of(
        table,
        name,
        title=_("Members, as each week ended"),
        description=_("Worked out from those of now, back in time."),
    )


def _services(growth: Growth) -> Section:
    names, now = _columns(), _("Members now")
    ordered = sorted(growth.members.items(), key=lambda each: -each[1])
    rows = [
        Row(
            service.label,
            [*_cells(growth.services[service]), count],
            reverse("service_detail", args=[service.pk]),
        )
        for service, count in ordered
    ]
    table = Table(_("Service"), [*names, now], rows[:MOST_SERVICES])
    bars = pictures.bars_of(
        table,
        [now],
        title=now,
        description=_("One bar for each service, the largest first."),
        values=[intcomma(count) for _service, count in ordered[:MOST_SERVICES]],
    )
    note = _("The %(count)s with the most members.") % {"count": MOST_SERVICES}
    return Section("services", _("Service by service"), note, table, bars=bars)
