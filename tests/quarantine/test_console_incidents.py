"""The console's pages of incidents and figures."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from profiles.channels import Channel
from quarantine import outages
from quarantine.models import QuarantineBatch, QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Reason, Status
from tests import factories
from tests.quarantine.crowds import MANY, fail, states
from tests.quarantine.reports import FULL, HARD, SOFT, UNSURE, report, row

LIST = "/console/quarantine/incidents/"
RELEASE = f"{LIST}release/"
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def console(client: Client, operator: User, settings) -> Client:
    settings.QUARANTINE_OUTAGE_ERRORS = MANY
    client.force_login(operator)
    return client


@pytest.fixture
def now():
    """Half past some hour of yesterday: a crowd fits into one stretch of it."""
    return (timezone.now() - DAY).replace(minute=30, second=0, microsecond=0)


def query(now, *, domain: str = "example.net", **more: str) -> dict[str, str]:
    return {
        "domain": domain,
        "began_at": f"{now - MINUTE:%Y-%m-%dT%H:%M}",
        "ended_at": f"{now + 20 * MINUTE:%Y-%m-%dT%H:%M:%S}",
        "code": "",
        **more,
    }


def held(now) -> QuarantineBatch:
    """Let a crowd be held as provisional."""
    fail(range(MANY), now)
    at = now + (MANY - 1) * MINUTE
    batch = outages.look(Channel.EMAIL, "example.net", at=at, now=at)
    assert batch is not None
    return batch


def with_rights(user: User, *rights: str) -> None:
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))


def test_proposal_leads_to_its_preview_and_release(console, now):
    fail(range(MANY), now)

    page = console.get(LIST)
    [(proposal, link)] = page.context["proposals"]
    assert f"Looks like an outage at <strong>example.net</strong>: {MANY}" in page.text
    preview = console.get(f"{RELEASE}?{link}")
    assert preview.context["preview"].count == proposal.count == MANY
    assert "person0@" not in preview.text
    answer = console.post(f"{RELEASE}?{link}", {"note": "Outage"}, follow=True)

    assert f"{MANY} addresses were released." in answer.text
    assert states() == {(Status.VALID, False)}


def test_release_is_undone_on_its_page(console, now):
    fail(range(MANY), now)
    console.post(RELEASE, {"note": "Outage"}, query_params=query(now))
    batch = QuarantineBatch.objects.get()
    page = f"{LIST}{batch.pk}/"
    assert f"{MANY} addresses have not changed since" in console.get(page).text

    answer = console.post(f"{page}undo/", follow=True)

    assert f"{MANY} addresses are in quarantine again." in answer.text
    assert "Undone" in answer.text
    again = console.post(f"{page}undo/", follow=True)
    assert "Nothing was undone" in again.text


def test_release_without_a_reason_asks_for_it(console, now):
    fail(range(MANY), now)

    answer = console.post(RELEASE, {"note": " "}, query_params=query(now))

    assert "Nothing was released: write why" in answer.text
    assert states() == {(Status.QUARANTINE, False)}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"domain": ""}, "This field is required"),
        ({"began_at": "nonsense"}, "Enter a valid date/time"),
        ({"began_at": "2999-01-01T00:00"}, "The end is before the beginning"),
        ({"domain": "nul\0"}, "Null characters are not allowed"),
    ],
)
def test_incident_that_cannot_be_read_is_asked_for_again(
    console, now, change, sentence
):
    answer = console.get(RELEASE, query(now, **change))

    assert answer.status_code == 400
    assert sentence in answer.text
    assert console.post(RELEASE, query_params=query(now, **change)).status_code == 400


@pytest.mark.parametrize(("seconds", "count"), [(59, 3), (60, 2)])
def test_chosen_minute_counts_to_its_end(console, now, seconds, count):
    fail(range(2), now)
    fail(range(50, 51), now + MINUTE + seconds * timedelta(seconds=1))
    ended = f"{now + MINUTE:%Y-%m-%dT%H:%M}"

    answer = console.get(RELEASE, query(now, ended_at=ended))

    assert answer.context["preview"].count == count


def test_incident_without_addresses_says_so(console, now):
    answer = console.get(RELEASE, query(now, domain="nowhere.example"))
    assert "No address of the domain is held" in answer.text

    answer = console.post(RELEASE, {"note": "x"}, query_params=query(now), follow=True)
    assert "Nothing was released: no address of example.net" in answer.text


@pytest.mark.parametrize(
    ("door", "fields", "told", "state"),
    [
        ("discard/", {"discard-note": "Moved"}, "addresses were released.", Status(0)),
        ("confirm/", {"confirm-note": ""}, "addresses stay in quarantine.", Status(3)),
    ],
)
def test_what_is_provisional_is_decided_in_one_action(
    console, now, door, fields, told, state
):
    batch = held(now)
    page = console.get(LIST).text
    assert f'href="{LIST}{batch.pk}/"' in page

    answer = console.post(f"{LIST}{batch.pk}/{door}", fields, follow=True)

    assert f"{MANY} {told}" in answer.text
    assert states() == {(state, False)}
    again = console.post(f"{LIST}{batch.pk}/{door}", fields, follow=True)
    assert "it was decided about these addresses already" in again.text


def test_discarding_without_a_reason_asks_for_it(console, now):
    batch = held(now)

    answer = console.post(f"{LIST}{batch.pk}/discard/", {"discard-note": ""})

    assert "Nothing was released: write why" in answer.text
    assert states() == {(Status.QUARANTINE, True)}


@pytest.mark.parametrize("door", ["discard/", "confirm/", "undo/"])
def test_deciding_needs_the_right_to_release_many_and_a_post(
    client, onlooker, now, door
):
    batch = QuarantineBatch.objects.create(
        channel=0, domain="example.net", began_at=now, ended_at=now, state="open"
    )
    client.force_login(onlooker)
    with_rights(onlooker, "view_quarantinedaddress")
    page = f"{LIST}{batch.pk}/"

    assert client.get(page).status_code == 200
    of_one = ("view_quarantinedaddress", "release_quarantinedaddress")
    for rights in (of_one[:1], of_one):
        with_rights(onlooker, *rights)
        assert client.post(page + door).status_code == 403
        assert client.post(RELEASE, query_params=query(now)).status_code == 403
        assert "Release these addresses" not in client.get(page).text
    with_rights(onlooker, *of_one, "release_many")
    assert client.get(page + door).status_code == 405


@pytest.mark.parametrize(
    "path", ["incidents/", "incidents/release/", "figures/", "figures/download/"]
)
def test_pages_need_the_right_to_see_quarantine(client, onlooker, path):
    client.force_login(onlooker)
    assert client.get(f"/console/quarantine/{path}").status_code == 403


def test_list_is_narrowed_to_what_is_provisional(console, now):
    held(now)
    factories.make_quarantined_address(value="anna@example.com")

    page = console.get("/console/quarantine/?status=-1")

    assert {line.row.domain for line in page.context["lines"]} == {"example.net"}
    assert len(page.context["lines"]) == MANY


def test_pages_are_few_queries(console, now, django_assert_max_num_queries):
    batch = held(now)
    fail(range(MANY), now - DAY, domain="example.org")
    for path in (
        "incidents/",
        f"incidents/{batch.pk}/",
        f"{RELEASE.removeprefix('/console/quarantine/')}?domain=example.org"
        f"&began_at={now - 2 * DAY:%Y-%m-%dT%H:%M}"
        f"&ended_at={now:%Y-%m-%dT%H:%M}",
        "figures/?by=delivery",
        "growth/",
        f"{QuarantinedAddress.objects.earliest('pk').pk}/",
    ):
        with django_assert_max_num_queries(20):
            assert console.get(f"/console/quarantine/{path}").status_code == 200


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("reason", [("unreachable", 3, 0), ("user_unknown", 2, 2)]),
        ("domain", [("example.com", 3, 0), ("example.net", 2, 2)]),
        ("code", [("4.4.7", 3, 0), ("5.1.1", 2, 2)]),
        ("delivery", [("7", 3, 0)]),
    ],
)
def test_errors_are_counted_by_what_they_have_in_common(console, now, by, expected):
    fail(range(2), now)
    for hour in range(3):
        report(
            SOFT, now + hour * timedelta(hours=1), delivery_id=7, delivery_label="May"
        )

    page = console.get(f"/console/quarantine/figures/?by={by}")

    rows = page.context["rows"]
    assert [(each.key, each.errors, each.held) for each in rows] == expected
    if by == "delivery":
        assert rows[0].label == "May"
        assert 'href="/console/deliveries/7/"' in page.text


def test_errors_are_counted_over_time(console, now):
    fail(range(2), now)
    fail(range(5, 6), now - 40 * DAY)
    page = console.get("/console/quarantine/figures/?days=7")

    assert [day.held for day in page.context["series"]][-2] == 2
    assert (page.context["held"], page.context["released"]) == (2, 0)
    assert console.get("/console/quarantine/figures/?days=90").context["held"] == 3
    assert "<svg" in page.text and f"{now:%Y-%m-%d}" in page.text


@pytest.mark.parametrize("wrong", ["by=nonsense", "days=8", "days=x"])
def test_figure_that_does_not_exist_is_not_found(console, wrong):
    assert console.get(f"/console/quarantine/figures/?{wrong}").status_code == 404


def test_figures_are_downloaded_safe_for_spreadsheets(console, now):
    fail(range(2), now)
    QuarantineEvent.objects.update(domain="=cmd()")

    answer = console.get("/console/quarantine/figures/download/?by=domain&days=30")

    text = b"".join(answer.streaming_content).decode()
    assert list(csv.reader(io.StringIO(text))) == [
        ["domain", "name", "errors", "quarantined"],
        ["'=cmd()", "'=cmd()", "2", "2"],
    ]


def test_growth_stands_next_to_normal_wear(console, now):
    for number in range(10):
        factories.make_profile(email=f"person{number}@example.net")
    fail(range(4), now)
    fail(range(4, 5), now - 70 * DAY)

    growth = console.get("/console/quarantine/growth/").context["growth"]

    assert (growth.held.number, growth.addresses.number, growth.percent) == (5, 10, 50)
    assert [month.held for month in growth.months][:3] == [0, 0, 0]
    assert growth.months[-1].held == 5
    # 22 % of ten addresses, after twelve months.
    assert (growth.months[0].normal, growth.months[-1].normal) == (0, 2)
    assert growth.is_faster_than_normal


@pytest.mark.parametrize(
    ("qualification", "times", "sentence"),
    [
        (SOFT, 1, "Quarantined after 4 more significant errors"),
        (SOFT, 1, "Valid again on 11 March 2026 if nothing else happens."),
        (FULL, 5, "Released on 4 April 2026 if nothing else happens."),
        (HARD, 1, "Stays so until somebody releases it."),
        (UNSURE, 1, "another one after 2 March 2026 12:00 quarantines the address"),
    ],
)
def test_address_page_says_what_happens_next(console, qualification, times, sentence):
    for day in range(times):
        report(qualification, QUIET + day * DAY, note="450 later")

    page = console.get(f"/console/quarantine/{row().pk}/").text

    assert sentence in page
    assert "450 later" in page


QUIET = timezone.datetime(2026, 3, 1, 12, tzinfo=timezone.get_default_timezone())


@pytest.mark.parametrize(
    ("state", "reason", "sentence"),
    [
        (Status.VALID, Reason.NONE, "Deliveries may write to it."),
        (Status.ALLOWLISTED, Reason.LISTED, "bounces do not change that"),
        (Status.DENYLISTED, Reason.COMPLAINT, "somebody with the right to it"),
        (Status.DENYLISTED, Reason.ERASED, "for ever: its person was erased"),
    ],
)
def test_address_page_says_what_does_not_happen(console, state, reason, sentence):
    made = factories.make_quarantined_address(
        value="anna@example.com", status=state, reason=reason
    )

    assert sentence in console.get(f"/console/quarantine/{made.pk}/").text


def test_page_of_a_provisional_address_leads_to_its_outage(console, now):
    batch = held(now)
    made = QuarantinedAddress.objects.earliest("pk")

    page = console.get(f"/console/quarantine/{made.pk}/").text

    assert "Provisional: many addresses of example.net failed together." in page
    assert f'href="{LIST}{batch.pk}/"' in page
