"""Taking a stop back on the page that followed it: who can, for how long, and what."""

from datetime import timedelta

import pytest
from django.utils import timezone

from optout import preferences, public
from optout.models import ConsentEvent
from optout.models.ledger import ConsentSource, Direction
from optout.tokens import Purpose
from profiles.channels import Channel
from tests.optout.public_links import FORM, PAIR, address, is_out, pressed, undo_of

pytestmark = pytest.mark.django_db


def test_taking_back_restores_what_was(visitor, profile, monkeypatch) -> None:
    url = address(profile, Purpose.STOP)
    undo = undo_of(pressed(visitor, url, monkeypatch))
    answer = visitor.post(url, {"undo": undo})
    assert b"Taken back" in answer.content
    assert not is_out(profile)
    directions = ConsentEvent.objects.order_by("pk").values_list("direction", flat=True)
    assert list(directions) == [Direction.OUT, Direction.IN]


def test_taking_back_after_half_an_hour_is_too_late(
    visitor, profile, monkeypatch
) -> None:
    url = address(profile, Purpose.STOP)
    undo = undo_of(pressed(visitor, url, monkeypatch))
    later = timezone.now() + timedelta(minutes=31)
    monkeypatch.setattr(public.timezone, "now", lambda: later)
    assert b"could not be taken back" in visitor.post(url, {"undo": undo}).content
    assert is_out(profile)


def test_taking_back_never_undoes_a_later_stop(visitor, profile, monkeypatch) -> None:
    url = address(profile, Purpose.STOP)
    undo = undo_of(pressed(visitor, url, monkeypatch))
    visitor.post(url, {"undo": undo})
    visitor.generic(
        "POST", address(profile, Purpose.ONE_CLICK), PAIR, content_type=FORM
    )
    visitor.post(url, {"undo": undo})
    assert is_out(profile)


def test_only_the_one_who_changed_something_can_take_it_back(
    visitor, profile, monkeypatch
) -> None:
    source = ConsentSource.OPERATOR
    preferences.opt_out(profile, Channel.EMAIL, by="ola", source=source)
    answer = pressed(visitor, address(profile, Purpose.STOP), monkeypatch)
    assert b'name="undo"' not in answer.content
    one_click = visitor.generic(
        "POST", address(profile, Purpose.ONE_CLICK), PAIR, content_type=FORM
    )
    assert b'name="undo"' not in one_click.content
