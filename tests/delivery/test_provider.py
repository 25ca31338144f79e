"""Mail by a provider's API, against a server on loopback that poses as Postmark."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep

import pytest

from delivery import checks, transports
from delivery.channels import anymail, mail
from delivery.channels.anymail import ProviderTransport
from delivery.channels.mail import Assembler, Letter
from delivery.channels.outcomes import OutcomeKind, Phase
from delivery.channels.transport import Composition
from optout import mail_tokens
from optout.list_headers import HeaderPair, ListHeader
from optout.mail_tokens import MailLink, MailPurpose
from profiles.channels import Channel
from tests.source import ROOT

SENT, SOFT, HARD, AMBIGUOUS, REFUSED, UNREACHABLE = OutcomeKind
TAKEN = {
    "ErrorCode": 0,
    "Message": "OK",
    "MessageID": "b7bc2f4a-e38e-4336-af7d-e6c392c2f817",
    "To": "anna@example.com",
}
INACTIVE = {
    "ErrorCode": 406,
    "Message": "You tried to send to a recipient that has been marked as inactive.\n"
    "Found inactive addresses: anna@example.com.\nInactive recipients are ones that"
    " have generated a hard bounce or a spam complaint.",
}
NO_ADDRESS = {
    "ErrorCode": 300,
    "Message": "Invalid 'To' address: 'anna@example.com'.",
}
SENDER_UNKNOWN = {"ErrorCode": 400, "Message": "The 'From' address is not yours."}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        if self.server.fault == "hang":
            sleep(1.0)
        if self.server.fault in ("hang", "drop"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, headers, answer = self.server.answer
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(settings) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.fault, server.answer = [], "", (200, {}, TAKEN)
    url = f"http://127.0.0.1:{server.server_port}"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": url,
        "MAILGUN_API_KEY": "key",
        "MAILGUN_API_URL": f"{url}/v3",
        "REQUESTS_TIMEOUT": 0.5,
    }
    Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def transport(server) -> Iterator[ProviderTransport]:
    transport = ProviderTransport("postmark")
    yield transport
    transport.close()


@pytest.fixture
def letter() -> Composition:
    """A mail as deliveries make it, with what programs look at."""
    from_us = mail.verp_sender(MailLink(7, Channel.EMAIL, 0, 3), "example.com")
    pairs = {
        "List-Unsubscribe": ("<https://example.com/u/x>", "<mailto:u@example.com>"),
        "List-Unsubscribe-Post": ("List-Unsubscribe=One-Click",),
        "List-Id": ("<email.channel.example.com>",),
    }
    content = Assembler(
        sender="Åsa, och Bo <news@example.com>",
        reply_to="answers@example.com",
        feedback_id="3:none:marketing:campaign",
        date=datetime(2026, 5, 1, tzinfo=UTC),
    ).assemble(
        Letter(
            recipient="anna@example.com",
            subject="Våren är här",
            text="Hej Åsa\n.\n",
            html="<html><body>Hej <b>Åsa</b></body></html>",
            message_id="3.7.abc@example.com",
            list_headers=[
                HeaderPair(name, ListHeader(name, *items))
                for name, items in pairs.items()
            ],
        )
    )
    return Composition(from_us, "anna@example.com", content)


def asked(server) -> dict:
    """Give what was asked of the provider, once."""
    ((path, headers, body),) = server.requests
    assert (path, headers["X-Postmark-Server-Token"]) == ("/email", "token")
    return json.loads(body)


def test_message_goes_as_it_would_to_a_mail_server(transport, server, letter):
    outcome = transport.send(letter)

    sent = asked(server)
    assert (outcome.kind, outcome.phase, outcome.reply_code) == (
        SENT,
        Phase.CONTENT,
        200,
    )
    assert (sent["To"], sent["Subject"]) == ("anna@example.com", "Våren är här")
    assert sent["From"] == '"Åsa, och Bo" <news@example.com>'
    assert sent["ReplyTo"] == "answers@example.com"
    assert sent["TextBody"] == "Hej Åsa\n.\n"
    assert sent["HtmlBody"] == "<html><body>Hej <b>Åsa</b></body></html>"


def test_headers_that_programs_look_at_are_kept(transport, server, letter):
    transport.send(letter)

    headers = {each["Name"]: each["Value"] for each in asked(server)["Headers"]}
    assert headers == {
        "Feedback-ID": "3:none:marketing:campaign",
        "Message-ID": "<3.7.abc@example.com>",
        "List-Unsubscribe": "<https://example.com/u/x>, <mailto:u@example.com>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": "<email.channel.example.com>",
        "X-PM-KeepID": "true",
    }


def test_metadata_is_the_token_of_the_envelope_sender(transport, server, letter):
    transport.send(letter)

    metadata = asked(server)["Metadata"]
    assert list(metadata) == ["campaign"]
    link = mail_tokens.read(metadata["campaign"], MailPurpose.VERP)
    assert (link.profile_id, link.delivery_id) == (7, 3)


def test_envelope_sender_goes_to_a_provider_that_takes_it(server, letter):
    server.answer = 200, {}, {"id": "<x@example.com>", "message": "Queued. Thank you."}
    transport = ProviderTransport("mailgun")

    outcome = transport.send(letter)
    transport.close()

    ((path, _headers, body),) = server.requests
    assert (outcome.kind, outcome.code) == (SENT, "queued")
    assert path == "/v3/example.com/messages"
    assert letter.sender.partition("@")[0].removeprefix("b-").encode() in body


ANSWERS = {
    "delayed": (200, {**TAKEN, "Message": "OK, delivery may be delayed"}, SENT),
    "other case": (200, {**TAKEN, "To": "Anna@example.com"}, SENT),
    "rejected": (422, INACTIVE, HARD),
    "invalid": (422, NO_ADDRESS, HARD),
    "sender refused": (422, SENDER_UNKNOWN, REFUSED),
    "bad request": (400, b"no", REFUSED),
    "too large": (413, b"", REFUSED),
    "password": (401, {"ErrorCode": 10, "Message": "Bad token"}, UNREACHABLE),
    "wrong place": (404, b"", UNREACHABLE),
    "elsewhere": (302, b"", UNREACHABLE),
    "too many": (429, b"", UNREACHABLE),
    "closed": (503, b"", UNREACHABLE),
    "broken": (500, b"<html>", AMBIGUOUS),
    "behind it": (504, b"", AMBIGUOUS),
    "garbage": (200, b"{nonsense", AMBIGUOUS),
    "nothing said": (200, [], SENT),
    "other garbage": (200, ["?"], AMBIGUOUS),
    "no id": (200, {"ErrorCode": 0, "Message": "OK"}, AMBIGUOUS),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_has_an_outcome(transport, server, letter, name):
    status, answer, kind = ANSWERS[name]
    server.answer = status, {"Location": "http://127.0.0.1:9/"}, answer

    outcome = transport.send(letter)

    assert outcome.kind == kind
    assert len(server.requests) == 1
    assert len(outcome.reply) <= 500


@pytest.mark.parametrize("fault", ["hang", "drop"])
def test_request_without_an_answer_is_in_doubt(transport, server, letter, fault):
    server.fault = fault

    outcome = transport.send(letter)

    assert (outcome.kind, outcome.code) == (AMBIGUOUS, "no_answer")
    assert len(server.requests) == 1


def test_next_message_goes_out_after_a_request_without_an_answer(
    transport, server, letter
):
    server.fault = "drop"
    transport.send(letter)
    server.fault = ""

    assert transport.send(letter).kind == SENT


@pytest.mark.parametrize("url", ["nowhere", "ftp://127.0.0.1/"])
def test_provider_at_a_url_that_is_none_is_unreachable(settings, letter, url):
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "t", "POSTMARK_API_URL": url}

    assert ProviderTransport("postmark").send(letter).kind == UNREACHABLE


def test_provider_that_is_not_there_is_unreachable(settings, letter):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": f"http://127.0.0.1:{port}",
    }

    outcome = ProviderTransport("postmark").send(letter)

    assert (outcome.kind, outcome.code) == (UNREACHABLE, "provider_not_reached")


def test_provider_without_encryption_where_it_is_due_is_unreachable(
    settings, server, letter
):
    settings.ANYMAIL["POSTMARK_API_URL"] = f"https://127.0.0.1:{server.server_port}"

    outcome = ProviderTransport("postmark").send(letter)

    assert (outcome.kind, outcome.phase) == (UNREACHABLE, Phase.TLS)
    assert server.requests == []


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("", 30), ("soon", 30), ("99999999", 3600)],
    ids=["said", "not said", "not a number", "too long"],
)
def test_provider_that_is_asked_too_often_is_left_alone(
    transport, server, letter, monkeypatch, said, seconds
):
    clock = [100.0]
    monkeypatch.setattr(anymail, "monotonic", lambda: clock[0])
    server.answer = 429, {"Retry-After": said}, b""
    transport.send(letter)
    server.answer = 200, {}, TAKEN

    clock[0] += seconds - 1
    trouble = transport.ready()
    clock[0] += 1

    assert trouble is not None
    assert (trouble.kind, trouble.code) == (UNREACHABLE, "provider_rests")
    assert transport.send(letter).kind == SENT


def test_address_that_no_request_can_hold_is_refused(transport, server, letter):
    message = Composition(letter.sender, "a@b@c", letter.content)

    outcome = transport.send(message)

    assert (outcome.kind, outcome.code) == (REFUSED, "not_for_provider")
    assert server.requests == []


def test_provider_that_is_not_configured_holds_everything_back(settings):
    settings.ANYMAIL = {}

    trouble = ProviderTransport("postmark").ready()

    assert trouble is not None
    assert (trouble.kind, trouble.code) == (UNREACHABLE, "provider_not_configured")
    assert "POSTMARK_SERVER_TOKEN" in trouble.reply


def test_provider_that_cannot_carry_our_headers_holds_everything_back(
    server, monkeypatch
):
    monkeypatch.setattr(
        "anymail.backends.postmark.PostmarkPayload.set_extra_headers",
        lambda self, headers: self.unsupported_feature("extra_headers"),
    )

    trouble = ProviderTransport("postmark").ready()

    assert trouble is not None
    assert trouble.code == "provider_lacks_feature"
    assert trouble.reply == "Postmark does not support extra_headers"


def test_provider_of_the_settings_takes_email_only(settings, server):
    settings.MAIL_PROVIDER = "postmark"

    assert isinstance(transports.open_transport(Channel.EMAIL), ProviderTransport)
    assert not isinstance(transports.open_transport(Channel.SMS), ProviderTransport)


def test_provider_without_its_package_takes_nothing(settings, monkeypatch, letter):
    settings.MAIL_PROVIDER = "postmark"
    monkeypatch.setattr(transports, "PROVIDER_TRANSPORT", "missing_package.Transport")

    outcome = transports.open_transport(Channel.EMAIL).send(letter)

    assert (outcome.kind, outcome.code) == (UNREACHABLE, "provider_not_installed")


def test_missing_package_is_an_error_of_the_check(settings, monkeypatch):
    settings.MAIL_PROVIDER = "postmark"
    monkeypatch.setattr(checks, "find_spec", lambda name: None)

    (error,) = checks.check_provider_is_installed()

    assert error.id == "delivery.E011"
    assert error.msg == (
        "EMAIL_URL names the provider “postmark”, but the package django-anymail is not"
        " installed."
    )
    assert error.hint == "Install the extra: pip install .[providers]"


@pytest.mark.parametrize("name", ["nobody", "a/b", "a.b"])
def test_unknown_provider_is_an_error_of_the_check(settings, name):
    settings.MAIL_PROVIDER = name

    (error,) = checks.check_provider_is_installed()

    assert "which django-anymail does not know" in error.msg


def test_known_provider_passes_the_check(settings):
    settings.MAIL_PROVIDER = "postmark"

    assert checks.check_provider_is_installed() == []


def test_project_does_without_the_package_until_a_provider_is_chosen():
    """Whoever chooses none need not install it."""
    code = (
        "import sys, django; sys.modules['anymail'] = None; django.setup();"
        " from delivery import transports, sending; from campaign import urls;"
        " transports.open_transport(0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
