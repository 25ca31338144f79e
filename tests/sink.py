"""A mail server that swallows everything, says what it took, and fails on demand.

Usage: python -m tests.sink --log FILE [--port 0] [--seed 1] [--provider]
    [--smtputf8] [--plain] [--keep] [--faults JSON]

Prints its port. Each message it takes is appended to the log before it is answered:
one line of JSON with `at` (nanoseconds of the monotonic clock, which all processes of
a machine share), `sender`, `recipient`, `id` (Message-ID) and `fault`.

--keep adds the message itself; --plain offers no extension.

--faults is a JSON object of probabilities: `drop` (logged, then the connection closed
without an answer), `refuse_now` (451 to the recipient), `refuse` (550 5.1.1 to the
recipient), `stall` (a second of silence before the answer), `half_close` (the sending
half of the connection closed instead of the answer).

A recipient whose local part begins with the name of a fault gets it always: drop-,
451-, 452-, 550-, 552-, 571-, 421-, stall-, halfclose-, and bytes- (the answer one byte
at a time), multi- (a 550 of several lines), latin- (an answer beyond ASCII), huge- (an
answer of a megabyte), no354- (refuses DATA), bare- (an answer without a code).

--provider behaves as mailbox providers do. A recipient that begins with `unknown` is
refused with 550 5.1.1. Of the last 200 recipients the share s of unknown ones is
taken: above 1 % every message waits (s - 0.01) x 2 seconds before it is answered;
above 10 % recipients are refused with 421 4.7.28 until the share has fallen.
"""

import argparse
import asyncio
import base64
import json
import os
import random
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

WINDOW = 200
FREE_SHARE = 0.01
SECONDS_PER_SHARE = 2.0
MOST_SHARE = 0.10


@dataclass
class Sink:
    """The server: where it logs, and how it fails."""

    log: int
    faults: dict[str, float] = field(default_factory=dict)
    is_provider: bool = False
    keeps: bool = False
    offers: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SIZE 10485760")
    lots: random.Random = field(default_factory=lambda: random.Random(1))
    last: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        try:
            await Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def write(self, line: dict[str, str]) -> None:
        line = {"at": time.monotonic_ns(), **line}
        os.write(self.log, f"{json.dumps(line)}\n".encode())

    def happens(self, fault: str) -> bool:
        share = self.faults.get(fault, 0.0)
        return bool(share) and self.lots.random() < share

    @property
    def share_unknown(self) -> float:
        # Few recipients say nothing yet.
        return sum(self.last) / WINDOW


class Hangup(ConnectionError):
    pass


