from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from delivery.models import Delivery
from optout import pages, service_figures, subscriptions
from optout.models import ConsentEvent, Service, Subscription
from optout.models.ledger import ConsentSource
from optout.models.pages import PageType
from profiles.channels import Channel
from tests import factories

SERVICES = "/console/services/"
NOW = timezone.now()
pytestmark = pytest.mark.django_db


def form(**fields: object) -> dict[str, object]:
    return {
        "label": "Monthly news",
        "name": "news",
        "channel": "0",
        "subscribe_confirmation": "default",
        "unsubscribe_confirmation": "none",
        "text-en-public_name": "News",
        **fields,
    }


def is_current(profile, service) -> bool:
    rows = Subscription.objects.current(timezone.now())
    return rows.filter(profile=profile, service=service).exists()


def test_operator_makes_a_service_in_two_languages(console):
    fields = form(**{"text-sv-public_name": "Nytt"}, is_open="on", validity_days="365")
    answer = console.post(f"{SERVICES}new/", fields, follow=True)

    service = Service.objects.get()
    assert (service.name, service.is_open, service.validity_days) == ("news", True, 365)
    assert service.created_by.username == "operator"
    names = service.texts.values_list("language", "public_name")
    assert set(names) == {("en", "News"), ("sv", "Nytt")}
    assert "Saved “Monthly news”." in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"text-en-public_name": ""}, "in one language at least"),
        ({"name": "two words"}, "slug"),
        ({"validity_days": "0"}, "validity"),
        ({"text-sv-description": "Allt"}, "Write the name of the service here, too."),
        ({"subscribe_confirmation": "own"}, "The service sends a text of its own."),
        ({"channel": "-1"}, "not one of the available choices"),
    ],
)
def test_incomplete_service_is_refused_with_a_sentence(console, fields, sentence):
    answer = console.post(f"{SERVICES}new/", form(**fields))

    assert sentence in answer.content.decode()
    assert not Service.objects.exists()


def test_page_of_a_service_must_offer_it(console):
    service = factories.make_service(name="news", is_open=True)
    other = factories.make_service(is_open=True)
    page = factories.make_landing_page(
        page_type=PageType.UNSUBSCRIBE,
        name="Leave",
        is_published=True,
        services=[other.pk],
    )
    url = f"{SERVICES}{service.pk}/edit/"

    answer = console.post(url, form(unsubscribe_page=page.pk))

    assert "“Leave” does not offer this service." in answer.content.decode()
    offer = replace(pages.editable_content(page), services=[service.pk])
    pages.edit_draft(page, offer, by="tests", now=NOW)
    pages.publish(page, by="tests", now=NOW)
    answer = console.post(url, form(unsubscribe_page=page.pk), follow=True)
    service.refresh_from_db()
    assert service.unsubscribe_page == page
    assert ">Leave</a>" in answer.content.decode()


def test_page_of_another_kind_cannot_be_chosen(console):
    service = factories.make_service(name="news", is_open=True)
    page = factories.make_landing_page(
        page_type=PageType.SUBSCRIBE, is_published=True, services=[service.pk]
    )

    answer = console.post(
        f"{SERVICES}{service.pk}/edit/", form(unsubscribe_page=page.pk)
    )

    assert "not one of the available choices" in answer.content.decode()


def test_emptying_a_language_removes_its_text(console):
    service = factories.make_service(name="news")
    service.texts.create(language="sv", public_name="Nytt")
    console.post(f"{SERVICES}{service.pk}/edit/", form(**{"text-sv-public_name": ""}))

    assert [text.language for text in service.texts.all()] == ["en"]


def test_channel_stays_while_deliveries_use_the_service(console):
    service = factories.make_service(name="news")
    factories.make_delivery(service=service)
    answer = console.post(f"{SERVICES}{service.pk}/edit/", form(channel="1"))

    assert "Make a new service" in answer.content.decode()


