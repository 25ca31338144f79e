"""The reports of the console: figures, files, filters, rights, cost."""

import csv
import io
from datetime import date, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery.models import Analysis, ConsoleAction, Delivery
from delivery.reporting.catalogue import REPORTS
from delivery.states import ExclusionReason
from profiles.channels import Channel
from tests import factories
from tests.delivery.report_world import make_world

pytestmark = pytest.mark.django_db
INDEX = "/console/reports/"
# What a page writes otherwise than a file.
ON_PAGE = str.maketrans("−", "-", "–'")
SLUGS = ["exclusions", "bounces", "opt-outs", "services", "throughput"]


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def allow(user: User, *rights: str) -> None:
    names = [right.split(".")[1] for right in rights]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))


def table_of(answer, name: str) -> list[list[str]]:
    """Give a table of a page, its heading first, as the page writes it."""
    [part] = [each for each in answer.context["parts"] if each.name == name]
    table = part.table
    head = [[table.heading, *table.columns]]
    return head + [
        [row.label, *(text for _name, text in cells)] for row, cells in table.lines
    ]


def test_index_has_a_card_with_the_last_figure_of_each_report(console):
    make_world()

    answer = console.get(INDEX)

    assert [(kind.name, last) for kind, _url, last in answer.context["cards"]] == [
        ("exclusions", (2, "excluded from “Spring”")),
        ("bounces", (1, "in the last 7 days")),
        ("opt_outs", (1, "in the last 7 days")),
        ("services", (1, "subscriptions now")),
        ("throughput", (1, "messages a minute of “Spring”")),
    ]
    assert 'href="/console/reports/opt-outs/"' in answer.text
    assert 'aria-current="page">Reports' in answer.text


def test_exclusions_are_counted_by_cause_delivery_by_delivery(console):
    make_world()

    answer = console.get(f"{INDEX}exclusions/")

    [head, row] = table_of(answer, "deliveries")
    assert head[3:] == [
        *("Targeted", "To send", "Excluded", "Excluded, %"),
        *("Address not specified", "Opted out of every channel"),
    ]
    assert (row[0], row[3:]) == ("Spring", ["4", "2", "2", "50.0", "1", "1"])
    assert "2 (50.0 %)" in answer.text
    [part] = answer.context["parts"]
    widths = [rect.width for _number, rect in part.bars.bars[0].parts]
    assert widths == ["50%", "50%"]


def test_causes_without_a_pattern_of_their_own_are_drawn_together(console):
    delivery = make_world()
    counts = {
        reason.code: 10 if reason.value > 4 else reason.value
        for reason in ExclusionReason
    }
    Analysis.objects.filter(delivery=delivery).update(
        excluded_counts=counts, targeted_count=110, to_send_count=0
    )

    [part] = console.get(f"{INDEX}exclusions/").context["parts"]

    assert [label for _number, label in part.bars.legend] == [
        *(str(ExclusionReason(value).label) for value in range(5, 12)),
        "Other causes",
    ]
    assert part.bars.bars[0].parts[-1][1].width == "36.36%"
    assert len(part.table.columns) == 6 + 14


def test_bounces_have_reason_domain_and_a_way_to_more(console):
    make_world()

    answer = console.get(f"{INDEX}bounces/")

    assert table_of(answer, "reasons")[1:] == [
        ["User unknown", "1", "0", "0", "1", "1"]
    ]
    assert table_of(answer, "domains")[1:] == [["example.com", "1", "0", "0", "1", "1"]]
    assert 'href="/console/quarantine/figures/"' in answer.text
    assert 'href="/console/quarantine/?domain=example.com"' in answer.text


def test_opt_outs_have_day_source_and_delivery(console):
    make_world()

    answer = console.get(f"{INDEX}opt-outs/?days=7")

    days = table_of(answer, "time")[1:]
    assert (len(days), days[-1][1:]) == (7, ["1", "0", "0", "1", "0"])
    assert table_of(answer, "sources")[1:] == [
        ["One click in the mail client", "1", "0", "0", "0", "−1"],
        ["Landing page", "0", "0", "0", "1", "1"],
    ]
    assert table_of(answer, "deliveries")[1:] == [["Spring", "1", "0", "50.0"]]


