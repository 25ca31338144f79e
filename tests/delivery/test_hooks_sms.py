"""The hooks of the SMS gateway: signed, stored, then done; anything else is refused."""

import secrets
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from delivery.inbound import storing, texts
from delivery.models import Inbound, TriageItem
from delivery.views import hooks_sms
from optout.models import ConsentEvent
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Status
from tests import factories
from tests.delivery.text_stage import NUMBER, SECRET, number_row, post, raw_text

STOP = raw_text("STOP", key="g-1")


@pytest.fixture(autouse=True)
def secret(settings) -> None:
    settings.SMS_HOOK_SECRET = SECRET


def nothing_changed() -> bool:
    models = (Inbound, QuarantinedAddress, ConsentEvent, TriageItem)
    return not any(model.objects.exists() for model in models)


@pytest.mark.django_db
def test_signed_text_is_taken_and_done(client: Client):
    anna = factories.make_profile(sms=NUMBER)

    answer = post(client, "incoming", STOP)

    assert (answer.status_code, answer.json()) == (200, {"taken": True})
    assert number_row().status == Status.DENYLISTED
    assert [each.profile_id for each in ConsentEvent.objects.all()] == [anna.pk]
    stored = Inbound.objects.get()
    assert (bytes(stored.raw), stored.key, stored.source) == (STOP, "g-1", "sms")
    assert not answer.cookies


@pytest.mark.django_db
def test_text_that_the_gateway_repeats_is_taken_and_done_once(client: Client):
    factories.make_profile(sms=NUMBER)

    answers = [post(client, "incoming", STOP).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert (Inbound.objects.count(), ConsentEvent.objects.count()) == (1, 1)


def shift(seconds: float) -> str:
    return str(int((timezone.now() + timedelta(seconds=seconds)).timestamp()))


FORGED = {
    "none": {"signature": "", "timestamp": ""},
    "no signature": {"signature": ""},
    "no timestamp": {"timestamp": ""},
    "not ascii": {"signature": "sha256=åäö"},
    "of another body": {"signature": "sha256=" + "0" * 64},
    "without its prefix": {"signature": "0" * 64},
    "timestamp of words": {"timestamp": "now"},
    "timestamp of other digits": {"timestamp": "١٢٣"},
    "long timestamp": {"timestamp": "9" * 400},
}


@pytest.mark.django_db
@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("path", ["incoming", "receipts"])
def test_unsigned_call_is_refused(client: Client, path, headers):
    answer = post(client, path, STOP, **headers)

    assert answer.status_code == 401
    assert answer.json()["error"].endswith(".")
    assert nothing_changed()


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [-302, 302, -86_400])
def test_signed_call_of_another_time_is_refused(client: Client, seconds):
    answer = post(client, "incoming", STOP, timestamp=shift(seconds))

    assert answer.status_code == 401
    assert answer.json() == {
        "error": "The timestamp is not of now. Send the seconds since 1970, in UTC."
    }
    assert nothing_changed()


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [-290, 290])
def test_signed_call_within_five_minutes_is_taken(client: Client, seconds):
    assert post(client, "incoming", STOP, timestamp=shift(seconds)).status_code == 200


@pytest.mark.django_db
def test_call_is_refused_while_no_secret_is_set(client: Client, settings):
    settings.SMS_HOOK_SECRET = ""

    answer = post(client, "incoming", STOP)

    assert answer.status_code == 401
    assert answer.json() == {"error": "No secret is set here. Set SMS_HOOK_SECRET."}


def accepted_forgeries(client: Client) -> int:
    """Post a hundred calls that nobody signed; give how many changed something."""
    factories.make_profile(sms=NUMBER)
    for turn in range(100):
        key = secrets.token_hex(32).encode()
        forged = "sha256=" + secrets.token_hex(32)
        body = raw_text("STOP", key=f"f-{turn}", note=key.decode())
        path = ("incoming", "receipts")[turn % 2]
        post(client, path, body, signature=(forged, "", "sha256=")[turn % 3])
    return Inbound.objects.count() + ConsentEvent.objects.count()


@pytest.mark.django_db
def test_hundred_forged_calls_change_nothing(client: Client):
    assert accepted_forgeries(client) == 0
    assert number_row() is None