class Session:
    def __init__(self, sink, reader, writer) -> None:
        self.sink, self.reader, self.writer = sink, reader, writer
        self.sender = self.recipient = ""

    async def run(self) -> None:
        self.say("220 sink ESMTP")
        while line := await self.reader.readline():
            verb = line[:4].upper().decode("latin-1").strip()
            if verb == "QUIT":
                self.say("221 2.0.0 Bye")
                return
            await self.answer(verb, line)
            # Whole replies of a pipelined group at once.
            if not self.reader._buffer:  # noqa: SLF001
                await self.writer.drain()

    async def answer(self, verb: str, line: bytes) -> None:
        if verb in {"EHLO", "HELO"}:
            lines = ["sink", *self.sink.offers]
            for each in lines[:-1]:
                self.say(f"250-{each}")
            self.say(f"250 {lines[-1]}")
        elif verb == "MAIL":
            self.sender, self.recipient = address_of(line), ""
            self.say("250 2.1.0 Ok")
        elif verb == "RCPT":
            await self.take_recipient(address_of(line))
        elif verb == "DATA":
            await self.take_message()
        elif verb in {"RSET", "NOOP"}:
            self.sender = self.recipient = ""
            self.say("250 2.0.0 Ok")
        else:
            self.say("502 5.5.2 What?")

    async def take_recipient(self, address: str) -> None:
        prefix = address.partition("-")[0]
        refusal = REFUSALS.get(prefix)
        if self.sink.happens("refuse_now"):
            refusal = REFUSALS["451"]
        elif self.sink.happens("refuse"):
            refusal = REFUSALS["550"]
        if self.sink.is_provider:
            is_unknown = address.startswith("unknown")
            share = self.sink.share_unknown
            self.sink.last.append(is_unknown)
            if share > MOST_SHARE:
                refusal = "421 4.7.28 Too many unknown recipients"
            elif is_unknown:
                refusal = REFUSALS["550"]
            if share > FREE_SHARE:
                await asyncio.sleep((share - FREE_SHARE) * SECONDS_PER_SHARE)
        if refusal is not None:
            self.say(refusal)
            if refusal.startswith("421"):
                await self.writer.drain()
                raise Hangup
            return
        self.recipient = address
        self.say("250 2.1.5 Ok")

    async def take_message(self) -> None:
        if not self.recipient or self.recipient.startswith("no354-"):
            self.say("554 5.5.1 No valid recipients")
            return
        self.say("354 Go on")
        await self.writer.drain()
        content = await self.reader.readuntil(b"\r\n.\r\n")
        message_id = message_id_of(content)
        fault = self.fault()
        kept = base64.b64encode(content).decode() if self.sink.keeps else ""
        line = {
            "sender": self.sender,
            "recipient": self.recipient,
            "id": message_id,
            "fault": fault,
        }
        self.sink.write(line | ({"content": kept} if kept else {}))
        await self.answer_message(fault)

    def fault(self) -> str:
        """Name what will go wrong with the answer to a message; usually nothing."""
        for fault in ("drop", "half_close", "stall"):
            if self.sink.happens(fault):
                return fault.replace("_", "")
        prefix = self.recipient.partition("-")[0]
        return prefix if prefix in FAULTS else ""

    async def answer_message(self, prefix: str) -> None:
        if prefix == "drop":
            raise Hangup
        if prefix == "halfclose":
            self.writer.write_eof()
            return
        if prefix == "stall":
            await asyncio.sleep(1.0)
        if prefix == "bytes":
            for letter in b"250 2.0.0 Ok\r\n":
                self.writer.write(bytes([letter]))
                await self.writer.drain()
                await asyncio.sleep(0.001)
        elif prefix == "latin":
            self.writer.write("250 2.0.0 Tack så mycket\r\n".encode("latin-1"))
        elif prefix == "huge":
            self.writer.write(b"250 2.0.0 " + b"x" * 1_000_000 + b"\r\n")
        elif prefix == "bare":
            self.say("It is done")
        else:
            self.say("250 2.0.0 Ok")

    def say(self, line: str) -> None:
        self.writer.write(f"{line}\r\n".encode())


FAULTS = {"drop", "halfclose", "stall", "bytes", "latin", "huge", "bare"}
REFUSALS = {
    "451": "451 4.3.0 Try again later",
    "550": "550 5.1.1 No such user",
    "421": "421 4.7.0 Too many connections",
    "452": "452 4.2.2 Mailbox is full for now",
    "552": "552 5.2.2 Mailbox is full",
    "571": "550 5.7.1 Rejected by policy",
    "multi": "550-5.7.1 We do not\r\n550-5.7.1 like this\r\n550 5.7.1 at all",
}


def address_of(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return text.partition("<")[2].partition(">")[0]


def message_id_of(content: bytes) -> str:
    start = content.lower().find(b"\nmessage-id:")
    line = content[start + 12 : content.find(b"\n", start + 1)]
    return line.strip().decode("latin-1")


async def serve(sink: Sink, port: int) -> None:
    # A message is read as one piece.
    server = await asyncio.start_server(sink.serve, "127.0.0.1", port, limit=32 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def read_log(path: Path) -> list[dict]:
    """Read what a sink took, in order."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def content_of(line: dict) -> bytes:
    """Give the message of a log line as it was before it was stuffed with dots."""
    stuffed = base64.b64decode(line["content"]).removesuffix(b".\r\n")
    return b"\r\n".join(
        each.removeprefix(b".") if each.startswith(b".") else each
        for each in stuffed.split(b"\r\n")
    )


def start(path: Path, *options: str) -> tuple[subprocess.Popen[str], int]:
    """Start a sink as a process of its own; gives it and its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sink", "--log", str(path), *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parent.parent,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=json.loads, default={})
    parser.add_argument("--provider", action="store_true")
    parser.add_argument("--smtputf8", action="store_true")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args()
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    sink = Sink(
        os.open(chosen.log, flags, 0o600),
        faults=chosen.faults,
        is_provider=chosen.provider,
        lots=random.Random(chosen.seed),
    )
    sink.keeps = chosen.keep
    if chosen.plain:
        sink.offers = ("HELP",)
    if chosen.smtputf8:
        sink.offers += ("SMTPUTF8",)
    asyncio.run(serve(sink, chosen.port))


if __name__ == "__main__":
    main()
