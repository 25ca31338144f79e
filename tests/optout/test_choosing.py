"""The page behind a preferences link: what a person gets, and what they choose."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from delivery import erasure
from optout import choosing, preferences, public, subscriptions, tokens
from optout.models import ConsentEvent, OptOut, Service, Subscription
from optout.models.ledger import ConsentSource, Direction
from optout.tokens import Link, Purpose
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile() -> Profile:
    return factories.make_profile(
        email="jane@example.org", sms="+46701740605", language="en"
    )


@pytest.fixture
def letters(profile) -> Service:
    """A private service that the person has."""
    service = factories.make_service(public_name="Letters")
    factories.make_subscription(profile=profile, service=service)
    return service


@pytest.fixture
def news() -> Service:
    """An open service that the person has not."""
    return factories.make_service(public_name="News", is_open=True)


def link_of(profile: Profile, **fields: object) -> Link:
    about = {"channel": Channel.EMAIL, "made_at": timezone.now()} | fields
    return Link(profile_id=profile.pk, **about)  # type: ignore[arg-type]


def url_of(profile: Profile, **fields: object) -> str:
    return f"/p/{tokens.make(link_of(profile, **fields), Purpose.PREFERENCES)}"


def sent(visitor, url, monkeypatch, *, untick=(), tick=(), press="save"):
    """Open the page, read it, change boxes such as "service 3", press a button."""
    page = visitor.get(url).content.decode()
    boxes = re.findall(r'name="(\w+)" value="([^"]+)"( checked)?', page)
    fields: dict[str, list[str]] = {"do": [press]}
    for name, value, is_ticked in boxes:
        is_box = name in ("service", "channel")
        wanted = is_ticked or f"{name} {value}" in tick
        if name != "do" and (
            not is_box or (wanted and f"{name} {value}" not in untick)
        ):
            fields.setdefault(name, []).append(value)
    later = timezone.now() + timedelta(seconds=3)
    monkeypatch.setattr(public.timezone, "now", lambda: later)
    return visitor.post(url, fields)


def text_of(answer) -> str:
    return answer.content.decode()


def flags(profile) -> set[int]:
    return set(profile.opt_outs.values_list("channel", flat=True))


def subscribed(profile) -> set[str]:
    rows = Subscription.objects.current(timezone.now()).filter(profile=profile)
    return {row.service.public_name_in("en") for row in rows}


def test_page_lists_what_the_person_really_has(visitor, profile, letters, news):
    factories.make_service(public_name="Secret")
    factories.make_service(public_name="Faxes", is_open=True, channel=Channel.FAX)
    page = text_of(visitor.get(url_of(profile)))

    labels = re.findall(r"<label[^>]*>([^<]+)", page)
    assert labels == ["Letters", "News", "Email", "SMS"]
    ticked = re.findall(r'id="(\w+)"[^>]* checked', page)
    assert ticked == [f"s{letters.pk}", "c0", "c1"]
    assert "jane" not in page
    assert "j•••@e•••.org" in page


def test_boxes_do_what_they_say_before_the_answer(
    visitor, profile, letters, news, monkeypatch
):
    answer = sent(
        visitor,
        url_of(profile, delivery_id=5),
        monkeypatch,
        untick=[f"service {letters.pk}", "channel 1"],
        tick=[f"service {news.pk}"],
    )

    assert flags(profile) == {Channel.SMS}
    assert subscribed(profile) == {"News"}
    assert re.findall(r"<li>([^<]+)</li>", text_of(answer)) == [
        "SMS",
        "Letters",
        "News",
    ]
    events = ConsentEvent.objects.order_by("pk")
    assert {event.source for event in events} == {ConsentSource.LANDING_PAGE}
    assert {event.delivery_id for event in events} == {5}
    assert {event.language for event in events} == {"en"}
    assert len(events) == 3


def test_saving_as_it_is_changes_nothing(visitor, profile, letters, monkeypatch):
    answer = sent(visitor, url_of(profile), monkeypatch)

    assert "was like this already" in text_of(answer)
    assert 'name="undo"' not in text_of(answer)
    assert not ConsentEvent.objects.exists()


def test_everything_stops_by_one_button_of_the_same_weight(
    visitor, profile, letters, monkeypatch
):
    url = url_of(profile)
    page = text_of(visitor.get(url))
    assert re.findall(r"<button ([^>]*)>", page) == [
        'type="submit" name="do" value="save"',
        'type="submit" name="do" value="stop_all"',
    ]
    sent(visitor, url, monkeypatch, untick=["channel 1"], press="stop_all")

    assert flags(profile) == {ANY_CHANNEL}
    assert subscribed(profile) == {"Letters"}


def test_what_was_not_on_the_page_stays(visitor, profile, letters, monkeypatch):
    url = url_of(profile)
    answer_of_one_box = {"shown_channel": "0", "do": "save"}
    page = text_of(visitor.get(url))
    nonce = re.search(r'name="form" value="([^"]+)"', page).group(1)
    later = timezone.now() + timedelta(seconds=3)
    monkeypatch.setattr(public.timezone, "now", lambda: later)
    visitor.post(url, answer_of_one_box | {"form": nonce})

    assert flags(profile) == {Channel.EMAIL}
    assert subscribed(profile) == {"Letters"}


@pytest.mark.parametrize("scope", ["channel", "service", "all"])
def test_promise_7_older_link_never_brings_back(
    visitor, profile, news, monkeypatch, scope
):
    url = url_of(profile, made_at=timezone.now() - timedelta(hours=1))
    how = {"by": "", "source": ConsentSource.ONE_CLICK}
    if scope == "service":
        subscriptions.unsubscribe(profile, news, now=timezone.now(), **how)
    else:
        channel = Channel.EMAIL if scope == "channel" else ANY_CHANNEL
        preferences.opt_out(profile, channel, **how)
    before = flags(profile), subscribed(profile)
    press = "start_all" if scope == "all" else "save"
    tick = [f"service {news.pk}" if scope == "service" else "channel 0"]
    answer = sent(
        visitor,
        url,
        monkeypatch,
        tick=tick,
        press=press,
    )

    assert "Not started" in text_of(answer)
    assert (flags(profile), subscribed(profile)) == before
    fresh = url_of(profile, made_at=timezone.now() + timedelta(seconds=2))
    sent(
        visitor,
        fresh,
        monkeypatch,
        tick=tick,
        press=press,
    )
    assert flags(profile) == set()


def test_a_link_without_its_time_would_be_caught(visitor, profile, monkeypatch):
    monkeypatch.setattr(choosing._Change, "_is_overtaken", lambda self, **scope: False)
    preferences.opt_out(profile, Channel.EMAIL, by="", source=ConsentSource.ONE_CLICK)
    old = url_of(profile, made_at=timezone.now() - timedelta(hours=1))
    sent(visitor, old, monkeypatch, tick=["channel 0"])

    assert flags(profile) == set()


def test_private_service_cannot_be_joined_by_a_made_up_box(visitor, profile):
    service = factories.make_service()
    wanted = choosing.Wanted(
        channels=frozenset(),
        services=frozenset({service.pk}),
        shown_channels=frozenset({99, -1}),
        shown_services=frozenset({service.pk, 12345}),
    )
    now = timezone.now()
    changes = choosing.choose(link_of(profile), wanted, language="en", now=now)

    assert (changes.started, changes.refused) == ([], ["Letters"])
    assert not Subscription.objects.exists()
    assert not OptOut.objects.exists()


def test_choice_is_taken_back_as_a_whole(visitor, profile, letters, news, monkeypatch):
    url = url_of(profile)
    answer = sent(
        visitor,
        url,
        monkeypatch,
        untick=[f"service {letters.pk}", "channel 0"],
        tick=[f"service {news.pk}"],
    )
    undo = re.search(r'name="undo" value="([^"]+)"', text_of(answer)).group(1)
    answer = visitor.post(url, {"undo": undo})

    assert "Taken back" in text_of(answer)
    assert flags(profile) == set()
    assert subscribed(profile) == {"Letters"}
    assert ConsentEvent.objects.count() == 6
    visitor.post(url, {"undo": undo})
    assert ConsentEvent.objects.count() == 6


def test_taking_back_a_choice_never_undoes_what_came_later(
    visitor, profile, letters, monkeypatch
):
    url = url_of(profile)
    answer = sent(visitor, url, monkeypatch, untick=["channel 0", "channel 1"])
    undo = re.search(r'name="undo" value="([^"]+)"', text_of(answer)).group(1)
    preferences.opt_out(profile, ANY_CHANNEL, by="", source=ConsentSource.KEYWORD)
    visitor.post(url, {"undo": undo})

    assert flags(profile) == {Channel.EMAIL, Channel.SMS, ANY_CHANNEL}


def test_old_link_still_stops_and_shows_nothing_else(visitor, profile, letters):
    url = url_of(profile, made_at=timezone.now() - timedelta(days=91))
    page = text_of(visitor.get(url))

    assert "too old" in page
    assert "Letters" not in page
    assert re.search(r'action="/stop/', page)


def test_form_that_was_open_for_long_keeps_what_was_ticked(visitor, profile, letters):
    url = url_of(profile)
    answer = visitor.post(
        url,
        {"form": "old", "shown_channel": "0", "shown_service": letters.pk},
    )
    page = text_of(answer)

    assert "press the button once more" in page
    assert re.findall(r'id="(\w+)"[^>]* checked', page) == []
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize("value", ["x", "-1", "9" * 30, "²", "1.5", ""])
def test_odd_values_are_passed_over(visitor, profile, monkeypatch, value):
    url = url_of(profile)
    page = text_of(visitor.get(url))
    nonce = re.search(r'name="form" value="([^"]+)"', page).group(1)
    later = timezone.now() + timedelta(seconds=3)
    monkeypatch.setattr(public.timezone, "now", lambda: later)
    fields = {"form": nonce, "shown_channel": value, "shown_service": value}
    assert visitor.post(url, fields).status_code == 200
    assert not ConsentEvent.objects.exists()


def test_erased_person_can_only_be_stopped(visitor, profile, letters, monkeypatch):
    url = url_of(profile)
    erasure.erase(profile, by="ola", reason="Asked", now=timezone.now())
    answer = sent(visitor, url, monkeypatch, press="start_all")

    assert answer.status_code == 200
    assert flags(profile) == {ANY_CHANNEL}
    outs = ConsentEvent.objects.exclude(direction=Direction.OUT)
    assert not outs.exists()


def test_link_of_nobody_shows_an_empty_page(visitor):
    url = url_of(Profile(pk=999_999))
    assert visitor.get(url).status_code == 200
