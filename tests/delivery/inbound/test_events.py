"""What mail providers report, in their own words, and what follows from it."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from delivery.inbound import events, processing, providers, storing
from delivery.models import Inbound, InboundKind, InboundState, Message, Report
from delivery.states import MessageStatus
from optout.models import ConsentEvent, OptOut
from optout.models.ledger import ConsentSource
from profiles.models import Profile
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Reason, Status
from tests import factories
from tests.delivery.sending_stage import Wire, make_sending, send_once

pytestmark = pytest.mark.django_db
ADDRESS = "anna@example.com"


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.MAIL_HOOK_SECRETS = {
        "postmark": "user:word",
        "sendgrid": "",
        "sparkpost": "user:word",
        "mailgun": "key",
        "mandrill": "key",
        "resend": "key",
    }
    settings.SNS_TOPICS = ["arn"]


@pytest.fixture
def anna() -> Profile:
    return factories.make_profile(email=ADDRESS)


@pytest.fixture
def token(anna) -> str:
    """What the provider was given with the message to Anna, and hands back."""
    make_sending(label="Spring")
    wire = Wire()
    send_once(wire)
    return wire.taken[0].sender.partition("@")[0]


def take_in(provider: str, body: object, *, kind: str = "application/json") -> Inbound:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    raw = f"Content-Type: {kind}\r\n\r\n".encode() + text
    now = timezone.now()
    row = storing.store(InboundKind.EVENT, raw, source=provider, now=now)
    assert row is not None
    processing.read_one(row.pk, now=now)
    row.refresh_from_db()
    return row


def postmark(token: str, kind: str = "Bounce", **fields: object) -> dict[str, object]:
    return {
        "RecordType": kind,
        "MessageID": "1",
        "Recipient": ADDRESS,
        "Email": ADDRESS,
        "Metadata": {"campaign": token},
        "BouncedAt": timezone.now().isoformat(),
        "DeliveredAt": timezone.now().isoformat(),
        **fields,
    }


def hard_bounce(token: str) -> dict[str, object]:
    return postmark(
        token, Type="HardBounce", TypeCode=1, Details="smtp;550 5.1.1 Unknown user"
    )


def test_bounce_quarantines_the_address_of_its_message(token, anna):
    row = take_in("postmark", hard_bounce(token))

    address = QuarantinedAddress.objects.get()
    assert (address.address, address.status) == (ADDRESS, Status.QUARANTINE)
    assert address.reason == Reason.USER_UNKNOWN
    assert (row.state, row.meaning, row.profile_id) == ("applied", "bounce", anna.pk)


def test_recipient_of_an_event_selects_nobody(token):
    take_in("postmark", hard_bounce(token) | {"Email": "victim@example.org"})

    assert QuarantinedAddress.objects.get().address == ADDRESS


@pytest.mark.parametrize(
    ("given", "state"),
    [("", "foreign"), ("spring", "foreign"), ("b-" + "a" * 48, "forged")],
    ids=["without", "of-others", "forged"],
)
def test_event_without_our_token_changes_nothing(token, given, state):
    row = take_in("postmark", hard_bounce(given))

    assert row.state == state
    assert QuarantinedAddress.objects.count() == Report.objects.count() == 0


def test_complaint_denylists(token):
    row = take_in(
        "postmark", postmark(token, "SpamComplaint", Type="SpamComplaint", TypeCode=512)
    )

    address = QuarantinedAddress.objects.get()
    assert (address.status, address.reason) == (Status.DENYLISTED, Reason.COMPLAINT)
    assert row.meaning == "complaint"


def test_opt_out_at_the_provider_stops(token, anna):
    row = take_in(
        "postmark",
        postmark(
            token,
            "SubscriptionChange",
            SuppressSending=True,
            SuppressionReason="ManualSuppression",
            ChangedAt=timezone.now().isoformat(),
        ),
    )

    assert OptOut.objects.get().profile_id == anna.pk
    assert ConsentEvent.objects.get().source == ConsentSource.API
    assert (row.state, row.meaning) == ("applied", "opt_out")


def test_delivery_clears_the_errors_of_an_address(token):
    factories.make_quarantined_address(value=ADDRESS, status=Status.ERRONEOUS)

    take_in("postmark", postmark(token, "Delivery", Details="250 2.0.0 Ok"))

    assert QuarantinedAddress.objects.get().status == Status.VALID


@pytest.mark.parametrize("kind", ["Open", "Click"])
def test_what_people_read_is_recorded_only(token, kind):
    row = take_in(
        "postmark", postmark(token, kind, ReceivedAt=timezone.now().isoformat())
    )

    assert row.state == InboundState.RECORDED
    assert Report.objects.count() == 0


def test_event_again_counts_once(token):
    take_in("postmark", hard_bounce(token))
    again = take_in("postmark", hard_bounce(token) | {"MessageID": "2"})

    assert again.state == InboundState.RECORDED
    assert Report.objects.count() == 1


def test_event_of_an_old_message_is_recorded_only(token, monkeypatch):
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(days=15))

    assert take_in("postmark", hard_bounce(token)).note == "Too late to have an effect."
    assert QuarantinedAddress.objects.count() == 0


def sparkpost(token: str, number: int) -> dict[str, object]:
    event = {
        "type": "bounce",
        "event_id": str(number),
        "bounce_class": "10",
        "rcpt_to": ADDRESS,
        "raw_reason": "550 5.1.1 Unknown user",
        "timestamp": "1700000000",
        "rcpt_meta": {"campaign": token},
    }
    return {"msys": {"message_event": event}}


def test_one_bad_event_of_many_spoils_no_other(db):
    people = [factories.make_profile(email=f"p{n}@example.com") for n in range(20)]
    make_sending()
    wire = Wire()
    send_once(wire)
    tokens = [each.sender for each in wire.taken]
    body = [sparkpost(token, n) for n, token in enumerate(tokens)]
    body.insert(7, {"msys": {"message_event": "no event"}})

    row = take_in("sparkpost", body)

    assert QuarantinedAddress.objects.count() == len(people)
    assert row.state == InboundState.APPLIED
    assert row.note == "21 reports in one. Applied: 20, Cannot be read: 1."


def test_report_that_is_none_is_kept_and_said_to_be_unreadable(db):
    row = take_in("postmark", b"<html>")

    assert row.state == InboundState.FAILED
    assert bytes(row.raw).endswith(b"<html>")


def ses(token: str, **fields: object) -> dict[str, object]:
    event = {
        "notificationType": "Bounce",
        "mail": {
            "messageId": "x",
            "destination": [ADDRESS],
            "headers": [
                {"name": "X-Metadata", "value": json.dumps({"campaign": token})}
            ],
        },
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": ADDRESS,
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
            ],
        },
    }
    return {
        "Type": "Notification",
        "MessageId": "m",
        "Timestamp": "2026-11-25T12:00:00.000Z",
        "Message": json.dumps(event),
        **fields,
    }


def test_bounce_by_amazon_quarantines_without_an_account_there(token):
    row = take_in("amazon_ses", ses(token))

    assert row.state == InboundState.APPLIED
    assert QuarantinedAddress.objects.get().status == Status.QUARANTINE


def test_subscription_is_shown_to_a_person_and_never_confirmed(db):
    body = {"Type": "SubscriptionConfirmation", "SubscribeURL": "https://evil.example/"}

    row = take_in("amazon_ses", body)

    assert (row.state, row.meaning) == (InboundState.TRIAGE, "subscription")
    assert row.note == (
        "Amazon SNS asks to confirm a subscription. Open the SubscribeURL in it, if it"
        " is yours."
    )


def test_unsubscription_of_a_topic_is_recorded(db):
    row = take_in("amazon_ses", {"Type": "UnsubscribeConfirmation"})

    assert row.state == InboundState.RECORDED


def test_next_analysis_leaves_out_whom_a_provider_reported(token):
    free = factories.make_profile(email="free@example.com")
    take_in("postmark", hard_bounce(token))

    delivery = factories.make_analysed_delivery(now=timezone.now())

    ready = Message.objects.filter(
        analysis_id=delivery.current_analysis_id, status=MessageStatus.READY
    )
    assert list(ready.values_list("profile_id", flat=True)) == [free.pk]


@pytest.mark.parametrize("name", sorted(set(providers.PROVIDERS) - {"amazon_ses"}))
def test_every_provider_s_view_is_made_from_its_secret_alone(name, settings):
    settings.MAIL_HOOK_SECRETS = {name: "user:word"}
    if name == "sendgrid":
        settings.MAIL_HOOK_SECRETS = {name: PUBLIC_KEY}

    assert providers.is_open(name)
    assert providers.view_of(name) is not None


PUBLIC_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9"
    "q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg=="
)


@pytest.mark.parametrize(
    ("kind", "why", "meaning"),
    [
        ("bounced", "bounced", "bounce"),
        ("rejected", "invalid", "bounce"),
        ("rejected", "spam", "complaint"),
        ("rejected", "unsubscribed", "unsubscribed"),
        ("rejected", "blocked", "rejected"),
        ("failed", None, "failed"),
        ("deferred", None, "delayed"),
        ("autoresponded", None, "auto_reply"),
        ("opened", None, "opened"),
    ],
)
def test_words_of_anymail_have_a_meaning(kind, why, meaning):
    event = SimpleNamespace(
        event_type=kind, reject_reason=why, esp_event={}, description=None
    )

    assert events._meaning(event) == meaning


@pytest.mark.parametrize(
    ("kind", "state", "denylisted"),
    [("abuse", "applied", 1), ("not-spam", "recorded", 0), (None, "applied", 1)],
)
def test_complaint_by_amazon_says_of_what_kind_it_is(token, kind, state, denylisted):
    complaint = {"complainedRecipients": [{"emailAddress": ADDRESS}]}
    complaint["complaintFeedbackType"] = kind
    message = json.loads(ses(token)["Message"])
    message |= {"notificationType": "Complaint", "complaint": complaint}

    row = take_in("amazon_ses", ses(token, Message=json.dumps(message)))

    assert row.state == state
    assert QuarantinedAddress.objects.count() == denylisted
