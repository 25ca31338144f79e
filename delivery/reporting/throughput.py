"""Report: how fast deliveries were sent, and how much of it was refused."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery import throughput
from delivery.models import Delivery
from delivery.reporting import pictures
from delivery.reporting.sections import Choice, Section, moment_text, share
from delivery.reporting.tables import Row, Table, shown
from delivery.throughput import MOST_DELIVERIES, MOST_DOMAINS, Attempts
from profiles.channels import Channel
from quarantine import bounce_figures
from quarantine.bounce_figures import Bounces


def sections(choice: Choice) -> list[Section]:
    """Show one delivery along time, all of the period, and the domains."""
    rows = throughput.deliveries(choice.period, choice.channel)
    shown = choice.delivery or next(iter(rows), None)
    parts = [_progress(shown)] if shown is not None else []
    parts.append(_deliveries(rows))
    is_email = choice.channel in {None, Channel.EMAIL}
    if is_email and choice.may("quarantine.view_quarantinedaddress"):
        parts.append(_domains(choice))
    return parts


def last_figure(choice: Choice) -> tuple[int, str] | None:
    """Give how fast the latest delivery that ended was sent."""
    latest = throughput.begun().filter(finished_at__isnull=False).first()
    speed = throughput.per_minute(latest) if latest is not None else None
    if latest is None or speed is None:
        return None
    return speed, _("messages a minute of “%(delivery)s”") % {"delivery": latest}


def _progress(delivery: Delivery) -> Section:
    found = throughput.progress(delivery)
    names = [_("Accepted"), _("Refused for now"), _("Failed"), _("No answer")]
    rows = [
        Row(str(moment_text(moment)), [*_counts(attempts), _speed(attempts, found)])
        for moment, attempts in found.steps.items()
    ]
    table = Table(_("From"), [*names, _("Attempts a minute")], rows)
    columns = pictures.columns_of(
        table,
        names,
        title=_("Attempts of “%(delivery)s”") % {"delivery": delivery},
        description=ngettext(
            "Each column is %(minutes)s minute.",
            "Each column is %(minutes)s minutes.",
            found.minutes,
        )
        % {"minutes": found.minutes},
    )
    return Section(
        "progress",
        str(delivery),
        _summary(found.total),
        table,
        columns=columns,
    )


def _counts(attempts: Attempts) -> list[int]:
    return [attempts.sent, attempts.deferred, attempts.failed, attempts.unknown]


def _speed(attempts: Attempts, found: throughput.Progress) -> float:
    return round(attempts.total / found.minutes, 1)


def _summary(total: Attempts) -> str:
    if not total.total:
        return _("Nothing was handed to a server: it was not begun, or sent as a file.")
    return _(
        "Of %(count)s attempts %(deferred)s %% were refused for now, and tried again;"
        " %(failed)s %% failed."
    ) % {
        "count": shown(total.total),
        "deferred": shown(share(total.deferred, total.total), 2),
        "failed": shown(share(total.failed, total.total), 2),
    }


def _deliveries(rows: list[Delivery]) -> Section:
    speed = _("Messages a minute")
    table = Table(
        _("Delivery"),
        [
            *(_("Confirmed"), _("Began"), _("Ended")),
            *(_("Minutes from confirming to the end"), _("To send"), speed),
        ],
        [_delivery(delivery) for delivery in rows],
    )
    drawn = Table(
        table.heading,
        [speed],
        [Row(row.label, [row.cells[-1] or 0], row.url) for row in table.rows],
    )
    return Section(
        "deliveries",
        _("Delivery by delivery"),
        _("The latest %(count)s whose sending began in the period.")
        % {"count": MOST_DELIVERIES},
        table,
        bars=pictures.bars_of(
            drawn,
            [speed],
            title=speed,
            description=_(
                "Messages a minute, from the beginning of the sending to its end."
            ),
            values=[shown(cell) for cell in table.column(speed)],
        ),
    )


def _delivery(delivery: Delivery) -> Row:
    analysis = delivery.current_analysis
    return Row(
        delivery.label,
        [
            moment_text(delivery.confirmed_at),
            moment_text(delivery.started_at),
            moment_text(delivery.finished_at),
            _minutes(delivery.confirmed_at, delivery.finished_at),
            analysis.to_send_count if analysis is not None else 0,
            throughput.per_minute(delivery),
        ],
        f"?delivery={delivery.pk}",
    )


def _minutes(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return round((end - start).total_seconds() / 60, 1)


def _domains(choice: Choice) -> Section:
    rows = throughput.domains(choice.period.first, choice.period.last)
    errors = bounce_figures.of_domains(choice.period, [row.domain for row in rows])
    lines = []
    for row in rows:
        found = errors.get(row.domain, Bounces(row.domain, 0, 0, 0, 0))
        lines.append(
            Row(
                row.domain,
                [
                    *(row.sent, row.busiest, found.total),
                    *(share(found.total, row.sent), row.complaints),
                ],
            )
        )
    rate = _("Errors, %")
    table = Table(
        _("Domain"),
        [
            *(_("Sent"), _("On the busiest day"), _("Errors")),
            *(rate, _("Complaints")),
        ],
        lines,
    )
    return Section(
        "domains",
        _("Error rate of the domains"),
        _(
            "The %(count)s domains that were sent most, next to how much they got on"
            " one day: a rate that grows with it asks for less speed. Days of UTC."
        )
        % {"count": MOST_DOMAINS},
        table,
        bars=_rates(table, rate),
    )


def _rates(table: Table, rate: str) -> pictures.Bars:
    # Bars are drawn of whole numbers: a hundredth of a percent is one.
    cells = [cell or 0 for cell in table.column(rate)]
    drawn = Table(
        table.heading,
        [rate],
        [
            Row(row.label, [round(100 * float(cell))])
            for row, cell in zip(table.rows, cells, strict=True)
        ],
    )
    return pictures.bars_of(
        drawn,
        [rate],
        title=rate,
        description=_("One bar for each domain, those sent most first."),
        values=[f"{shown(float(cell), 2)} %" for cell in cells],
    )
