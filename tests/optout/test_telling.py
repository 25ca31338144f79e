"""Telling why, after the effect."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from optout import public, stopping, telling, tokens
from optout.models import ConsentEvent, OptOut, OptOutReason
from optout.tokens import Link, Purpose
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories

pytestmark = pytest.mark.django_db
MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def visitor(monkeypatch) -> Client:
    now = datetime.now(UTC) + timedelta(seconds=3)
    monkeypatch.setattr(public.timezone, "now", lambda: now)
    return Client(enforce_csrf_checks=True)


def link_of(profile: Profile) -> Link:
    return Link(profile.pk, Channel.EMAIL, MADE_AT)


def stop(visitor: Client, profile: Profile) -> tuple[str, str]:
    """Press the button; give the address of the page and the text of the result."""
    token = tokens.make(link_of(profile), Purpose.STOP)
    nonce = stopping.form_nonce(token)
    answer = visitor.post(f"/stop/{token}", {"form": nonce})
    return f"/stop/{token}", answer.content.decode()


def value(text: str, name: str) -> str:
    return re.search(f'name="{name}" value="([^"]+)"', text).group(1)


def test_why_is_asked_after_the_effect_only(visitor, profile):
    url, text = stop(visitor, profile)
    assert 'name="why"' in text
    assert "checked" not in text
    again = visitor.get(url).content.decode()
    assert 'name="why"' not in again


def test_reason_is_kept_and_taking_back_still_works(visitor, profile):
    url, text = stop(visitor, profile)
    told = {"why": value(text, "why"), "keep": value(text, "keep"), "reason": "other"}
    answer = visitor.post(url, told).content.decode()
    [event] = ConsentEvent.objects.all()
    [reason] = OptOutReason.objects.all()
    assert (reason.event_id, reason.code) == (event.pk, "other")
    assert "Thank you" in answer
    visitor.post(url, {"undo": value(answer, "undo")})
    assert not OptOut.objects.exists()


def test_an_opt_out_has_one_reason_the_first(visitor, profile):
    url, text = stop(visitor, profile)
    for code in ("too_many", "other", "too_many"):
        visitor.post(url, {"why": value(text, "why"), "reason": code})
    assert list(OptOutReason.objects.values_list("code", flat=True)) == ["too_many"]


@pytest.mark.parametrize("reason", ["", "nonsense", "a" * 999])
def test_no_reason_is_no_error(visitor, profile, reason):
    url, text = stop(visitor, profile)
    answer = visitor.post(url, {"why": value(text, "why"), "reason": reason})
    assert answer.status_code == 200
    assert not OptOutReason.objects.exists()
    assert OptOut.objects.filter(profile=profile).exists()


@pytest.mark.parametrize("why", ["", "1", "1:x:y", "é"])
def test_reason_needs_the_nonce_of_its_opt_out(visitor, profile, why):
    url, _text = stop(visitor, profile)
    visitor.post(url, {"why": why, "reason": "other"})
    visitor.post(url, {"why": stopping.undo_nonce(1), "reason": "other"})
    assert not OptOutReason.objects.exists()


def test_reason_is_of_the_person_of_the_link(visitor, profile):
    stop(visitor, profile)
    [event] = ConsentEvent.objects.all()
    stranger = link_of(factories.make_profile())
    signed = telling.nonce(event.pk)
    assert not telling.keep(stranger, signed, code="other", now=datetime.now(UTC))


@pytest.mark.parametrize(("hours", "is_kept"), [(23, True), (25, False)])
def test_reason_is_taken_for_a_day(visitor, profile, hours, is_kept):
    stop(visitor, profile)
    signed = telling.nonce(ConsentEvent.objects.get().pk)
    later = datetime.now(UTC) + timedelta(hours=hours)
    assert telling.keep(link_of(profile), signed, code="other", now=later) is is_kept


def test_a_reason_never_stops_anything_by_itself(visitor, profile):
    token = tokens.make(link_of(profile), Purpose.STOP)
    answer = visitor.post(f"/stop/{token}", {"why": "x", "reason": "other"})
    assert 'name="form"' in answer.content.decode()
    assert not OptOut.objects.exists()
