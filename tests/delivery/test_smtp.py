"""Our SMTP client against a server that fails on demand."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from delivery.channels import smtp
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.channels.smtp import SmtpSettings, SmtpTransport, Timeouts
from delivery.channels.transport import Composition
from tests import sink

SHORT = Timeouts(connect=2.0, command=2.0, data=2.0, block=2.0, end=0.5)
SENT, SOFT, HARD, AMBIGUOUS, REFUSED, UNREACHABLE = OutcomeKind


@pytest.fixture(scope="module", params=["pipelined", "plain"])
def server(request, tmp_path_factory) -> Iterator[tuple[int, Path]]:
    log = tmp_path_factory.mktemp("sink") / "log"
    options = ["--plain"] if request.param == "plain" else []
    process, port = sink.start(log, "--keep", *options)
    yield port, log
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def transport(server) -> Iterator[SmtpTransport]:
    transport = SmtpTransport(SmtpSettings("127.0.0.1", server[0], timeouts=SHORT))
    yield transport
    transport.close()


def mail(recipient="a@example.com", content=b"Subject: Hi\r\n\r\nHello\r\n"):
    return Composition("b-x@example.com", recipient, content)


OUTCOMES = {
    "a": (SENT, Phase.CONTENT, 250),
    "drop-": (AMBIGUOUS, Phase.CONTENT, 0),
    "halfclose-": (AMBIGUOUS, Phase.CONTENT, 0),
    "stall-": (AMBIGUOUS, Phase.CONTENT, 0),
    "bare-": (AMBIGUOUS, Phase.CONTENT, 0),
    "451-": (SOFT, Phase.RCPT, 451),
    "550-": (HARD, Phase.RCPT, 550),
    "421-": (SOFT, Phase.RCPT, 421),
    "multi-": (REFUSED, Phase.RCPT, 550),
    "no354-": (REFUSED, Phase.DATA, 554),
    "bytes-": (SENT, Phase.CONTENT, 250),
    "latin-": (SENT, Phase.CONTENT, 250),
    "huge-": (SENT, Phase.CONTENT, 250),
}


@pytest.mark.parametrize("prefix", OUTCOMES)
def test_server_has_an_outcome_whatever_it_does(transport, prefix):
    outcome = transport.send(mail(f"{prefix}x@example.com"))

    assert (outcome.kind, outcome.phase, outcome.reply_code) == OUTCOMES[prefix]
    assert len(outcome.reply) <= 500


@pytest.mark.parametrize("prefix", OUTCOMES)
def test_next_message_goes_out_whatever_was_before(transport, server, prefix):
    transport.send(mail(f"{prefix}x@example.com"))
    before = len(sink.read_log(server[1]))

    outcome = transport.send(mail("next@example.com"))

    assert outcome.kind == SENT
    taken = sink.read_log(server[1])[before:]
    assert [each["recipient"] for each in taken] == ["next@example.com"]


def test_only_421_slows_the_domain_down(transport):
    assert transport.send(mail("421-x@example.com")).pauses_lane
    assert not transport.send(mail("451-x@example.com")).pauses_lane


def test_dots_and_line_ends_arrive_as_they_were(transport, server):
    content = b"Subject: Hi\r\n\r\n.\r\n..\r\n.a\r\nb.\r\n"

    transport.send(mail(content=content))

    assert sink.content_of(sink.read_log(server[1])[-1]) == content


@pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n"], ids=["LF", "CR"])
def test_bare_line_end_is_refused_before_the_wire(transport, server, content):
    before = len(sink.read_log(server[1]))

    outcome = transport.send(mail(content=content))

    assert (outcome.kind, outcome.code) == (REFUSED, "bare_line_ends")
    assert len(sink.read_log(server[1])) == before


@pytest.mark.parametrize(
    "recipient", ["a>\r\nRCPT TO:<b@example.com", "a b@example.com", "<a@example.com>"]
)
def test_address_that_would_be_another_command_is_refused(transport, recipient):
    assert transport.send(mail(recipient)).code == "bad_address"


def test_local_part_beyond_ascii_needs_smtputf8(transport):
    outcome = transport.send(mail("ö@example.com"))

    assert (outcome.kind, outcome.code) == (REFUSED, "smtputf8_not_offered")


def test_domain_beyond_ascii_is_written_as_a_labels(transport, server):
    transport.send(mail("a@exämple.com"))

    taken = sink.read_log(server[1])[-1]
    assert taken["recipient"] == "a@xn--exmple-cua.com"


def test_local_part_beyond_ascii_goes_where_it_is_offered(tmp_path):
    process, port = sink.start(tmp_path / "log", "--smtputf8")
    transport = SmtpTransport(SmtpSettings("127.0.0.1", port, timeouts=SHORT))
    try:
        assert transport.send(mail("ö@example.com")).kind == SENT
        assert sink.read_log(tmp_path / "log")[0]["recipient"] == "ö@example.com"
    finally:
        transport.close()
        process.kill()
        process.wait()
        process.stdout.close()


def test_message_larger_than_the_server_takes_is_refused(transport):
    transport.ready()
    transport._offers["size"] = "10"

    assert transport.send(mail()).code == "message_too_large"


def test_connection_is_used_again_and_renewed(transport, monkeypatch):
    monkeypatch.setattr(smtp, "MESSAGES_PER_CONNECTION", 2)
    used = []
    for _ in range(4):
        transport.send(mail())
        used.append(transport._socket)

    assert used[0] is used[1] and used[2] is used[3] and used[1] is not used[2]


def answering(*lines: bytes) -> int:
    """Serve one connection with fixed answers, one for each thing that is said."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _address = listener.accept()
        # It may be gone before everything was said.
        with connection, listener, suppress(OSError):
            for line in lines:
                connection.sendall(line)
                if not connection.recv(4096):
                    return

    Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def test_server_that_hung_up_between_two_messages_is_asked_again_at_once(
    transport, server
):
    transport.send(mail())
    transport._socket._socket.shutdown(socket.SHUT_RDWR)

    assert transport.send(mail("again@example.com")).kind == SENT

    sent = [line for line in server[1].read_text().splitlines() if "again@" in line]
    assert len(sent) == 1


