"""The door of mail providers: authentic, small enough, stored whole, then answered."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from delivery.inbound import sns
from delivery.models import Inbound, InboundKind, InboundState
from delivery.views import hooks
from tests.delivery.inbound import test_sns

pytestmark = pytest.mark.django_db
BODY = json.dumps({"RecordType": "Bounce", "ID": 1})
BASIC = {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(b"user:word").decode()}


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.MAIL_HOOK_SECRETS = {
        "postmark": "user:word",
        "mailgun": "signing-key",
        "resend": "whsec_" + base64.b64encode(b"resend-key").decode(),
    }
    settings.SNS_TOPICS = [test_sns.TOPIC]


def post(client, provider, body=BODY, **headers):
    return client.post(
        f"/hooks/mail/{provider}", body, content_type="application/json", **headers
    )


def test_report_is_stored_whole_before_it_is_answered(client: Client):
    response = post(client, "postmark", **BASIC)

    assert (response.status_code, response.content) == (200, b"")
    row = Inbound.objects.get()
    assert (row.kind, row.source) == (InboundKind.EVENT, "postmark")
    assert row.state == InboundState.STORED
    assert bytes(row.raw) == b"Content-Type: application/json\r\n\r\n" + BODY.encode()
    assert response.cookies == {}


def test_same_report_again_is_stored_once(client: Client):
    for _turn in range(3):
        assert post(client, "postmark", **BASIC).status_code == 200

    assert Inbound.objects.count() == 1


@pytest.mark.parametrize(
    "headers",
    [{}, {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(b"user:x").decode()}],
    ids=["without", "wrong"],
)
def test_report_without_the_secret_is_refused(client: Client, headers):
    assert post(client, "postmark", **headers).status_code == 401
    assert Inbound.objects.count() == 0


@pytest.mark.parametrize("provider", ["brevo", "mandrill", "nobody", "amazon_ses"])
def test_provider_without_a_secret_is_not_there(client: Client, provider, settings):
    settings.SNS_TOPICS = []

    assert post(client, provider, **BASIC).status_code == 404
    assert Inbound.objects.count() == 0


def test_secret_of_one_provider_opens_no_other(client: Client):
    assert post(client, "mailgun", **BASIC).status_code == 401


@pytest.mark.parametrize(
    ("key", "status"),
    [(b"signing-key", 200), (b"other-key", 401)],
    ids=["own", "other"],
)
def test_signature_of_mailgun_is_checked(client: Client, key, status):
    signed = hmac.new(key, b"1700000000token", hashlib.sha256).hexdigest()
    block = {"timestamp": "1700000000", "token": "token", "signature": signed}
    body = json.dumps({"signature": block, "event-data": {}})

    assert post(client, "mailgun", body).status_code == status


@pytest.mark.parametrize(
    ("key", "status"), [(b"hook-key", 200), (b"other-key", 401)], ids=["own", "other"]
)
def test_mandrill_signs_the_public_address(client: Client, settings, key, status):
    settings.MAIL_HOOK_SECRETS = {"mandrill": "hook-key"}
    settings.PUBLIC_BASE_URL = "https://campaign.example.com"
    url = "https://campaign.example.com/hooks/mail/mandrill"
    signed = hmac.digest(key, f"{url}mandrill_events[]".encode(), "sha1")

    response = client.post(
        "/hooks/mail/mandrill",
        {"mandrill_events": "[]"},
        HTTP_X_MANDRILL_SIGNATURE=base64.b64encode(signed).decode(),
    )

    assert response.status_code == status


def standard_webhook(
    body: str, *, key=b"resend-key", later=timedelta()
) -> dict[str, str]:
    stamp = str(int((timezone.now() + later).timestamp()))
    signed = hmac.digest(key, f"m1.{stamp}.{body}".encode(), "sha256")
    return {
        "HTTP_SVIX_ID": "m1",
        "HTTP_SVIX_TIMESTAMP": stamp,
        "HTTP_SVIX_SIGNATURE": f"v1,{base64.b64encode(signed).decode()}",
    }


def test_signature_of_a_standard_webhook_is_checked(client: Client):
    assert post(client, "resend", **standard_webhook(BODY)).status_code == 200


@pytest.mark.parametrize(
    ("body", "how"),
    [
        (BODY + " ", {}),
        (BODY, {"key": b"another"}),
        (BODY, {"later": timedelta(minutes=-6)}),
        (BODY, {"later": timedelta(minutes=6)}),
    ],
    ids=["re-serialised", "other-key", "old", "of-the-future"],
)
def test_standard_webhook_that_is_not_as_signed_is_refused(client: Client, body, how):
    assert post(
        client, "resend", body, **standard_webhook(BODY, **how)
    ).status_code == (401)
    assert Inbound.objects.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_SVIX_TIMESTAMP": "²"},
        {"HTTP_SVIX_SIGNATURE": ""},
        {"HTTP_SVIX_SIGNATURE": "v2,abc v1,é"},
    ],
    ids=["no-number", "no-signature", "beyond-ascii"],
)
def test_odd_headers_are_refused(client: Client, headers):
    assert (
        post(client, "resend", **(standard_webhook(BODY) | headers)).status_code == 401
    )


def test_report_of_amazon_is_known_by_its_id(client: Client, monkeypatch):
    monkeypatch.setattr(
        sns, "fetch_certificate", lambda url: test_sns.make_certificate()
    )
    monkeypatch.setattr(timezone, "now", lambda: test_sns.NOW)
    body = json.dumps(test_sns.make_signed())

    assert post(client, "amazon_ses", body).status_code == 200
    assert post(client, "amazon_ses", json.dumps(json.loads(body))).status_code == 200
    row = Inbound.objects.get()
    assert (row.source, row.key) == ("amazon_ses", "m-1")


@pytest.mark.parametrize("body", ["", "[]", "null", '{"Type": "Notification"}'])
def test_report_that_amazon_did_not_sign_is_refused(client: Client, body, monkeypatch):
    fetched = []
    monkeypatch.setattr(sns, "fetch_certificate", fetched.append)

    assert post(client, "amazon_ses", body).status_code == 401
    assert fetched == []


def test_report_that_is_too_big_is_refused(client: Client, monkeypatch):
    monkeypatch.setattr(hooks, "MOST_BYTES", 10)

    assert post(client, "postmark", **BASIC).status_code == 413
    assert Inbound.objects.count() == 0


def test_get_answers_nothing_and_writes_nothing(client: Client):
    assert client.get("/hooks/mail/postmark").status_code == 405
    assert client.head("/hooks/mail/postmark").status_code == 200
    assert Inbound.objects.count() == 0


def test_cookies_and_forgery_protection_play_no_part():
    client = Client(enforce_csrf_checks=True)

    assert post(client, "postmark", **BASIC).status_code == 200


def test_without_anymail_the_doors_are_closed_and_nothing_breaks():
    script = (
        "import sys; sys.modules['anymail'] = sys.modules['cryptography'] = None\n"
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "settings.MAIL_HOOK_SECRETS = {'postmark': 'user:word'}\n"
        "settings.SNS_TOPICS = ['arn']\n"
        "from delivery.inbound import processing, providers\n"
        "from delivery.views import hooks\n"
        "print(providers.is_open('postmark'), providers.is_open('amazon_ses'))\n"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}

    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )

    assert done.stdout == "False False\n", done.stderr