def test_list_and_page_count_only_who_is_subscribed_now(console):
    service = factories.make_service()
    now = timezone.now()
    for fields in (
        {},
        {"expires_at": now + timedelta(days=1)},
        {"expires_at": now - timedelta(days=1)},
        {"unsubscribed_at": now},
    ):
        profile = factories.make_profile()
        factories.make_subscription(profile=profile, service=service, **fields)

    [(_service, count)] = service_figures.with_counts(now)
    assert count == 2
    figures = service_figures.figures(service, now=now)
    assert (figures.current, figures.expired) == (2, 1)
    page = console.get(f"{SERVICES}{service.pk}/").content.decode()
    assert page.count("Subscribed</") == 2
    assert "Ended" in page
    assert "Expired" in page


def test_figures_tell_who_came_and_went_by_day():
    service, other = factories.make_service(), factories.make_service()
    now = timezone.now()
    source = ConsentSource.LANDING_PAGE
    people = [factories.make_profile() for _ in range(4)]
    for number, profile in enumerate(people):
        at = now - timedelta(days=10 * number)
        subscriptions.subscribe(profile, service, by="", source=source, now=at)
        subscriptions.subscribe(profile, other, by="", source=source, now=at)
    subscriptions.unsubscribe(people[0], service, by="", source=source, now=now)

    figures = service_figures.figures(service, now=now)
    assert (figures.current, figures.gained, figures.lost) == (3, 3, 1)
    today = figures.days[-1]
    assert (today.day, today.gained, today.lost) == (now.date(), 1, 1)
    assert today.gained_y + today.gained_height == 50
    assert [day.gained for day in figures.days[-11:-9]] == [1, 0]


def test_operator_ends_and_begins_a_subscription(console):
    profile, service = factories.make_profile(), factories.make_service()
    console.post(f"{SERVICES}subscribe/{profile.pk}/", {"service": service.pk})
    assert is_current(profile, service)
    page = console.get(f"/console/profiles/{profile.pk}/").content.decode()
    assert f"Subscribed: {service.label}" in page

    console.post(f"{SERVICES}unsubscribe/{profile.pk}/", {"service": service.pk})
    assert not is_current(profile, service)
    assert [event.actor for event in ConsentEvent.objects.all()] == ["operator"] * 2


def test_subscribing_again_needs_the_right_reason_and_evidence(client, operator):
    profile, service = factories.make_profile(), factories.make_service()
    factories.make_subscription(
        profile=profile, service=service, unsubscribed_at=timezone.now()
    )
    proof = {"service": service.pk, "reason": "signed_form", "evidence": "Form 12"}
    path = f"{SERVICES}subscribe/{profile.pk}/"
    right = Permission.objects.get(codename="resubscribe_subscription")
    operator.user_permissions.remove(right)
    client.force_login(operator)
    answer = client.post(path, proof, follow=True)
    assert "your account may not undo that" in answer.content.decode()

    operator.user_permissions.add(right)
    answer = client.post(path, proof | {"evidence": ""}, follow=True)
    assert "no evidence was given" in answer.content.decode()
    assert not is_current(profile, service)
    client.post(path, proof)
    assert is_current(profile, service)


@pytest.mark.parametrize("number", ["", "x", "999", "9" * 40, "²"])
def test_unknown_service_of_a_post_is_not_found(console, number):
    profile = factories.make_profile()
    path = f"{SERVICES}unsubscribe/{profile.pk}/"
    assert console.post(path, {"service": number}).status_code == 404


def test_delivery_of_a_service_takes_its_channel(console):
    service = factories.make_service(channel=Channel.SMS)
    rows = {
        "conditions-TOTAL_FORMS": "0",
        "conditions-INITIAL_FORMS": "0",
        "label": "Spring",
        "audience_kind": "everybody",
        "service": service.pk,
    }
    answer = console.post("/console/deliveries/new/", rows | {"channel": "0"})
    assert "goes out by SMS" in answer.content.decode()
    answer = console.post(
        "/console/deliveries/new/", rows | {"channel": "1"}, follow=True
    )
    assert Delivery.objects.get().service == service
    assert f"subscribers of “{service}”" in answer.content.decode()
