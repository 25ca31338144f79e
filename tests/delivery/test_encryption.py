"""Mail over TLS, with certificates made for the test, and signing in."""

import datetime
import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from delivery import checks
from delivery.channels.outcomes import OutcomeKind, Phase
from delivery.channels.smtp import SmtpSettings, SmtpTransport, Timeouts
from delivery.channels.transport import Composition
from tests import sink

MAIL = Composition("b-x@example.com", "a@example.com", b"Subject: Hi\r\n\r\nHello\r\n")
SHORT = Timeouts(connect=5.0, command=5.0, data=5.0, block=5.0, end=5.0)
WAYS = {"STARTTLS": {"use_tls": True}, "implicit": {"use_ssl": True}}
Start = Callable[..., tuple[int, Path]]


def name_of(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


class Authority:
    """Signs certificates; `path` is what one must trust for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = name_of("Tests")
        itself = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self.signed(self.name, self.key, [itself])
        self.path = folder / "authority.pem"
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def signed(self, subject, key, extensions, *, days=1) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        begin, end = sorted([now, now + datetime.timedelta(days=days)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin - datetime.timedelta(hours=1))
            .not_valid_after(end - datetime.timedelta(minutes=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, host: x509.GeneralName, *, days: int = 1) -> Path:
        """Write the certificate and key of a server; one of -1 days is over."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([host])
        certificate = self.signed(name_of("A server"), key, [names], days=days)
        path = self.folder / "server.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def trusted(authority, monkeypatch) -> Authority:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started = []

    def start(*options: object) -> tuple[int, Path]:
        log = tmp_path / "log"
        process, port = sink.start(log, *map(str, options))
        started.append(process)
        return port, log

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def send(port: int, **options) -> tuple[OutcomeKind, Phase, str]:
    transport = SmtpTransport(
        SmtpSettings(options.pop("host", "127.0.0.1"), port, timeouts=SHORT, **options)
    )
    outcome = transport.send(MAIL)
    transport.close()
    return outcome.kind, outcome.phase, outcome.code


def options_of(way: str, certificate: Path) -> list[object]:
    implicit = ["--implicit"] if way == "implicit" else []
    return ["--certificate", certificate, *implicit]


LOOPBACK = x509.IPAddress(ip_address("127.0.0.1"))


@pytest.mark.parametrize("way", WAYS)
def test_mail_goes_encrypted_to_a_server_that_is_trusted(trusted, start, way):
    port, log = start(*options_of(way, trusted.issue(LOOPBACK)))

    assert send(port, **WAYS[way])[0] == OutcomeKind.SENT

    assert [each["how"] for each in sink.read_log(log)] == ["encrypted"]


@pytest.mark.parametrize("way", WAYS)
def test_server_that_nobody_vouches_for_gets_nothing(authority, start, way):
    port, log = start(*options_of(way, authority.issue(LOOPBACK)))

    assert send(port, **WAYS[way]) == (
        OutcomeKind.UNREACHABLE,
        Phase.TLS,
        "certificate_not_trusted",
    )
    assert sink.read_log(log) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_server_of_another_name_gets_nothing(trusted, start, way, host):
    certificate = trusted.issue(x509.DNSName("mail.example.com"))
    port, log = start(*options_of(way, certificate))

    assert send(port, host=host, **WAYS[way]) == (
        OutcomeKind.UNREACHABLE,
        Phase.TLS,
        "certificate_of_another_host",
    )
    assert sink.read_log(log) == []


@pytest.mark.parametrize("way", WAYS)
def test_server_whose_certificate_is_over_gets_nothing(trusted, start, way):
    port, log = start(*options_of(way, trusted.issue(LOOPBACK, days=-1)))

    assert send(port, **WAYS[way]) == (
        OutcomeKind.UNREACHABLE,
        Phase.TLS,
        "certificate_expired",
    )
    assert sink.read_log(log) == []


@pytest.mark.parametrize("auth", [[], ["--auth", "PLAIN"]], ids=["", "with AUTH"])
def test_server_that_no_longer_offers_encryption_gets_no_word(start, auth):
    """Somebody in between may have taken the offer out."""
    port, log = start(*auth)

    assert send(port, use_tls=True, username="campaign", password="secret") == (
        OutcomeKind.UNREACHABLE,
        Phase.TLS,
        "tls_not_offered",
    )
    assert sink.read_log(log) == []


def test_server_that_speaks_no_tls_is_unreachable(start):
    port, _log = start()

    assert send(port, use_ssl=True)[:2] == (OutcomeKind.UNREACHABLE, Phase.TLS)


def test_what_was_said_in_clear_before_the_encryption_is_not_believed(trusted):
    """Plain text behind the 220 would be taken for an answer of the real server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted.issue(LOOPBACK))
    port, said = sink.inject(context, b"250-evil\r\n250 AUTH PLAIN\r\n")

    outcome = send(port, use_tls=True, username="campaign", password="secret")

    assert outcome[0] == OutcomeKind.UNREACHABLE
    assert not any(b"AUTH" in line or b"MAIL" in line for line in said)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_sender_signs_in_as_the_server_asks_for(trusted, start, mechanism):
    certificate = trusted.issue(LOOPBACK)
    port, log = start("--certificate", certificate, "--auth", mechanism)

    outcome = send(port, use_tls=True, username="campaign", password="secret")

    assert outcome[0] == OutcomeKind.SENT
    assert [each["how"] for each in sink.read_log(log)] == ["encrypted signed-in"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_wrong_password_reaches_nobody(start, mechanism):
    port, log = start("--auth", mechanism)

    assert send(port, username="campaign", password="wrong") == (
        OutcomeKind.UNREACHABLE,
        Phase.AUTH,
        "authentication_refused",
    )
    assert sink.read_log(log) == []


@pytest.mark.parametrize("options", [[], ["--auth", "GSSAPI"]], ids=["none", "other"])
def test_server_without_a_way_to_sign_in_is_unreachable(start, options):
    port, log = start(*options)

    assert send(port, username="campaign", password="secret") == (
        OutcomeKind.UNREACHABLE,
        Phase.AUTH,
        "authentication_not_offered",
    )
    assert sink.read_log(log) == []


SERVER = {"host": "mail.example.com", "password": "secret"}


def test_password_in_clear_is_warned_of(settings):
    settings.SMTP_SERVER = SERVER

    (warning,) = checks.check_password_is_encrypted()

    assert warning.id == "delivery.W011"
    assert warning.msg == (
        "The password of the mail server is sent without encryption to"
        " mail.example.com."
    )
    assert warning.hint == (
        "Begin EMAIL_URL with smtp+tls:// (port 587) or smtp+ssl:// (465)."
    )


@pytest.mark.parametrize(
    "server",
    [
        None,
        SERVER | {"use_tls": True},
        SERVER | {"use_ssl": True},
        SERVER | {"host": "127.0.0.1"},
        SERVER | {"host": "localhost"},
        SERVER | {"host": "::1"},
        SERVER | {"password": ""},
    ],
    ids=["none", "STARTTLS", "implicit", "loopback", "name", "IPv6", "no password"],
)
def test_password_that_nobody_overhears_is_not_warned_of(settings, server):
    settings.SMTP_SERVER = server

    assert checks.check_password_is_encrypted() == []
