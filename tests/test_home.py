"""The start page: what needs somebody, what is on its way, and who sees it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from delivery import start_page
from delivery.models import Delivery, LaneHold
from delivery.start_page import Task
from optout.models import ConsentEvent, StopRequest, Upload
from optout.models.uploads import UploadKind, UploadStatus
from quarantine.models import BatchState, QuarantineBatch, QuarantinedAddress
from quarantine.reasons import Reason, Source, Status
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/console/"


def client_of(role: str) -> Client:
    user = User.objects.create_user(role)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def facts(client: Client) -> list[tuple[str, str, str, str]]:
    tasks = client.get(PAGE).context["tasks"]
    return [(each.title, each.why, each.tone, each.note) for each in tasks]


def make_hold(domain: str, level: str, *, hours: int | None = None) -> LaneHold:
    now = timezone.now()
    until = now + timedelta(hours=hours) if hours else None
    return LaneHold.objects.create(
        domain=domain,
        level=level,
        since=now,
        until=until,
        day=now.date(),
        sent=4200,
        complaints=14,
    )


def make_upload(*, status: UploadStatus, minutes_ago: int = 1) -> Upload:
    return Upload.objects.create(
        kind=UploadKind.PROFILES,
        file_name="people.csv",
        status=status,
        created_at=timezone.now() - timedelta(minutes=minutes_ago),
        created_by=User.objects.get(),
    )


def make_sending(label: str) -> Delivery:
    delivery = factories.make_analysed_delivery(label=label)
    Delivery.objects.filter(pk=delivery.pk).update(
        status="sending", started_at=timezone.now()
    )
    return delivery


def test_nothing_to_do_is_said(console: Client) -> None:
    answer = console.get(PAGE)

    assert answer.context["tasks"] == []
    for sentence in ("Nothing waits for you.", "Nothing is being sent.", "As usual"):
        assert sentence in answer.text
    assert "hx-get" not in answer.text
    # Each picture leads on, and nothing else does by its link.
    assert answer.text.count('href="/console/quarantine/figures/"') == 1
    assert answer.text.count('href="/console/opt-outs/bursts/">Bursts of') == 1


def test_lanes_that_complaints_hold_are_told(console: Client) -> None:
    make_hold("a.example", "paused", hours=3)
    make_hold("b.example", "stopped")
    make_hold("c.example", "paused", hours=-3)
    make_hold("d.example", "warned")

    note = "14 complaints about 4,200 messages of one day"
    assert facts(console) == [
        ("b.example", "Stopped by complaints", "bad", note),
        ("a.example", "Paused by complaints", "warn", note),
    ]


def test_provisional_quarantine_is_to_be_decided(console: Client) -> None:
    now = timezone.now()
    batch, _decided = [
        QuarantineBatch.objects.create(
            channel=0, domain=state, began_at=now, ended_at=now, state=state
        )
        for state in (BatchState.OPEN, BatchState.CONFIRMED)
    ]
    for number in range(2):
        factories.make_quarantined_address(
            value=f"p{number}@example.com", is_provisional=True, batch=batch
        )

    assert facts(console) == [("open", "Gone, or an outage?", "warn", "2 addresses")]
    task = console.get(PAGE).context["tasks"][0]
    assert task.url == f"/console/quarantine/incidents/{batch.pk}/"


def test_what_looks_like_an_outage_is_proposed(console: Client, settings) -> None:
    settings.QUARANTINE_OUTAGE_ERRORS = 3
    for number in range(3):
        factories.make_quarantined_address(
            value=f"p{number}@example.com",
            status=Status.QUARANTINE,
            reason=Reason.UNREACHABLE,
            last_error_at=timezone.now() - timedelta(days=1),
        )

    QuarantinedAddress.objects.update(source=Source.BOUNCE)

    told = ("example.com", "Looks like an outage", "info", "3 addresses")
    assert facts(console) == [told]


def test_bursts_and_requests_wait_for_an_operator(console: Client) -> None:
    burst = factories.make_burst(count=1024)
    for digest in ("0" * 32, "1" * 32):
        StopRequest.objects.create(channel=1, digest=digest)
    StopRequest.objects.create(
        channel=1, digest="2" * 32, closed_at=timezone.now(), closed_by="x"
    )

    assert facts(console) == [
        ("2 requests to stop", "Wait for an operator", "warn", ""),
        ("Burst of 1,024 opt-outs", "People, or a machine?", "warn", ""),
    ]
    urls = [task.url for task in console.get(PAGE).context["tasks"]]
    path = "/console/opt-outs/"
    assert urls == [f"{path}requests/", f"{path}bursts/{burst.pk}/"]


def test_uploads_that_failed_or_wait_are_told_and_the_newest_shown(console) -> None:
    make_upload(status=UploadStatus.WAITING, minutes_ago=11)
    for number in range(7):
        make_upload(status=UploadStatus.FAILED, minutes_ago=number)
    make_upload(status=UploadStatus.FAILED, minutes_ago=60 * 24 * 8)
    newest = make_upload(status=UploadStatus.WAITING, minutes_ago=9)

    answer = console.get(PAGE)

    assert [each.title for each in answer.context["tasks"]] == [
        *(["people.csv"] * 5),
        "and 3 more",
    ]
    assert len(answer.context["uploads"]) == 5
    assert answer.context["uploads"][0] == newest


def test_failed_and_waiting_tasks_are_told_to_who_can_look() -> None:
    chief = User.objects.create_superuser("chief")
    client = Client()
    client.force_login(chief)
    old = timezone.now() - timedelta(minutes=11)
    for status, finished_at in (("FAILED", old), ("READY", None), ("SUCCESSFUL", old)):
        task = DBTaskResult.objects.create(
            status=status,
            task_path="a.b",
            args_kwargs={"args": [], "kwargs": {}},
            backend_name="default",
            queue_name="default",
            exception_class_path="",
            traceback="",
            finished_at=finished_at,
        )
        DBTaskResult.objects.filter(pk=task.pk).update(enqueued_at=old)

    assert facts(client) == [
        ("1 task", "Waiting. Is a worker running?", "bad", ""),
        ("1 task", "Failed in the last week", "warn", ""),
    ]


def test_most_urgent_comes_first_and_else_nothing_moves() -> None:
    made = [Task(str(n), "", "", tone) for n, tone in enumerate("iwbiwb")]
    tones = {"i": "info", "w": "warn", "b": "bad"}
    made = [Task(each.title, "", "", tones[each.tone]) for each in made]

    ordered = start_page.most_urgent_first(made)

    assert "".join(each.title for each in ordered) == "251403"


@pytest.mark.parametrize(
    ("role", "titles"),
    [
        ("viewer", []),
        ("operator", ["1 request to stop"]),
        ("marketer", ["draft"]),
        ("sender", ["a.example", "analysed"]),
        ("compliance", ["1 request to stop", "Burst of 20 opt-outs"]),
        ("administrator", []),
    ],
)
def test_everybody_sees_what_they_can_do(role: str, titles: list[str]) -> None:
    factories.make_delivery(label="draft")
    factories.make_delivery(label="analysed", status="analysed")
    make_hold("a.example", "stopped")
    factories.make_burst()
    StopRequest.objects.create(channel=1, digest="0" * 32)

    client = client_of(role)

    assert [title for title, *_rest in facts(client)] == titles
    assert ("To be confirmed" in client.get(PAGE).text) == (role == "sender")


def test_administrator_sees_nobodys_figures() -> None:
    page = client_of("administrator").get(PAGE)

    for name in ("figures", "journeys", "opt_outs", "quarantine", "uploads"):
        assert page.context[name] is None
    assert "On their way now" not in page.text


def test_progress_is_shown_and_refreshed(console: Client) -> None:
    factories.make_profile(external_id="P-1", email="p1@example.com")
    make_sending("Spring")

    page = console.get(PAGE).text
    part = console.get("/console/on-their-way/")

    assert 'hx-get="/console/on-their-way/"' in page
    assert "0 % – 0 of 1 sent" in page
    assert "0 % – 0 of 1 sent" in part.text
    assert "<html" not in part.text


def test_refresh_ends_when_nothing_is_on_its_way(console: Client) -> None:
    assert "hx-get" not in console.get("/console/on-their-way/").text


def test_page_costs_the_same_however_much_there_is(
    console: Client, django_assert_max_num_queries
) -> None:
    factories.make_profile(external_id="P-1", email="p1@example.com")
    for number in range(7):
        make_sending(f"Sent {number}")
        factories.make_delivery(label=f"Draft {number}")
        make_hold(f"{number}.example", "stopped")
        factories.make_burst(delivery_id=number)
        make_upload(status=UploadStatus.FAILED)
        ConsentEvent.objects.create(
            profile_id=1, direction=0, channel=0, source="operator"
        )

    with django_assert_max_num_queries(20):
        answer = console.get(PAGE)

    assert answer.text.count("and 2 more") == 4
    assert len(answer.content) < 40_000