def test_services_have_weeks_and_members(console):
    make_world()

    answer = console.get(f"{INDEX}services/?days=7")

    weeks = table_of(answer, "weeks")
    assert weeks[0][-1] == "Members at its end"
    assert weeks[-1][1:] == ["1", "1", "0", "0", "1", "1"]
    assert table_of(answer, "services")[1:] == [
        ["Garden news", "1", "1", "0", "0", "1", "1"]
    ]


def test_throughput_has_the_sending_the_times_and_the_domains(console):
    delivery = make_world()

    answer = console.get(f"{INDEX}throughput/")

    assert table_of(answer, "progress")[1][1:] == ["2", "0", "1", "0", "3.0"]
    assert "Of 3 attempts 0.00 % were refused for now" in answer.text
    assert "33.33 % failed" in answer.text
    [row] = table_of(answer, "deliveries")[1:]
    assert (row[0], row[4:]) == ("Spring", ["3.0", "2", "1"])
    assert f'href="?delivery={delivery.pk}"' in answer.text
    assert table_of(answer, "domains")[1:] == [
        ["example.com", "200", "200", "1", "0.5", "1"]
    ]


@pytest.mark.parametrize("slug", SLUGS)
def test_file_is_exactly_the_table_of_the_page(console, slug):
    make_world(label="=Spring")
    page = console.get(f"{INDEX}{slug}/?days=30")

    for part in page.context["parts"]:
        url = f"{INDEX}{slug}/download/?table={part.name}&days=30"
        answer = console.get(url)
        rows = list(csv.reader(io.StringIO(answer.content.decode())))
        shown = table_of(page, part.name)
        assert [[each.translate(ON_PAGE) for each in row] for row in shown] == [
            [each.replace("'", "") for each in row] for row in rows
        ]
        assert "attachment" in answer.headers["Content-Disposition"]
        assert url.replace("&", "&amp;") in page.text
        done = ConsoleAction.objects.latest("pk")
        assert (done.outcome, done.counts["rows"]) == ("done", len(rows) - 1)
        assert all(cell[:1] != "=" for row in rows for cell in row)


@pytest.mark.parametrize("slug", SLUGS)
def test_report_of_nothing_says_what_to_do(console, slug):
    answer = console.get(f"{INDEX}{slug}/")

    assert answer.status_code == 200
    assert "Choose a longer period, or take away a filter." in answer.text
    assert "Nothing to show yet." in console.get(INDEX).text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("days=5", "There is no such period. Choose one of the list."),
        ("since=yesterday", "Enter a valid date."),
        ("until=2026-01-01", "Choose the first day as well."),
        ("since=2026-02-01&until=2026-01-01", "Exchange the two."),
        ("since=2020-01-01&until=2026-01-01", "Choose 366 days at most."),
        ("since=2999-01-01", "This day is still to come."),
        ("since=0001-01-01&until=0001-01-02", "There is nothing so old."),
        ("channel=pigeon", "There is no such channel. Choose one of the list."),
        ("delivery=x", "No delivery of this number was begun. Choose one."),
        ("delivery=99999999999999999999", "No delivery of this number was begun."),
        ("days=%00", "There is no such period."),
    ],
)
def test_wrong_filter_is_answered_with_a_sentence(console, query, sentence):
    answer = console.get(f"{INDEX}throughput/?{query}")

    assert answer.status_code == 400
    assert sentence in answer.text
    assert console.get(f"{INDEX}throughput/download/?{query}").status_code == 404


def test_wrong_service_and_wrong_table_are_answered(console):
    answer = console.get(f"{INDEX}services/?service=7")
    assert (answer.status_code, "There is no such service." in answer.text) == (
        *(400, True),
    )
    assert console.get(f"{INDEX}services/download/?table=nobody").status_code == 404