@pytest.mark.django_db
def test_hook_that_checks_no_signature_is_found_out(client: Client, monkeypatch):
    monkeypatch.setattr(hooks_sms, "constant_time_compare", lambda *pair: True)

    assert accepted_forgeries(client) > 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("incoming", b"", "The body is no JSON. Send one JSON object."),
        ("incoming", b"\xff\x00", "The body is no JSON. Send one JSON object."),
        ("incoming", b"[" * 9_999, "The body is no JSON. Send one JSON object."),
        ("incoming", b"[]", "The body is no JSON object. Send one JSON object."),
        (
            "incoming",
            b'{"id": 7}',
            "The “id” is no string of 1 to 200 printable characters.",
        ),
        (
            "incoming",
            b'{"id": "a\\u0000"}',
            "The “id” is no string of 1 to 200 printable characters.",
        ),
        (
            "incoming",
            b'{"id": "\\ud800"}',
            "The “id” is no string of 1 to 200 printable characters.",
        ),
        (
            "incoming",
            b'{"id": "a", "text": ""}',
            "The text message has no “from”. Send it as a string.",
        ),
        (
            "incoming",
            b'{"id": "a", "from": "+46", "text": null}',
            "The text message has no “text”. Send it as a string.",
        ),
        (
            "receipts",
            b'{"id": "a", "message": "1-2"}',
            "The receipt has no “status”. Send it as a string.",
        ),
    ],
)
def test_signed_nonsense_is_refused_with_a_sentence(
    client: Client, path, body, sentence
):
    answer = post(client, path, body)

    assert (answer.status_code, answer.json()) == (400, {"error": sentence})
    assert nothing_changed()


@pytest.mark.django_db
def test_body_that_is_too_long_is_refused(client: Client):
    answer = post(client, "incoming", raw_text("x" * hooks_sms.MOST_BYTES))

    assert answer.status_code == 413
    assert answer.json() == {"error": "The body is longer than 262144 bytes."}


@pytest.mark.django_db
def test_ten_thousand_pictures_are_taken(client: Client):
    assert post(client, "incoming", raw_text("🎉" * 10_000)).status_code == 200
    assert TriageItem.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_only_post_is_taken(client: Client, method):
    answer = getattr(client, method)("/hooks/sms/incoming")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.django_db
def test_hook_needs_no_csrf_token_and_no_session(db):
    client = Client(enforce_csrf_checks=True)

    assert post(client, "incoming", STOP).status_code == 200


@pytest.mark.django_db
def test_text_that_cannot_be_stored_is_not_acknowledged(client: Client, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("disk full")

    monkeypatch.setattr(storing, "store", fail)

    answer = post(client, "incoming", STOP)

    assert answer.status_code == 503
    assert answer.json() == {"error": "It could not be stored. Send it again."}


@pytest.mark.django_db(transaction=True)
def test_crash_after_storing_keeps_the_text_for_the_next_attempt(
    client: Client, monkeypatch
):
    factories.make_profile(sms=NUMBER)
    with monkeypatch.context() as crash:
        crash.setattr(texts, "handle", fail_to_handle)
        assert post(client, "incoming", STOP).status_code == 503
    assert Inbound.objects.get().state == "stored"

    assert post(client, "incoming", STOP).status_code == 200

    assert Inbound.objects.get().state == "applied"
    assert ConsentEvent.objects.count() == 1


def fail_to_handle(*args, **kwargs):
    raise OperationalError("the server closed the connection")


def missing_at_the_answer(client: Client, monkeypatch) -> list[str]:
    """Post a STOP, and say what was not committed when the answer was made."""
    missing, make = [], hooks_sms.JsonResponse

    def answer(*args, **kwargs):
        if connection.in_atomic_block:
            missing.append("commit")
        if number_row() is None:
            missing.append("denylisting")
        if not ConsentEvent.objects.exists():
            missing.append("ledger row")
        return make(*args, **kwargs)

    factories.make_profile(sms=NUMBER)
    monkeypatch.setattr(hooks_sms, "JsonResponse", answer)
    post(client, "incoming", STOP)
    return missing


@pytest.mark.django_db(transaction=True)
def test_stop_is_committed_before_the_answer(client: Client, monkeypatch):
    assert missing_at_the_answer(client, monkeypatch) == []


@pytest.mark.django_db(transaction=True)
def test_answer_before_the_commit_is_found_out(client: Client, monkeypatch):
    taken = transaction.atomic(hooks_sms._taken)
    monkeypatch.setattr(hooks_sms, "_taken", taken)

    assert missing_at_the_answer(client, monkeypatch) == ["commit"]


@pytest.mark.django_db(transaction=True)
def test_answer_before_the_stop_is_done_is_found_out(client: Client, monkeypatch):
    monkeypatch.setattr(texts, "handle", lambda inbound, now: None)

    missing = missing_at_the_answer(client, monkeypatch)

    assert missing == ["denylisting", "ledger row"]
