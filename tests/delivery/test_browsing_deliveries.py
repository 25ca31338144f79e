"""The list of deliveries: filters, search, progress."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery import browsing
from delivery.models import Analysis, Delivery, Message, Part
from delivery.states import DeliveryStatus, MessageStatus
from profiles.channels import Channel
from tests import factories
from tests.delivery.sending_stage import make_sending

pytestmark = pytest.mark.django_db
PATH = "/console/deliveries/"


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("", ["Sale in spring", "Autumn", "Spring"]),
        ("?q=spring", ["Sale in spring", "Spring"]),
        ("?status=paused", ["Autumn"]),
        ("?channel=1", ["Sale in spring"]),
        ("?channel=0&status=draft&q=+Spring+", ["Spring"]),
        ("?q=100%25", []),
    ],
)
def test_list_shows_what_passes_the_filter(console, query, labels) -> None:
    factories.make_delivery(label="Spring")
    factories.make_delivery(label="Autumn", status=DeliveryStatus.PAUSED)
    factories.make_delivery(label="Sale in spring", channel=Channel.SMS)

    page = console.get(f"{PATH}{query}")

    assert [line.delivery.label for line in page.context["lines"]] == labels
    assert ("No delivery matches" in page.text) is (not labels)


@pytest.mark.parametrize(
    "query", ["status=asleep", "channel=99", "channel=x", "q=%00", f"q={'a' * 201}"]
)
def test_filter_that_cannot_be_is_refused_in_words(console, query) -> None:
    factories.make_delivery(label="Spring")

    page = console.get(f"{PATH}?{query}")

    assert page.status_code == 400
    assert "field-error" in page.text and "No delivery matches" in page.text


@pytest.mark.parametrize("place", ["after=x", "before=1~2", "after=9" + "9" * 30])
def test_place_that_cannot_be_read_gives_the_first_page(console, place) -> None:
    factories.make_delivery(label="Spring")

    page = console.get(f"{PATH}?{place}")

    assert page.status_code == 200


def test_filter_stays_from_page_to_page(console: Client) -> None:
    for _number in range(51):
        factories.make_delivery(label="Spring")
        factories.make_delivery(label="Autumn")

    page = console.get(f"{PATH}?q=Spring&status=draft")
    older = console.get(PATH + page.context["page"].older_url.replace("&amp;", "&"))

    assert len(page.context["lines"]) == 50
    assert [line.delivery.label for line in older.context["lines"]] == ["Spring"]


def test_empty_list_offers_a_first_delivery_and_no_filter(console: Client) -> None:
    page = console.get(PATH).text

    assert "No deliveries yet" in page and "New delivery" in page
    assert "Filter deliveries" not in page


def percent_of(delivery: Delivery) -> int | None:
    [line] = browsing.lines([Delivery.objects.get(pk=delivery.pk)])
    return line.percent


def test_progress_is_of_the_messages_to_send() -> None:
    for _number in range(4):
        factories.make_profile()
    factories.make_opt_out(profile=factories.make_profile())
    delivery = make_sending()
    first = Message.objects.filter(status=MessageStatus.READY).order_by("profile_id")
    Message.objects.filter(profile_id=first[0].profile_id).update(
        status=MessageStatus.FAILED
    )

    assert percent_of(delivery) == 25


def test_progress_of_a_large_delivery_is_of_its_parts() -> None:
    factories.make_profile()
    delivery = make_sending()
    Analysis.objects.update(targeted_count=100_001)
    for number in range(2):
        Part.objects.create(
            analysis_id=delivery.current_analysis_id or 0,
            first_profile_id=number,
            last_profile_id=number,
            due_at=timezone.now(),
            is_done=True,
        )

    assert percent_of(delivery) == 66


def test_progress_of_an_analysis_is_of_its_profiles(console: Client) -> None:
    delivery = factories.make_delivery(status=DeliveryStatus.ANALYSING)
    delivery.analyses.create(
        heartbeat_at=timezone.now(), profiles_total=200, profiles_done=50
    )

    page = console.get(PATH).text

    assert percent_of(delivery) == 25
    assert 'value="25" aria-label="Progress of Spring"' in page


def test_what_does_not_go_on_has_no_progress() -> None:
    factories.make_profile()

    assert percent_of(factories.make_analysed_delivery()) is None


def test_row_of_a_file_that_is_written_has_ended() -> None:
    factories.make_address(
        profile=factories.make_profile(email=None),
        channel=Channel.PHONE,
        value="+46701234567",
    )
    delivery = make_sending(channel=Channel.PHONE, html="")
    Message.objects.update(status=MessageStatus.SENDING)

    assert percent_of(delivery) == 100


def test_list_of_many_takes_few_queries(
    console: Client, django_assert_max_num_queries: object
) -> None:
    factories.make_profile()
    for _number in range(20):
        make_sending()

    with django_assert_max_num_queries(12):  # type: ignore[operator]
        page = console.get(PATH)

    assert page.status_code == 200 and len(page.content) < 100_000
