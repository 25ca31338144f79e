"""Several messages abreast: each by its own connection, and none waits for another."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.channels import abreast
from delivery.channels.abreast import Abreast
from delivery.channels.outcomes import OutcomeKind, Phase
from delivery.channels.smtp import SmtpSettings, SmtpTransport, Timeouts
from delivery.channels.transport import Composition
from tests import sink
from tests.delivery.test_smtp import SHORT, answering, mail

SENT, SOFT, HARD, AMBIGUOUS, REFUSED, UNREACHABLE = OutcomeKind


@pytest.fixture(params=["pipelined", "plain"])
def server(request, tmp_path) -> Iterator[tuple[int, Path]]:
    log = tmp_path / "log"
    options = ["--plain"] if request.param == "plain" else []
    process, port = sink.start(log, *options)
    yield port, log
    process.kill()
    process.wait()
    process.stdout.close()


def open_to(*ports: int, timeouts: Timeouts = SHORT) -> Abreast:
    return Abreast(
        [
            SmtpTransport(SmtpSettings("127.0.0.1", port, timeouts=timeouts))
            for port in ports
        ]
    )


def mails(*recipients: str) -> list[Composition]:
    return [mail(f"{each}@example.com") for each in recipients]


def test_each_message_has_an_outcome_of_its_own(server):
    transport = open_to(*[server[0]] * 4)
    assert transport.ready() is None

    outcomes = transport.send_all(mails("a", "550-b", "drop-c", "no354-d"))
    transport.ready()
    again = transport.send_all(mails("e", "f", "g", "h"))
    transport.close()

    assert [(each.kind, each.phase) for each in outcomes] == [
        (SENT, Phase.CONTENT),
        (HARD, Phase.RCPT),
        (AMBIGUOUS, Phase.CONTENT),
        (REFUSED, Phase.DATA),
    ]
    assert [each.kind for each in again] == [SENT] * 4


def test_who_is_silent_holds_up_nobody_else(server):
    transport = open_to(*[server[0]] * 3, timeouts=Timeouts(end=3.0))
    transport.ready()

    outcomes = transport.send_all(mails("stall-a", "b", "c"))
    transport.close()

    taken_at = [json.loads(line)["at"] for line in server[1].read_text().splitlines()]
    assert [each.kind for each in outcomes] == [SENT] * 3
    # All are taken while the server is silent about the first, for a second.
    assert len(taken_at) == 3 and taken_at[2] - taken_at[0] < 500_000_000


def test_who_stays_silent_is_given_up_in_time_and_the_others_count(server):
    transport = open_to(*[server[0]] * 3)
    transport.ready()

    outcomes = transport.send_all(mails("a", "stall-b", "c"))
    transport.close()

    assert [each.kind for each in outcomes] == [SENT, AMBIGUOUS, SENT]
    assert outcomes[1].code == "connection_broken"


def test_more_messages_than_connections_go_one_after_the_other(server):
    transport = open_to(*[server[0]] * 2)
    transport.ready()

    outcomes = transport.send_all(mails("a", "b", "c", "d", "e"))
    transport.close()

    assert [each.kind for each in outcomes] == [SENT] * 5
    assert len(server[1].read_text().splitlines()) == 5


def test_server_that_takes_fewer_connections_gets_fewer_for_a_minute(
    server, monkeypatch
):
    full = answering(b"421 too many connections\r\n")
    transport = open_to(server[0], full, server[0])

    assert transport.ready() is None
    assert [each.kind for each in transport.send_all(mails("a", "b"))] == [SENT] * 2
    # Nobody listens there now: it would be asked in vain, and is not.
    asked = count_readiness(monkeypatch)
    transport.ready()
    assert asked == [0]
    monkeypatch.setattr(abreast, "monotonic", lambda: time.monotonic() + 61)
    transport.ready()
    transport.close()

    assert asked == [0, 0, 1]


def count_readiness(monkeypatch) -> list[int]:
    """Note for each call of ready() on a connection, from now on, which it was."""
    asked: list[int] = []
    ready = SmtpTransport.ready
    known: dict[int, int] = {}

    def noted(self):
        asked.append(known.setdefault(id(self), len(known)))
        return ready(self)

    monkeypatch.setattr(SmtpTransport, "ready", noted)
    return asked


def test_server_that_takes_nothing_is_unreachable(server):
    transport = open_to(answering(b"554 no\r\n"), server[0])

    trouble = transport.ready()
    transport.close()

    assert trouble is not None and trouble.kind == UNREACHABLE