def test_server_that_hangs_up_at_once_is_not_asked_for_ever():
    port = answering(b"220 hi\r\n", b"250 ok\r\n")

    assert connect(port) == (SOFT, "hung_up")


def outcome_of(port: int, timeouts: Timeouts) -> Outcome:
    transport = SmtpTransport(SmtpSettings("127.0.0.1", port, timeouts=timeouts))
    outcome = transport.send(mail())
    transport.close()
    return outcome


def test_server_that_never_asks_for_the_message_is_tried_again():
    port = answering(b"220 x\r\n", b"250 x\r\n", b"250 Ok\r\n", b"250 Ok\r\n", b"")

    outcome = outcome_of(port, replace(SHORT, data=0.2))

    assert (outcome.kind, outcome.phase) == (SOFT, Phase.DATA)
    assert outcome.code == "connection_broken"


def test_answer_just_before_the_end_of_the_time_counts(tmp_path):
    process, port = sink.start(tmp_path / "log")
    try:
        # It says nothing for a second.
        late = Composition("b-x@example.com", "stall-x@example.com", mail().content)
        transport = SmtpTransport(
            SmtpSettings("127.0.0.1", port, timeouts=replace(SHORT, end=3.0))
        )
        assert transport.send(late).kind == SENT
        transport.close()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    # Ten minutes by RFC 5321 section 4.5.3.2.6.
    assert Timeouts().end == 600


LIES = {
    "takes the message before it came": (b"250 Ok\r\n", (SOFT, Phase.DATA, 250)),
    "asks for what nobody offered": (b"334 Go\r\n", (SOFT, Phase.DATA, 334)),
    "says no code": (b"hello\r\n", (SOFT, Phase.DATA, 0)),
    "says a code of four": (b"3540 Go\r\n", (SOFT, Phase.DATA, 0)),
    "never ends its reply": (b"354-Go\r\n" * 200_000, (SOFT, Phase.DATA, 0)),
}


@pytest.mark.parametrize("name", LIES)
def test_server_that_lies_is_sent_no_message(name):
    answer, expected = LIES[name]
    port = answering(b"220 x\r\n", b"250 x\r\n", b"250 Ok\r\n", b"250 Ok\r\n", answer)

    outcome = outcome_of(port, SHORT)

    assert (outcome.kind, outcome.phase, outcome.reply_code) == expected


OFFERS = {"pipelined": b"250-x\r\n250 PIPELINING\r\n", "plain": b"250 x\r\n"}


@pytest.mark.parametrize("offers", OFFERS)
@pytest.mark.parametrize("rest", [b"", b"nonsense\r\n"], ids=["hangs up", "babbles"])
def test_refusal_counts_whatever_the_server_does_after_it(offers, rest):
    refusal = b"550 5.1.1 No such user\r\n" + rest
    answers = [b"250 Ok\r\n" + refusal, b""]
    if offers == "plain":
        answers = [b"250 Ok\r\n", refusal]

    port = answering(b"220 x\r\n", OFFERS[offers], *answers)
    outcome = outcome_of(port, replace(SHORT, data=0.2, command=0.5))

    assert (outcome.kind, outcome.phase, outcome.reply_code) == (HARD, Phase.RCPT, 550)


def test_server_that_knows_no_greeting_is_unreachable():
    port = answering(b"220 x\r\n", b"500 What?\r\n", b"500 What?\r\n")

    outcome = outcome_of(port, SHORT)

    assert (outcome.kind, outcome.phase) == (UNREACHABLE, Phase.GREETING)
    assert outcome.reply_code == 500


def connect(port: int, **options) -> tuple[OutcomeKind, str]:
    settings = SmtpSettings("127.0.0.1", port, timeouts=SHORT, **options)
    transport = SmtpTransport(settings)
    outcome = transport.send(mail())
    transport.close()
    return outcome.kind, outcome.code or str(outcome.reply_code)


def test_server_that_is_not_there_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert connect(port) == (UNREACHABLE, "ConnectionRefusedError")


def test_server_that_refuses_to_talk_is_unreachable():
    assert connect(answering(b"554 No\r\n")) == (UNREACHABLE, "554")


def test_server_that_says_nothing_is_unreachable(monkeypatch):
    monkeypatch.setattr(
        "tests.delivery.test_smtp.SHORT", Timeouts(connect=0.2, command=0.2)
    )
    assert connect(answering(b""))[0] == UNREACHABLE


def test_encryption_that_is_not_offered_ends_the_connection():
    port = answering(b"220 x\r\n", b"250-x\r\n250 SIZE\r\n")

    assert connect(port, use_tls=True) == (UNREACHABLE, "tls_not_offered")


def test_refused_password_is_unreachable():
    port = answering(b"220 x\r\n", b"250-x\r\n250 AUTH PLAIN\r\n", b"535 5.7.8 No\r\n")

    outcome = connect(port, username="u", password="p")

    assert outcome == (UNREACHABLE, "authentication_refused")
