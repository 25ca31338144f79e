"""The page of messages to decide about."""

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client

from delivery.models import ConsoleAction, TriageItem
from optout.models import ConsentEvent
from quarantine.reasons import Status
from tests import factories
from tests.delivery.text_stage import NOW, NUMBER, number_row, text_in

PAGE = "/console/opt-outs/to-decide/"


@pytest.fixture
def reader(client: Client, onlooker: User) -> Client:
    """Somebody who may read, but not decide."""
    onlooker.user_permissions.set(Permission.objects.filter(codename="view_triageitem"))
    client.force_login(onlooker)
    return client


def test_page_shows_the_most_urgent_first(console: Client) -> None:
    factories.make_profile(sms=NUMBER, first_name="Anna")
    text_in("Please stop the <b>bus</b>", now=NOW)
    text_in("Hello", now=NOW.replace(day=4))

    with time_machine.travel(NOW.replace(day=4, hour=13)):
        console.force_login(User.objects.get())
        text = console.get(PAGE).text

    assert text.index("&lt;b&gt;bus&lt;/b&gt;") < text.index("Hello")
    assert text.count(">Overdue<") == 1
    assert "Anna" in text
    assert "If nobody decides, it is taken for one on 2026-03-13." in text


def test_empty_page_says_so(console: Client) -> None:
    assert "Nothing waits" in console.get(PAGE).text


@pytest.mark.parametrize("text", ["\ud800\0", "x" * 10_000, "", "🎉" * 400])
def test_page_shows_any_text(console: Client, text: str) -> None:
    text_in(text)

    assert console.get(PAGE).status_code == 200


def test_deciding_stops_the_number_and_says_so(console: Client) -> None:
    factories.make_profile(sms=NUMBER)
    text_in("please stop the bus")
    item = TriageItem.objects.get()

    answer = console.post(
        f"{PAGE}{item.pk}/decide/", {"decision": "address"}, follow=True
    )

    assert "The number gets no more texts. 1 profile carries it." in answer.text
    assert number_row().status == Status.DENYLISTED
    assert "Decided lately" in answer.text
    assert ConsentEvent.objects.get().actor == "operator"


@pytest.mark.parametrize("decision", ["", "start", "channel"])
def test_what_cannot_be_decided_changes_nothing(console: Client, decision: str) -> None:
    text_in("please stop the bus")
    item = TriageItem.objects.get()

    answer = console.post(
        f"{PAGE}{item.pk}/decide/", {"decision": decision}, follow=True
    )

    assert "Nothing was changed" in answer.text
    assert number_row() is None


def test_reader_sees_and_cannot_decide(reader: Client) -> None:
    factories.make_profile(sms=NUMBER, first_name="Anna")
    text_in("please stop the bus")
    item = TriageItem.objects.get()

    page = reader.get(PAGE).text
    answer = reader.post(f"{PAGE}{item.pk}/decide/", {"decision": "address"})

    assert "please stop the bus" in page
    assert "Stop this number" not in page
    assert "Anna" not in page
    assert answer.status_code == 403
    assert number_row() is None


def test_addresses_are_hidden_from_whoever_may_not_read_them(
    reader: Client, operator: User
) -> None:
    # The second address is where the short form of the text is cut.
    text_in("x" * 270 + " anna@example.com anna.berg@example.com")

    hidden = reader.get(PAGE).text
    reader.force_login(operator)
    full = reader.get(PAGE).text

    assert "a•••@example.com" in hidden
    assert "+46•••05" in hidden
    for address in (NUMBER, "anna@", "anna.b"):
        assert address not in hidden
        assert address in full
    seen = ConsoleAction.objects.get()
    assert (seen.action, seen.outcome, seen.counts) == (
        "triage",
        "seen",
        {"addresses": 1},
    )


def test_nobody_without_the_right_reads_or_is_told(
    client: Client, onlooker: User
) -> None:
    text_in("please stop the bus")
    client.force_login(onlooker)

    assert client.get(PAGE).status_code == 403
    assert "to decide about" not in client.get("/console/").text


def test_opening_the_page_decides_nothing(console: Client) -> None:
    text_in("please stop the bus")
    item = TriageItem.objects.get()

    assert console.get(f"{PAGE}{item.pk}/decide/").status_code == 405
    assert TriageItem.objects.get().closed_at is None


def test_start_page_names_what_waits(console: Client) -> None:
    text_in("please stop the bus")

    assert "1 message to decide about" in console.get("/console/").text
