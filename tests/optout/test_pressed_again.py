"""Links pressed again: after days, by reload, in two tabs, a thousand at once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from optout import public
from optout.models import ConsentEvent
from optout.tokens import Purpose
from tests.optout.public_links import FORM, PAIR, address, heading, pressed, undo_of

pytestmark = pytest.mark.django_db


def test_one_click_many_times_writes_one_event(visitor, profile) -> None:
    url = address(profile, Purpose.ONE_CLICK)
    for _ in range(100):
        assert visitor.generic("POST", url, PAIR, FORM).status_code == 200
    assert ConsentEvent.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_promise_8_one_click_a_thousand_times_at_once_writes_one_event(profile) -> None:
    url = address(profile, Purpose.ONE_CLICK)
    workers = 16

    def act(_worker: int) -> set[int]:
        try:
            client = Client(enforce_csrf_checks=True)
            clicks = range(1000 // workers + 1)
            return {client.generic("POST", url, PAIR, FORM).status_code for _ in clicks}
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        statuses = set().union(*pool.map(act, range(workers)))
    assert statuses == {200}
    assert ConsentEvent.objects.count() == 1


def test_form_that_was_open_for_days_asks_again_and_then_stops(
    visitor, profile, monkeypatch
) -> None:
    url = address(profile, Purpose.STOP)
    nonce = re.search(
        r'name="form" value="([^"]+)"', visitor.get(url).content.decode()
    ).group(1)
    later = timezone.now() + timedelta(days=3)
    monkeypatch.setattr(public.timezone, "now", lambda: later)
    answer = visitor.post(url, {"form": nonce})
    assert (answer.status_code, heading(answer)) == (200, "Stop messages")
    assert not ConsentEvent.objects.exists()
    monkeypatch.undo()
    assert heading(pressed(visitor, url, monkeypatch)) == "You are out"
    assert ConsentEvent.objects.count() == 1


def test_back_button_after_stopping_gives_the_same_result(
    visitor, profile, monkeypatch
) -> None:
    url = address(profile, Purpose.STOP)
    answers = [pressed(visitor, url, monkeypatch) for _ in range(3)]
    assert {each.status_code for each in answers} == {200}
    assert {heading(each) for each in answers} == {"You are out"}
    assert ConsentEvent.objects.count() == 1


def test_reload_and_second_tab_give_the_same_result(
    visitor, profile, monkeypatch
) -> None:
    url = address(profile, Purpose.STOP)
    tabs = [visitor.get(url).content.decode() for _ in range(2)]
    nonces = [re.search(r'name="form" value="([^"]+)"', tab).group(1) for tab in tabs]
    later = timezone.now() + timedelta(seconds=3)
    monkeypatch.setattr(public.timezone, "now", lambda: later)
    answers = [visitor.post(url, {"form": nonce}) for nonce in nonces * 2]
    assert {each.status_code for each in answers} == {200}
    assert {heading(each) for each in answers} == {"You are out"}
    assert ConsentEvent.objects.count() == 1


def test_reload_after_taking_back_gives_the_same_result(
    visitor, profile, monkeypatch
) -> None:
    url = address(profile, Purpose.STOP)
    undo = undo_of(pressed(visitor, url, monkeypatch))
    answers = [visitor.post(url, {"undo": undo}) for _ in range(3)]
    assert {each.status_code for each in answers} == {200}
    assert {heading(each) for each in answers} == {"Taken back"}
    assert ConsentEvent.objects.count() == 2
