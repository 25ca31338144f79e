"""The SMS gateway: one signed request per text, and an outcome whatever it answers."""

import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from delivery.channels.outcomes import OutcomeKind
from delivery.channels.sms import SmsGateway
from delivery.channels.transport import Composition

TEXT = Composition("12-345", "+46701740605", "Hej åäö".encode())
SECRET = "a-secret"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.headers["X-Signature"], body))
        if not self.server.status:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(self.server.status)
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()
        self.wfile.write(b'{"error":\n"x"}')

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.status = [], 200
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def gateway(server: HTTPServer) -> SmsGateway:
    return SmsGateway(f"http://127.0.0.1:{server.server_port}/messages", SECRET)


@pytest.mark.parametrize(
    ("status", "kind", "pauses"),
    [
        (200, OutcomeKind.SENT, False),
        (202, OutcomeKind.SENT, False),
        (301, OutcomeKind.REFUSED, False),
        (400, OutcomeKind.REFUSED, False),
        (401, OutcomeKind.REFUSED, False),
        (422, OutcomeKind.HARD, False),
        (429, OutcomeKind.SOFT, True),
        (500, OutcomeKind.SOFT, False),
        (503, OutcomeKind.SOFT, True),
        (0, OutcomeKind.AMBIGUOUS, False),
    ],
    ids=str,
)
def test_answer_has_an_outcome(server, status, kind, pauses):
    server.status = status

    outcome = gateway(server).send(TEXT)

    assert (outcome.kind, outcome.pauses_lane) == (kind, pauses)
    assert len(server.requests) == 1


def test_request_is_signed_and_says_what_to_send(server):
    gateway(server).send(TEXT)

    signature, body = server.requests[0]
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert signature == f"sha256={expected}"
    assert json.loads(body) == {
        "id": "12-345",
        "to": "+46701740605",
        "text": "Hej åäö",
    }


def test_gateway_that_is_not_there_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    outcome = SmsGateway(f"http://127.0.0.1:{port}/", SECRET).send(TEXT)

    assert outcome.kind == OutcomeKind.UNREACHABLE


@pytest.mark.parametrize(
    ("url", "secret", "code"),
    [
        ("", "x", "sms_gateway_not_set"),
        ("https://sms.example.com/", "", "sms_gateway_secret_not_set"),
        ("http://sms.example.com/", "x", "sms_gateway_not_https"),
    ],
)
def test_gateway_that_must_not_be_used_is_named(url, secret, code):
    trouble = SmsGateway(url, secret).ready()

    assert trouble is not None
    assert (trouble.kind, trouble.code) == (OutcomeKind.UNREACHABLE, code)
