"""Stops that meet a message on its way: kept at once, and told as they are.

Each test has another connection that sends to a person, as strict deliveries do.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from optout import importing_subscriptions, preferences
from optout.importing import import_profiles
from optout.models import OptOut
from optout.models.ledger import ConsentSource
from optout.tokens import Purpose
from profiles import in_flight
from profiles.channels import Channel
from profiles.models import Address, Profile
from quarantine import importing as quarantine_importing
from tests import factories
from tests.optout.public_links import FORM, PAIR, address, pressed
from tests.optout.test_choosing import sent, url_of
from tests.optout.test_console_optout import boxes
from tests.optout.test_landing_pages import own
from tests.optout.test_landing_pages import sent as filled_in

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATE = "A message to you was just being sent: this takes effect within a minute."


@contextmanager
def on_its_way(profile: Profile, *, seconds: float = 60) -> Iterator[None]:
    """Send a message to a person over another connection, for some seconds."""
    digest = Address.objects.get(profile=profile, is_preferred=True).digest
    began, end = Event(), Event()

    def send() -> None:
        with in_flight.sending(profile.pk, digest):
            began.set()
            end.wait(seconds)
        connection.close()

    thread = Thread(target=send)
    thread.start()
    began.wait()
    try:
        yield
    finally:
        end.set()
        thread.join()


@pytest.fixture
def late(profile, monkeypatch) -> Iterator[None]:
    """Have a message on its way that takes longer than a stop waits."""
    monkeypatch.setattr(in_flight, "LONGEST_WAIT", "100ms")
    with on_its_way(profile):
        yield


def is_out(profile: Profile) -> bool:
    return OptOut.objects.filter(profile=profile).exists()


def text_of(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def click(visitor: Client, profile: Profile, monkeypatch) -> str:
    url = address(profile, Purpose.ONE_CLICK)
    return text_of(visitor.generic("POST", url, PAIR, content_type=FORM))


def press(visitor: Client, profile: Profile, monkeypatch) -> str:
    url = address(profile, Purpose.STOP)
    return text_of(pressed(visitor, url, monkeypatch, stop="all"))


def choose(visitor: Client, profile: Profile, monkeypatch) -> str:
    return text_of(sent(visitor, url_of(profile), monkeypatch, press="stop_all"))


def fill_in(visitor: Client, profile: Profile, monkeypatch) -> str:
    page = factories.make_landing_page(is_published=True)
    return text_of(filled_in(visitor, own(page, profile), monkeypatch))


WAYS: dict[str, Callable[..., str]] = {
    "one click": click,
    "button": press,
    "boxes": choose,
    "own page": fill_in,
}


@pytest.mark.parametrize("way", WAYS)
def test_stop_is_kept_and_said_to_take_effect_within_a_minute(
    late, profile, monkeypatch, way
):
    text = WAYS[way](Client(), profile, monkeypatch)

    assert LATE in text
    assert is_out(profile)


@pytest.mark.parametrize("way", WAYS)
def test_stop_that_met_no_message_says_nothing_of_it(profile, monkeypatch, way):
    text = WAYS[way](Client(), profile, monkeypatch)

    assert "within a minute" not in text
    assert is_out(profile)


def test_next_visitor_is_not_told_of_the_late_stop_before(profile, monkeypatch):
    other = factories.make_profile(email="john@example.org", language="en")
    monkeypatch.setattr(in_flight, "LONGEST_WAIT", "100ms")
    with on_its_way(profile):
        click(Client(), profile, monkeypatch)

    assert LATE not in click(Client(), other, monkeypatch)


def test_operator_is_told_of_a_late_stop(late, profile, client, operator):
    client.force_login(operator)
    answer = client.post(
        f"/console/opt-outs/{profile.pk}/", boxes(Channel.EMAIL), follow=True
    )

    assert (
        "A message was just being sent there. The stop is saved, and takes effect"
        " within a minute." in text_of(answer)
    )
    assert is_out(profile)


def test_messages_one_after_the_other_are_not_waited_for_each_anew(monkeypatch):
    people = [factories.make_profile(email=f"p{n}@example.org") for n in range(3)]
    monkeypatch.setattr(in_flight, "LONGEST_WAIT", "400ms")

    with (
        on_its_way(people[0], seconds=0.3),
        on_its_way(people[1], seconds=0.6),
        on_its_way(people[2], seconds=0.9),
        in_flight.watched() as watch,
    ):
        is_clear = in_flight.wait_until_none([each.pk for each in people])

    assert (is_clear, watch.is_late) == (False, True)


def test_of_many_only_those_are_locked_that_somebody_sends_to(profile):
    """A lock for each of 50,000 rows would fill the lock table of the server."""
    with on_its_way(profile):
        held = in_flight._held_among(
            in_flight._keys([*range(50_000, 60_000), profile.pk], [])
        )

    assert held == in_flight._keys([profile.pk], [])


def csv_of(tmp_path, header: str, row: str, count: int = 40):
    path = tmp_path / "file.csv"
    lines = [header, row.format("jane@example.org")]
    lines += [row.format(f"p{n}@example.org") for n in range(count)]
    path.write_text("\n".join(lines) + "\n")
    return path


def import_stops(path) -> None:
    import_profiles(path, now=NOW)


def import_ends(path) -> None:
    importing_subscriptions.import_file(path, now=NOW)


def import_quarantine(path) -> None:
    quarantine_importing.import_file(path, now=NOW)


IMPORTS = {
    "opt-outs": ("email,no_email", "{},1", import_stops),
    "subscriptions": ("email,service,operation", "{},news,unsubscribe", import_ends),
    "quarantine": (
        "channel,address,status,reason",
        "email,{},quarantine,listed",
        import_quarantine,
    ),
}


@pytest.mark.parametrize("kind", IMPORTS)
def test_import_waits_for_messages_on_their_way_to_its_people(tmp_path, profile, kind):
    header, row, run = IMPORTS[kind]
    factories.make_service(name="news")
    for n in range(40):
        factories.make_profile(email=f"p{n}@example.org")
    path = csv_of(tmp_path, header, row)

    with on_its_way(profile, seconds=0.7):
        began = monotonic()
        run(path)
        took = monotonic() - began

    assert took > 0.6


def test_operator_stop_in_a_transaction_is_watched_after_its_commit(late, profile):
    with in_flight.watched() as watch:
        preferences.opt_out(
            profile,
            Channel.EMAIL,
            by="t",
            source=ConsentSource.OPERATOR,
            now=timezone.now(),
        )

    assert watch.is_late
