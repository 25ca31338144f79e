"""The file of a delivery on its page: what is said of it, and who may have it."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from delivery import extraction, lifecycle
from delivery.models import (
    ConsoleAction,
    Delivery,
    DeliveryContent,
    Extraction,
    ExtractionDownload,
)
from delivery.states import DeliveryStatus
from profiles.channels import Channel
from tests import factories
from tests.delivery.extraction_stage import (
    handed_over,
    make_file,
    make_person,
    people_in,
)
from tests.delivery.sending_stage import make_sending, send_once_by_settings


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    make_person("A")
    make_person("B")
    client.force_login(operator)
    return client


def page_of(console: Client, delivery: Delivery) -> str:
    return console.get(f"/console/deliveries/{delivery.pk}/").content.decode()


def download(console: Client, delivery: Delivery):
    return console.post(f"/console/deliveries/{delivery.pk}/file/")


def test_page_says_that_the_file_is_being_made(console, monkeypatch):
    delivery = make_sending(channel=Channel.DIRECT_MAIL, html="")
    monkeypatch.setattr(extraction, "produce", lambda *args, **how: False)
    send_once_by_settings()

    page = page_of(console, delivery)

    assert "The file is being made." in page
    assert "2 of 2 messages" in page
    assert "/file/" not in page


def test_file_is_downloaded_and_the_download_logged(console):
    delivery = make_file()
    page = page_of(console, delivery)
    assert "File ready: 2 rows" in page and "Handed over to" not in page

    response = download(console, delivery)

    content = b"".join(response)
    assert people_in(content) == ["A", "B"]
    assert response["Content-Disposition"] == (
        f'attachment; filename="delivery-{delivery.pk}-direct_mail.csv"'
    )
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert int(response["Content-Length"]) == len(content)
    assert ExtractionDownload.objects.get().downloaded_by == "operator"
    rows = ConsoleAction.objects.filter(action="extraction_download").order_by("pk")
    assert [(row.outcome, row.counts["rows"]) for row in rows] == [
        *(("begun", 2), ("done", 2))
    ]
    after = page_of(console, delivery)
    assert "File handed over" in after and "Each download gives the same bytes" in after
    assert Extraction.objects.get().sha256 in after
    assert "operator" in after and "Handed over to" in after


def test_only_a_post_of_somebody_with_the_right_gets_the_file(
    console, client, onlooker
):
    delivery = make_file()
    url = f"/console/deliveries/{delivery.pk}/file/"
    assert console.get(url).status_code == 405

    for codename in ("view_delivery", "view_message", "export_log"):
        onlooker.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(onlooker)

    assert client.post(url).status_code == 403
    assert "/file/" not in page_of(client, delivery)
    assert Client().post(url).status_code == 302
    assert Client(enforce_csrf_checks=True).post(url).status_code == 403
    assert not ExtractionDownload.objects.exists()
    assert Extraction.objects.get().closed_at is None


def test_file_that_is_not_there_is_refused_on_the_page(console):
    delivery = make_sending(channel=Channel.DIRECT_MAIL, html="")
    lifecycle.cancel(delivery, now=timezone.now())
    send_once_by_settings()

    response = console.post(f"/console/deliveries/{delivery.pk}/file/", follow=True)

    page = response.content.decode()
    assert "none was made, because it was cancelled or expired before." in page
    assert "No file was made" in page


def test_page_says_when_the_rows_were_removed(console, settings):
    delivery = make_file()
    handed_over(delivery, by="anna")
    extraction.purge(now=timezone.now() + 2 * settings.EXTRACTION_RETENTION)

    page = page_of(console, delivery)

    assert "Its rows were removed" in page and "anna" in page
    assert "/file/" not in page


def test_delivery_by_email_has_no_file(console):
    delivery = factories.make_delivery()

    assert 'id="file"' not in page_of(console, delivery)


def test_letter_is_written_and_confirmed_in_the_console(console):
    make_person("C", street="")
    delivery = factories.make_analysed_delivery(channel=Channel.DIRECT_MAIL)
    url = f"/console/deliveries/{delivery.pk}/"
    form = console.get(f"{url}content/").content.decode()
    assert 'name="columns"' in form and 'name="subject"' not in form

    written = {"text": "Hi", "columns": "profile.city", "contact_at": "", "days": "3"}
    console.post(f"{url}content/", written)
    assert DeliveryContent.objects.get().columns == "profile.city"

    delivery = factories.make_analysed_delivery(channel=Channel.DIRECT_MAIL)
    url = f"/console/deliveries/{delivery.pk}/"
    page = console.get(f"{url}confirm/").content.decode()
    assert "1 postal address has no street. See whether it arrives." in page
    console.post(f"{url}confirm/", {"accepted": ["incomplete_postal_address"]})

    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.CONFIRMED
