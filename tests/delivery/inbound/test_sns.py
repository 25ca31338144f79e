"""Notifications of Amazon SNS: signed by Amazon, for a topic of ours, or nothing."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from delivery.inbound import sns
from delivery.inbound.sns import NotAuthentic

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-north-1:123456789012:bounces"
URL = "https://sns.eu-north-1.amazonaws.com/SimpleNotificationService-1.pem"
ALGORITHMS = {"1": hashes.SHA1(), "2": hashes.SHA256()}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_certificate(key=KEY, *, until=NOW + timedelta(days=1)) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    certificate = (
        builder.public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=9))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def make_signed(*, version="2", key=KEY, **fields) -> dict[str, str]:
    message = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": "{}",
        "Timestamp": "2026-11-25T12:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": URL,
    } | fields
    signature = key.sign(sns.canonical(message), PKCS1v15(), ALGORITHMS[version])
    return message | {"Signature": base64.b64encode(signature).decode()}


def check(message, *, fetch=lambda url: make_certificate(), now=NOW) -> None:
    sns.check(message, now=now, fetch=fetch)


@pytest.fixture(autouse=True)
def topic_is_ours(settings):
    settings.SNS_TOPICS = [TOPIC]


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "Bounce"}], ids=["bare", "subject"])
def test_notification_that_amazon_signed_is_authentic(version, more):
    check(make_signed(version=version, **more))


def test_text_that_is_signed_is_as_amazon_describes_it():
    message = make_signed(Subject="Hi")

    assert sns.canonical(message).decode() == (
        "Message\n{}\nMessageId\nm-1\nSubject\nHi\n"
        f"Timestamp\n2026-11-25T12:00:00.000Z\nTopicArn\n{TOPIC}\nType\nNotification\n"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"Message": '{"a": 1}'},
        {"MessageId": "m-2"},
        {"Timestamp": "2026-11-26T12:00:00.000Z"},
        {"Subject": "added"},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"Signature": "!"},
        {"Signature": ""},
        {"Type": "Other"},
        {"TopicArn": TOPIC + "-of-others"},
        {"SigningCertURL": "https://sns.amazonaws.com.evil.example/a.pem"},
        {"SigningCertURL": "http://sns.eu-north-1.amazonaws.com/a.pem"},
        {"SigningCertURL": "https://sns.eu-north-1.amazonaws.com@evil.example/a.pem"},
        {"SigningCertURL": "https://s3.eu-north-1.amazonaws.com/a.pem"},
        {"SigningCertURL": URL + "?x"},
        {"SigningCertURL": None},
    ],
    ids=lambda change: "-".join(f"{key}={value}"[:60] for key, value in change.items()),
)
def test_notification_that_was_altered_is_refused(change):
    with pytest.raises(NotAuthentic):
        check(make_signed() | change)


def test_signature_under_another_key_is_refused():
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    with pytest.raises(NotAuthentic):
        check(make_signed(key=other))


def test_certificate_that_is_over_is_refused():
    def fetch(url):
        return make_certificate(until=NOW - timedelta(seconds=1))

    with pytest.raises(NotAuthentic):
        check(make_signed(), fetch=fetch)


def test_certificate_that_is_none_is_refused():
    with pytest.raises(NotAuthentic):
        check(make_signed(), fetch=lambda url: b"<html>")


def test_nothing_is_fetched_for_topics_of_others_or_from_other_hosts():
    fetched = []

    def fetch(url):
        fetched.append(url)
        return make_certificate()

    for change in (
        {"TopicArn": "arn:of-others"},
        {"SigningCertURL": "https://sns.amazonaws.com.evil.example/a.pem"},
    ):
        with pytest.raises(NotAuthentic):
            check(make_signed() | change, fetch=fetch)

    assert fetched == []


def test_certificate_is_never_fetched_from_another_host():
    with pytest.raises(NotAuthentic):
        sns.fetch_certificate("https://evil.example/a.pem")
