"""The console's pages of sending: content, confirmation, progress, attempts."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from delivery import analysis
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.models import Delivery, DeliveryContent, Message
from delivery.states import DeliveryStatus, MessageStatus
from profiles.models import Profile
from tests import factories
from tests.delivery.sending_stage import (
    HTML,
    Wire,
    make_confirmed,
    make_sending,
    send_once,
)

CONTENT = {
    "subject": "Spring",
    "html": HTML,
    "text": "",
    "sender": "",
    "reply_to": "",
    "brand": "",
    "is_marketing": "on",
    "has_address_in_content": "on",
    "contact_at": "",
    "days": "3.5",
}


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def profile(db: None) -> Profile:
    return factories.make_profile(external_id="A", first_name="Anna")


def url(delivery: Delivery, page: str = "") -> str:
    return f"/console/deliveries/{delivery.pk}/{page}"


def make_written(**fields: object) -> Delivery:
    delivery = factories.make_analysed_delivery(**fields)
    DeliveryContent.objects.create(
        delivery=delivery, subject="Hi", html=HTML, has_address_in_content=True
    )
    return delivery


def test_content_is_saved_and_makes_a_draft_again(
    console: Client, profile: Profile
) -> None:
    delivery = factories.make_analysed_delivery()

    response = console.post(url(delivery, "content/"), CONTENT)

    assert response.status_code == 302
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.DRAFT
    assert delivery.content.subject == "Spring"
    assert delivery.version == 2


def test_content_page_says_what_has_to_be_mended(
    console: Client, profile: Profile
) -> None:
    delivery = make_written()
    DeliveryContent.objects.update(html="<p>Hi</p>")

    page = console.get(url(delivery, "content/")).content.decode()

    assert "no unsubscribe link" in page


def test_content_of_a_delivery_that_began_stays(
    console: Client, profile: Profile
) -> None:
    delivery = make_sending()

    page = console.post(url(delivery, "content/"), CONTENT | {"subject": "New"})

    assert "it is being sent" in page.content.decode()
    assert DeliveryContent.objects.get().subject == "Spring"


def test_delivery_is_confirmed_when_every_warning_is_ticked(
    console: Client, profile: Profile
) -> None:
    delivery = make_written()
    page = console.get(url(delivery, "confirm/")).content.decode()
    assert 'value="not_signed"' in page and 'value="unsubscribe_link_dead"' in page

    console.post(url(delivery, "confirm/"), {"accepted": ["not_signed"]})
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.ANALYSED

    accepted = ["not_signed", "unsubscribe_link_dead"]
    console.post(url(delivery, "confirm/"), {"accepted": accepted})
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.CONFIRMED
    assert delivery.confirmed_by == "operator"


def test_errors_leave_no_button_to_confirm(console: Client, profile: Profile) -> None:
    delivery = factories.make_analysed_delivery()

    page = console.get(url(delivery, "confirm/")).content.decode()

    assert "The subject is empty" in page
    assert "Confirm and send" not in page


ACTS = [
    ("withdraw", make_confirmed, DeliveryStatus.ANALYSED),
    ("cancel", make_confirmed, DeliveryStatus.CANCELLED),
    ("pause", make_sending, DeliveryStatus.PAUSED),
    ("cancel", make_sending, DeliveryStatus.CANCELLED),
]


@pytest.mark.parametrize(
    ("act", "make", "status"), ACTS, ids=["withdraw", "cancel", "pause", "stop"]
)
def test_act_moves_the_delivery(console, profile, act, make, status):
    delivery = make()
    assert f"/acts/{act}/" in console.get(url(delivery)).content.decode()

    console.post(url(delivery, f"acts/{act}/"))

    delivery.refresh_from_db()
    assert delivery.status == status


def test_paused_delivery_is_resumed(console: Client, profile: Profile) -> None:
    delivery = make_sending()
    console.post(url(delivery, "acts/pause/"))

    console.post(url(delivery, "acts/resume/"))

    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.SENDING


def test_act_that_cannot_be_is_answered_with_a_sentence(
    console: Client, profile: Profile
) -> None:
    delivery = make_sending()

    page = console.post(url(delivery, "acts/withdraw/"), follow=True)

    assert "cannot be taken back" in page.content.decode()
    assert console.post(url(delivery, "acts/explode/")).status_code == 404


@pytest.mark.parametrize(
    ("method", "page"),
    [
        ("get", "content/"),
        ("post", "content/"),
        ("get", "confirm/"),
        ("post", "confirm/"),
        ("post", "acts/cancel/"),
        ("get", "sending/"),
        ("get", "messages/1/"),
    ],
)
def test_pages_ask_for_rights(client, onlooker, profile, method, page):
    delivery = make_written()
    client.force_login(onlooker)

    assert getattr(client, method)(url(delivery, page)).status_code == 403


def test_who_prepares_does_not_confirm(
    client: Client, onlooker: User, profile: Profile
) -> None:
    for codename in ("view_delivery", "change_delivery", "analyse_delivery"):
        onlooker.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(onlooker)
    delivery = make_written()

    assert url(delivery, "confirm/") not in client.get(url(delivery)).content.decode()
    assert client.post(url(delivery, "confirm/")).status_code == 403


@pytest.mark.parametrize("page", ["acts/cancel/", "acts/pause/"])
def test_get_changes_nothing(console: Client, profile: Profile, page: str) -> None:
    delivery = make_sending()

    assert console.get(url(delivery, page)).status_code == 405


def test_page_shows_how_far_the_sending_is(console: Client, profile: Profile) -> None:
    factories.make_profile(external_id="B")
    delivery = make_sending()
    live = console.get(url(delivery, "sending/"))
    assert "0 of 2 messages" in live.content.decode()
    assert "HX-Refresh" not in live

    send_once(Wire())

    page = console.get(url(delivery)).content.decode()
    assert "2 of 2 messages" in page and "Finished" in page
    assert "Analyse again" not in page
    assert console.get(url(delivery, "sending/"))["HX-Refresh"] == "true"


def test_log_shows_what_became_of_a_message_and_why(
    console: Client, profile: Profile
) -> None:
    delivery = make_sending()
    refused = Outcome(OutcomeKind.HARD, Phase.RCPT, 550, "5.1.1", "No such user")
    send_once(Wire(refused))

    log = console.get(url(delivery, f"log/?status={MessageStatus.FAILED}"))
    detail = console.get(url(delivery, f"messages/{profile.pk}/")).content.decode()

    assert "Failed" in log.content.decode() and profile.external_id is not None
    assert f"/messages/{profile.pk}/" in log.content.decode()
    assert "550 No such user" in detail and "Refused for good" in detail


def test_download_has_the_filter_of_the_page(console: Client, profile: Profile) -> None:
    factories.make_opt_out(profile=factories.make_profile(external_id="B"))
    delivery = make_sending()
    for query, rows in (("", 2), (f"?status={MessageStatus.READY}", 1)):
        page = console.get(url(delivery, f"log/{query}")).content.decode()
        link = page.partition("/log.csv?")[2].partition('"')[0].replace("&amp;", "&")

        answer = console.get(url(delivery, f"log.csv?{link}"))

        assert answer.status_code == 200
        assert len(b"".join(answer).splitlines()) == rows + 1  # type: ignore[arg-type]


def test_excluded_after_the_analysis_is_shown_apart(
    console: Client, profile: Profile
) -> None:
    delivery = make_sending()
    factories.make_opt_out(profile=profile)
    send_once(Wire())

    log = console.get(
        url(
            delivery, f"log/?status={MessageStatus.EXCLUDED_AFTER}&reason=opted_out_any"
        )
    )

    assert "Excluded after the analysis" in log.content.decode()
    assert "Opted out of every channel" in log.content.decode()


def test_confirmation_says_what_changed_since_the_analysis_before(
    console: Client, profile: Profile
) -> None:
    delivery = make_written()
    factories.make_profile(external_id="B")
    analysis.prepare(delivery, by="anna", now=timezone.now())

    page = console.get(url(delivery, "confirm/")).text

    assert "<dt>New in the target</dt><dd>1</dd>" in page
    assert "<dt>Gone from the target</dt><dd>0</dd>" in page


@pytest.mark.parametrize(
    ("status", "tone"),
    [
        (MessageStatus.SENT, "good"),
        (MessageStatus.FAILED, "bad"),
        (MessageStatus.UNKNOWN, "bad"),
        (MessageStatus.EXPIRED, "warn"),
    ],
)
def test_log_shows_what_failed_as_failed(
    console: Client, profile: Profile, status: MessageStatus, tone: str
) -> None:
    delivery = factories.make_analysed_delivery()
    Message.objects.update(status=status)

    page = console.get(url(delivery, "log/")).text

    assert f'<span class="badge badge-{tone}">{status.label}</span>' in page
