"""A recipient's day: a mail, a page, a subscription, and the way out of it."""

import email
import re
from email.message import EmailMessage
from email.policy import default

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from optout.models import ConsentEvent, Service
from optout.models.ledger import Direction
from optout.models.pages import PageType
from optout.page_content import Access
from tests import factories
from tests.browser.conftest import heading_is, run_worker
from tests.delivery.sending_stage import make_confirmed, send_once_by_settings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("mail_folder"),
]

ANNA = "anna@example.com"
FOOT = (
    '<p><a href="{{ preferences_url }}">What you get</a></p>'
    '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'
)


@pytest.fixture
def service(db) -> Service:
    return factories.make_service(public_name="Letters", is_open=True)


def test_recipient_subscribes_and_leaves_again(page: Page, service: Service) -> None:
    anna = factories.make_profile(
        external_id="P-1", first_name="Anna", email=ANNA, language="en"
    )
    landing = factories.make_landing_page(
        page_type=PageType.SUBSCRIBE,
        access=Access.ANYBODY,
        services=(service.pk,),
        is_published=True,
    )
    offer = (
        f'<a href="{settings.PUBLIC_BASE_URL}/page/{landing.public_id}">Get more</a>'
    )
    make_confirmed(
        label="Offer", html=f"<p>Hello {{{{ profile.first_name }}}}</p>{offer}{FOOT}"
    )
    send_once_by_settings()

    follow(page, newest_mail("Hello Anna"), "Get more")
    subscribes(page)
    assert anna.subscriptions.get().service == service

    make_confirmed(label="Letter", html=f"<p>Your letter</p>{FOOT}", service=service)
    send_once_by_settings()
    letter = newest_mail("Your letter")
    follow(page, letter, "Unsubscribe")
    leaves(page)
    follow(page, letter, "What you get")
    shows_what_is_left(page)

    told = ConsentEvent.objects.order_by("pk").values_list("direction", "service_id")
    assert list(told) == [(Direction.IN, service.pk), (Direction.OUT, service.pk)]
    next_letter = factories.make_analysed_delivery(
        label="Next", service=service, now=timezone.now()
    )
    assert next_letter.current_analysis.to_send_count == 0
    assert next_letter.current_analysis.excluded_counts["not_subscribed"] == 1


def newest_mail(wording: str) -> EmailMessage:
    """Give the one mail to Anna that says this."""
    mails = [
        email.message_from_bytes(each.read_bytes(), policy=default)
        for each in settings.MAIL_DIR.rglob("*")
        if each.is_file()
    ]
    [found] = [each for each in mails if wording in html_of(each)]
    assert found["To"] == ANNA
    return found


def html_of(found: EmailMessage) -> str:
    return found.get_body(("html",)).get_content()


def follow(page: Page, found: EmailMessage, link: str) -> None:
    """Open what a link of a mail leads to."""
    [url] = re.findall(rf'href="([^"]+)"[^>]*>{link}<', html_of(found))
    assert url.startswith(settings.PUBLIC_BASE_URL)
    page.goto(url.removeprefix(settings.PUBLIC_BASE_URL))


def reads(page: Page) -> None:
    """Read for as long as a person does: a press at once is a program's."""
    page.wait_for_timeout(1100)


def subscribes(page: Page) -> None:
    heading_is(page, "Subscribe")
    page.get_by_label("Email address").fill(ANNA)
    reads(page)
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("status")).to_contain_text("press the button in it")
    run_worker()
    [asking] = mail.outbox
    assert (asking.to, asking.subject) == ([ANNA], "Please confirm: Letters")
    [url] = re.findall(r"http://localhost:8000(/\S+)", asking.body)[:1]
    page.goto(url)
    heading_is(page, "Do you want to subscribe?")
    expect(page.get_by_role("listitem")).to_have_text(["Letters"])
    reads(page)
    page.get_by_role("button", name="Yes, subscribe").click()
    heading_is(page, "You are subscribed")


def leaves(page: Page) -> None:
    heading_is(page, "Stop messages")
    expect(page.locator("main")).to_contain_text(
        "You will get no more messages of “Letters” from us"
    )
    reads(page)
    page.get_by_role("button", name="Stop these messages").click()
    heading_is(page, "You are out")
    expect(page.locator("main")).to_contain_text("Other messages that you asked for")


def shows_what_is_left(page: Page) -> None:
    heading_is(page, "What you get from us")
    expect(page.get_by_label("Letters")).not_to_be_checked()
    expect(page.get_by_label("Email", exact=True)).to_be_checked()