def test_period_and_channel_narrow_what_is_shown(console):
    make_world()
    today = timezone.now().date()
    yesterday = today - timedelta(days=1)

    for query, count in (
        (f"since={today}", 1),
        (f"since={yesterday}&until={yesterday}", 0),
        ("channel=email", 1),
        ("channel=sms", 0),
    ):
        [part] = console.get(f"{INDEX}exclusions/?{query}").context["parts"]
        assert len(part.table.rows) == count, query


def test_days_are_those_of_the_console_clock(console, settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    delivery = make_world()
    late = datetime(2026, 4, 4, 23, 30, tzinfo=timezone.get_current_timezone())
    Analysis.objects.filter(delivery=delivery).update(started_at=late)

    def rows(first: date) -> list[list[str]]:
        query = f"since={first}&until={first}"
        answer = console.get(f"{INDEX}exclusions/?{query}")
        return table_of(answer, "deliveries")[1:]

    # Midnight of a night in which the clock goes back.
    assert [row[1] for row in rows(date(2026, 4, 4))] == ["2026-04-04 23:30"]
    assert rows(date(2026, 4, 5)) == rows(date(2026, 4, 3)) == []


@pytest.mark.parametrize("kind", REPORTS, ids=SLUGS)
def test_each_report_needs_the_right_of_its_figures(client, onlooker, kind):
    path = f"{INDEX}{kind.slug}/"
    allow(onlooker, "delivery.view_inbound")
    client.force_login(onlooker)
    for each in (INDEX, path, f"{path}download/"):
        assert client.get(each).status_code == 403

    allow(onlooker, kind.right)

    for each in (INDEX, path, f"{path}download/"):
        assert client.get(each).status_code == 200
    cards = client.get(INDEX).context["cards"]
    assert [card for card, *_rest in cards] == [
        each for each in REPORTS if each.right == kind.right
    ]


def test_tables_of_other_figures_need_their_own_right(client, onlooker):
    make_world()
    client.force_login(onlooker)

    allow(onlooker, "optout.view_consentevent")
    page = client.get(f"{INDEX}opt-outs/")
    file = client.get(f"{INDEX}opt-outs/download/?table=deliveries")
    assert [part.name for part in page.context["parts"]] == ["time", "sources"]
    assert ("Spring" in page.text, file.status_code) == (False, 404)

    allow(onlooker, "delivery.view_delivery")
    page = client.get(f"{INDEX}throughput/")
    assert [part.name for part in page.context["parts"]] == ["progress", "deliveries"]


def make_full_delivery(number: int, now: datetime) -> None:
    counts = {reason.code: 1_000 + number for reason in ExclusionReason}
    delivery = factories.make_delivery(
        label=f"A delivery with a long label, number {number}",
        started_at=now,
        finished_at=now + timedelta(hours=3),
        confirmed_at=now,
        confirmed_by="bo",
    )
    analysis = Analysis.objects.create(
        delivery=delivery,
        status="finished",
        started_at=now,
        targeted_count=1_000_000,
        to_send_count=985_000,
        excluded_counts=counts,
    )
    Delivery.objects.filter(pk=delivery.pk).update(current_analysis=analysis)


@pytest.mark.parametrize("slug", ["", *(f"{slug}/" for slug in SLUGS)])
def test_full_report_is_cheap_and_light(console, slug):
    now = timezone.now()
    for number in range(35):
        make_full_delivery(number, now - timedelta(minutes=number))
    make_world()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = console.get(f"{INDEX}{slug}?days=90" if slug else INDEX)

    assert answer.status_code == 200
    assert len(queries) <= 20
    assert len(answer.content) < 100_000
    assert "style=" not in answer.text
    if slug == "exclusions/":
        assert len(answer.context["parts"][0].table.rows) == 30


def test_channel_of_sms_has_no_domains(console):
    make_world()
    answer = console.get(f"{INDEX}throughput/?channel={Channel.SMS.code}")
    assert [part.name for part in answer.context["parts"]] == ["deliveries"]


def test_figures_are_written_as_the_language_does(console):
    make_world()

    answer = console.get(f"{INDEX}exclusions/", headers={"Accept-Language": "sv"})

    assert "2 (50,0 %)" in answer.text
    assert ">50,0</td>" in answer.text
