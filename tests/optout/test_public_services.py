"""Links of a service: they end its subscription, and offer to stop all."""

import re

import pytest
from django.utils import timezone

from optout.models import ConsentEvent, OptOut, Service, Subscription
from optout.models.ledger import ConsentSource
from optout.tokens import Purpose
from tests import factories
from tests.optout.public_links import (
    FORM,
    PAIR,
    address,
    is_out,
    is_subscribed,
    pressed,
    undo_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(profile) -> Service:
    service = factories.make_service(public_name="Letters")
    factories.make_subscription(profile=profile, service=service)
    return service


def test_one_click_of_a_service_ends_that_subscription_only(
    visitor, profile, service
) -> None:
    other = factories.make_service()
    factories.make_subscription(profile=profile, service=other)
    url = address(profile, Purpose.ONE_CLICK, service_id=service.pk, delivery_id=7)
    answer = visitor.generic("POST", url, PAIR, content_type=FORM)

    assert "messages of “Letters”" in answer.content.decode()
    current = Subscription.objects.current(timezone.now())
    assert [each.service for each in current] == [other]
    assert not OptOut.objects.exists()
    event = ConsentEvent.objects.get()
    assert (event.service_id, event.channel) == (service.pk, None)
    assert (event.delivery_id, event.source) == (7, ConsentSource.ONE_CLICK)
    delivery = factories.make_analysed_delivery(service=service, now=timezone.now())
    assert delivery.current_analysis.excluded_counts["not_subscribed"] == 1


def test_one_click_of_a_service_that_is_gone_stops_the_channel(
    visitor, profile, service
) -> None:
    url = address(profile, Purpose.ONE_CLICK, service_id=service.pk)
    service.delete()
    answer = visitor.generic("POST", url, PAIR, content_type=FORM)

    assert answer.status_code == 200
    assert is_out(profile)


def test_page_of_a_service_offers_to_stop_all_with_the_same_weight(
    visitor, profile, service, monkeypatch
) -> None:
    url = address(profile, Purpose.STOP, service_id=service.pk)
    page = visitor.get(url).content.decode()
    buttons = re.findall(r"<button ([^>]*)>", page)
    assert buttons == ['type="submit"', 'type="submit" name="stop" value="channel"']
    assert page.count("<form") == 1

    pressed(visitor, url, monkeypatch, stop="channel")
    assert is_out(profile)
    assert is_subscribed(profile)


def test_taking_back_restores_the_subscription_as_it_was(
    visitor, profile, service, monkeypatch
) -> None:
    before = list(Subscription.objects.values())
    url = address(profile, Purpose.STOP, service_id=service.pk)
    answer = pressed(visitor, url, monkeypatch)
    assert not is_subscribed(profile)
    visitor.post(url, {"undo": undo_of(answer)})

    assert list(Subscription.objects.values()) == before
    assert ConsentEvent.objects.count() == 2


def test_taking_back_leaves_nothing_of_who_never_subscribed(
    visitor, profile, monkeypatch
) -> None:
    service = factories.make_service()
    url = address(profile, Purpose.STOP, service_id=service.pk)
    answer = pressed(visitor, url, monkeypatch)
    assert Subscription.objects.count() == 1
    visitor.post(url, {"undo": undo_of(answer)})

    assert not Subscription.objects.exists()


def test_page_says_that_a_left_service_is_stopped_already(
    visitor, profile, service
) -> None:
    url = address(profile, Purpose.STOP, service_id=service.pk)
    assert b"stopped already" not in visitor.get(url).content
    Subscription.objects.update(unsubscribed_at=timezone.now())
    assert b"stopped already" in visitor.get(url).content
