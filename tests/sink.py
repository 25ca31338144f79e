"""A mail server that swallows everything, says what it took, and fails on demand.

Usage: python -m tests.sink --log FILE [--port 0] [--seed 1] [--provider]
    [--smtputf8] [--plain] [--keep] [--faults JSON]
    [--certificate FILE [--implicit]] [--auth MECHANISM]

Prints its port. Each message it takes is appended to the log before it is answered:
one line of JSON with `at` (nanoseconds of the monotonic clock, which all processes of
a machine share), `sender`, `recipient`, `id` (Message-ID) and `fault`.

--keep adds the message itself; --plain offers no extension.

--certificate (with its key, in PEM) offers STARTTLS, and --implicit speaks TLS from the
first byte. --auth asks for user `campaign` and password `secret` by PLAIN or LOGIN; the
log of a message says under `how` whether it came `encrypted`, `signed-in`, or both.

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
import socket
import ssl
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

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
    tls: ssl.SSLContext | None = None
    mechanism: str = ""
    lots: random.Random = field(default_factory=lambda: random.Random(1))
    last: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        try:
            await Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
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
        self.said: list[bytes] = []
        self.is_signed_in = False

    @property
    def is_encrypted(self) -> bool:
        return self.writer.get_extra_info("ssl_object") is not None

    async def run(self) -> None:
        self.say("220 sink ESMTP")
        await self.tell()
        while line := await self.reader.readline():
            verb = line[:4].upper().decode("latin-1").strip()
            if verb == "QUIT":
                self.say("221 2.0.0 Bye")
                await self.tell()
                return
            await self.answer(verb, line)
            # Whole replies of a pipelined group at once.
            if not self.reader._buffer:  # noqa: SLF001
                await self.tell()

    async def answer(self, verb: str, line: bytes) -> None:
        if verb in {"EHLO", "HELO"}:
            lines = ["sink", *self.sink.offers]
            if self.sink.tls and not self.is_encrypted:
                lines.append("STARTTLS")
            if self.sink.mechanism:
                lines.append(f"AUTH {self.sink.mechanism}")
            for each in lines[:-1]:
                self.say(f"250-{each}")
            self.say(f"250 {lines[-1]}")
        elif verb == "STAR" and self.sink.tls:
            self.say("220 2.0.0 Go on")
            await self.tell()
            await self.writer.start_tls(self.sink.tls)
        elif verb == "AUTH":
            await self.sign_in(line)
        elif verb == "MAIL" and self.sink.mechanism and not self.is_signed_in:
            self.say("530 5.7.0 Sign in first")
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

    async def sign_in(self, line: bytes) -> None:
        words = line.split()
        if words[1].decode() != self.sink.mechanism:
            self.say("504 5.5.4 Not that way")
            return
        said = [words[2]] if len(words) > 2 else []
        while len(said) < (2 if self.sink.mechanism == "LOGIN" else 1):
            self.say("334 " + ("UGFzc3dvcmQ6" if said else "VXNlcm5hbWU6"))
            await self.tell()
            said.append((await self.reader.readline()).strip())
        plain = [part for each in said for part in base64.b64decode(each).split(b"\0")]
        self.is_signed_in = plain[-2:] == [b"campaign", b"secret"]
        self.say("235 2.7.0 Ok" if self.is_signed_in else "535 5.7.8 No")

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
                await self.tell()
                raise Hangup
            return
        self.recipient = address
        self.say("250 2.1.5 Ok")

    async def take_message(self) -> None:
        if not self.recipient or self.recipient.startswith("no354-"):
            self.say("554 5.5.1 No valid recipients")
            return
        self.say("354 Go on")
        await self.tell()
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
        how = ["encrypted"] * self.is_encrypted + ["signed-in"] * self.is_signed_in
        if how:
            line["how"] = " ".join(how)
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
            raise Hangup
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
        self.said.append(f"{line}\r\n".encode())

    async def tell(self) -> None:
        """Write what was said, whole replies of a pipelined group in one packet."""
        self.writer.write(b"".join(self.said))
        self.said.clear()
        await self.writer.drain()


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


async def serve(sink: Sink, port: int, *, is_implicit: bool) -> None:
    # A message is read as one piece.
    server = await asyncio.start_server(
        sink.serve,
        "127.0.0.1",
        port,
        limit=32 << 20,
        ssl=sink.tls if is_implicit else None,
    )
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


def inject(context: ssl.SSLContext, plain: bytes) -> tuple[int, list[bytes]]:
    """Serve one connection, with a reply in clear right behind that to STARTTLS.

    Gives the port, and the list of what is said to it after that.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    said: list[bytes] = []

    def serve() -> None:
        connection, _address = listener.accept()
        listener.close()
        connection.sendall(b"220 x\r\n")
        connection.recv(4096)
        connection.sendall(b"250-x\r\n250 STARTTLS\r\n")
        connection.recv(4096)
        connection.sendall(b"220 Go on\r\n" + plain)
        try:
            with context.wrap_socket(connection, server_side=True) as encrypted:
                while line := encrypted.recv(4096):
                    said.append(line)
                    encrypted.sendall(b"250 x\r\n")
        except OSError:
            connection.close()

    Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1]), said


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
    parser.add_argument("--certificate")
    parser.add_argument("--implicit", action="store_true")
    parser.add_argument("--auth", default="")
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
    sink.mechanism = chosen.auth
    if chosen.certificate:
        sink.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        sink.tls.load_cert_chain(chosen.certificate)
    asyncio.run(serve(sink, chosen.port, is_implicit=chosen.implicit))


if __name__ == "__main__":
    main()
