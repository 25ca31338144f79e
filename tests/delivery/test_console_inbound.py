"""The console's pages of what came in, and of lanes that are held back."""

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from delivery.models import (
    ConsoleAction,
    HoldLevel,
    Inbound,
    InboundKind,
    InboundState,
    Lane,
    LaneHold,
)
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def make_inbound(number: int = 1, **fields: object) -> Inbound:
    known = {
        "kind": InboundKind.MAIL,
        "source": "maildir",
        "key": str(number),
        "raw": b"Subject: <b>Undelivered</b>\r\n\r\n<script>alert(1)</script>",
        "received_at": timezone.now(),
        "state": InboundState.APPLIED,
        "meaning": "bounce",
    }
    return Inbound.objects.create(**(known | fields))


def make_hold(level: HoldLevel = HoldLevel.STOPPED) -> LaneHold:
    return LaneHold.objects.create(
        domain="example.com",
        level=level,
        since=NOW,
        day=date(2026, 11, 25),
        sent=2000,
        complaints=8,
    )


def as_user(client: Client, user: User, *rights: str) -> Client:
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)
    return client


def test_reports_are_listed_with_their_counts(console: Client):
    delivery = factories.make_delivery(label="Spring")
    make_inbound(1, delivery_id=delivery.pk)
    make_inbound(2, state=InboundState.FORGED)
    make_inbound(3, state=InboundState.FORGED)
    make_inbound(4, state=InboundState.FOREIGN)

    response = console.get("/console/inbound/")

    counts = {each.state: each.count for each in response.context["counts"]}
    assert counts[InboundState.FORGED] == 2
    assert counts[InboundState.FOREIGN] == counts[InboundState.APPLIED] == 1
    assert counts[InboundState.STORED] == 0
    assert len(response.context["lines"]) == 4
    assert "Spring" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=forged", 1),
        ("meaning=complaint", 1),
        ("source=postmark", 1),
        ("state=applied&meaning=bounce", 1),
        ("source=nobody", 0),
    ],
    ids=["state", "meaning", "source", "two", "none"],
)
def test_reports_are_narrowed_by_state_meaning_and_source(console, query, count):
    make_inbound(1)
    make_inbound(2, state=InboundState.FORGED, meaning="other")
    make_inbound(3, meaning="complaint")
    make_inbound(4, source="postmark", meaning="delivered")

    assert len(console.get(f"/console/inbound/?{query}").context["lines"]) == count


def test_page_of_an_address_leads_to_what_came_in_about_it(console: Client):
    address = factories.make_quarantined_address(value="anna@example.com")
    own = make_inbound(1, digest=address.digest)
    make_inbound(2)

    page = console.get(f"/console/quarantine/{address.pk}/").content.decode()
    assert f"/console/inbound/?address={address.pk}" in page
    response = console.get(f"/console/inbound/?address={address.pk}")

    assert [line.row.pk for line in response.context["lines"]] == [own.pk]


def test_report_is_shown_as_text_and_never_as_html(console: Client):
    row = make_inbound()

    page = console.get(f"/console/inbound/{row.pk}/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_report_as_it_came_is_for_those_with_the_right(client, onlooker):
    row = make_inbound()
    as_user(client, onlooker, "view_inbound")

    page = client.get(f"/console/inbound/{row.pk}/")

    assert page.status_code == 200
    assert "alert(1)" not in page.content.decode()
    assert client.get(f"/console/inbound/{row.pk}/raw").status_code == 403


def test_whoever_sees_a_report_as_it_came_is_recorded(console: Client):
    row, erased = make_inbound(), make_inbound(2, raw=None)

    for each in (row, erased):
        console.get(f"/console/inbound/{each.pk}/")

    seen = ConsoleAction.objects.get()
    assert (seen.action, seen.outcome) == ("inbound_detail", "seen")
    assert seen.about == {"inbound_id": row.pk}


def test_report_as_it_came_is_saved_and_never_opened(console: Client):
    row = make_inbound()

    response = console.get(f"/console/inbound/{row.pk}/raw")

    assert response.content == bytes(row.raw)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_report_that_is_not_kept_any_more_has_a_page(console: Client):
    row = make_inbound(raw=None)

    page = console.get(f"/console/inbound/{row.pk}/").content.decode()

    assert "It is not kept any more." in page


def test_failed_report_is_read_again_by_post(console: Client):
    row = make_inbound(state=InboundState.FAILED)
    path = f"/console/inbound/{row.pk}/again/"

    assert console.get(path).status_code == 405
    assert console.post(path).status_code == 302

    row.refresh_from_db()
    assert row.state == InboundState.STORED


def test_lanes_that_are_held_back_are_listed_with_why(console: Client):
    make_hold()
    Lane.objects.create(
        domain="slow.example", paused_until=timezone.now().replace(year=2100)
    )

    page = console.get("/console/lanes/").content.decode()

    assert "8 complaints about 2,000 messages of 2026-11-25 (0.40 %)" in page
    assert "Paused until a person resumes it" in page
    assert "slow.example" in page


def test_lane_is_resumed_by_post_with_a_right(console: Client):
    hold = make_hold()
    path = f"/console/lanes/{hold.pk}/resume/"

    assert console.get(path).status_code == 405
    response = console.post(path, follow=True)

    hold.refresh_from_db()
    assert (hold.level, hold.lifted_by) == (HoldLevel.LIFTED, "operator")
    assert "Mail to example.com goes out again" in response.content.decode()


def test_lane_that_is_not_paused_is_said_to_be_so(console: Client):
    hold = make_hold(HoldLevel.WARNED)

    response = console.post(f"/console/lanes/{hold.pk}/resume/", follow=True)

    assert "it is not paused" in response.content.decode()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/console/inbound/"),
        ("get", "/console/inbound/1/"),
        ("get", "/console/inbound/1/raw"),
        ("post", "/console/inbound/1/again/"),
        ("get", "/console/lanes/"),
        ("post", "/console/lanes/1/resume/"),
    ],
)
def test_pages_are_closed_to_who_lacks_the_right(client, onlooker, method, path):
    assert getattr(client, method)(path).status_code == 302
    client.force_login(onlooker)

    assert getattr(client, method)(path).status_code == 403


def test_who_may_see_lanes_may_not_resume_them(client, onlooker):
    hold = make_hold()
    as_user(client, onlooker, "view_lanehold")

    page = client.get("/console/lanes/").content.decode()

    assert "Resume" not in page.replace("Resumed", "").replace("resumes", "")
    assert client.post(f"/console/lanes/{hold.pk}/resume/").status_code == 403


def test_empty_pages_say_what_to_do(console: Client):
    assert "Nothing came in yet" in console.get("/console/inbound/").content.decode()
    assert "No lane is held back" in console.get("/console/lanes/").content.decode()
