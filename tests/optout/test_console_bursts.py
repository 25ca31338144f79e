"""Bursts of opt-outs and requests to stop in the console."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from optout import link_mail, preferences
from optout.models import Burst, ConsentEvent, OptOut, StopRequest
from optout.models.bursts import BurstState
from optout.models.ledger import ConsentSource, Direction
from profiles.addresses import parse
from profiles.channels import Channel
from tests import factories

LIST = "/console/opt-outs/bursts/"
GIVEN = {"reverse-reason": "not_theirs", "reverse-note": "A scanner."}


@pytest.fixture
def viewer(client: Client, onlooker: User) -> Client:
    """Somebody who may look at bursts, but not reverse them."""
    codes = ["view_burst", "view_stoprequest"]
    onlooker.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client.force_login(onlooker)
    return client


def stop_twenty() -> None:
    now = timezone.now()
    source = ConsentSource.ONE_CLICK
    for _ in range(20):
        profile = factories.make_profile()
        preferences.opt_out(
            profile, Channel.EMAIL, by="", source=source, delivery_id=7, now=now
        )


def test_looking_now_flags_and_reversing_lifts(console: Client) -> None:
    stop_twenty()
    answer = console.post(f"{LIST}look/", follow=True)
    assert "1 new burst was flagged." in answer.text
    page = f"{LIST}{Burst.objects.get().pk}/"
    assert page in answer.text
    assert "<dd>20</dd>" in console.get(page).text
    answer = console.post(f"{page}reverse/", GIVEN, follow=True)
    assert "The opt-outs of 20 people were reversed." in answer.text
    assert not OptOut.objects.exists()
    lifted = ConsentEvent.objects.filter(direction=Direction.IN)
    assert set(lifted.values_list("actor", flat=True)) == {"operator"}


def test_opening_the_pages_changes_nothing(console: Client) -> None:
    stop_twenty()
    assert "No burst was found" in console.get(LIST).text
    assert not Burst.objects.exists()


def test_reversing_without_evidence_is_refused_at_the_field(console: Client) -> None:
    burst = factories.make_burst()
    answer = console.post(f"{LIST}{burst.pk}/reverse/", {"reverse-note": " "})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text or "field-wrong" in answer.text
    burst.refresh_from_db()
    assert burst.state == BurstState.FLAGGED


def test_leaving_a_burst_keeps_the_opt_outs(console: Client) -> None:
    burst = factories.make_burst()
    page = f"{LIST}{burst.pk}/"
    answer = console.post(f"{page}dismiss/", {"dismiss-note": "People."}, follow=True)
    assert "The opt-outs of this burst stay." in answer.text
    again = console.post(f"{page}reverse/", GIVEN, follow=True)
    assert "operator has decided about this burst already" in again.text


def test_viewer_sees_bursts_and_decides_nothing(viewer: Client) -> None:
    burst = factories.make_burst()
    page = f"{LIST}{burst.pk}/"
    assert "<button" not in viewer.get(page).text.partition("<main")[2]
    for path in (f"{LIST}look/", f"{page}reverse/", f"{page}dismiss/"):
        assert viewer.post(path, GIVEN).status_code == 403
    assert viewer.post("/console/opt-outs/requests/1/close/").status_code == 403


def noted() -> StopRequest:
    factories.make_profile(first_name="Jane", sms="+46701234567")
    digest = parse(Channel.SMS, "+46701234567").digest
    link_mail.note_request(Channel.SMS, digest, now=timezone.now())
    return StopRequest.objects.get()


def test_request_leads_to_the_person_and_is_closed(console: Client) -> None:
    request = noted()
    page = console.get("/console/opt-outs/requests/").text
    assert "Jane" in page
    assert "+46701234567" not in page
    answer = console.post(
        f"/console/opt-outs/requests/{request.pk}/close/", follow=True
    )
    assert "The request is closed." in answer.text
    assert "No request waits" in answer.text
    request.refresh_from_db()
    assert request.closed_by == "operator"


def test_request_that_was_closed_stays_as_it_was(console: Client) -> None:
    request = noted()
    StopRequest.objects.update(closed_at=timezone.now(), closed_by="eva")
    answer = console.post(
        f"/console/opt-outs/requests/{request.pk}/close/", follow=True
    )
    assert "was closed already" in answer.text
    request.refresh_from_db()
    assert request.closed_by == "eva"


def test_viewer_of_requests_learns_no_names(viewer: Client) -> None:
    noted()
    assert "Jane" not in viewer.get("/console/opt-outs/requests/").text
