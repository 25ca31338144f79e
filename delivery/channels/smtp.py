"""Our SMTP client (RFC 5321): one recipient per transaction, and an outcome for each.

One connection is kept and used again. Where the server offers PIPELINING (RFC 2920)
the three commands before the message go in one packet. Nothing raises: a server that
is unreachable, refuses, lies or hangs up has an outcome like any other. After the dot
that ends a message no answer means that it may have been taken, and only then.
"""

import re
import smtplib
import ssl
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

from delivery.channels import encryption
from delivery.channels.outcomes import Outcome, OutcomeKind, Phase, cleaned, from_reply
from delivery.channels.patience import PatientSocket
from delivery.channels.replies import BadReply, ConnectionBroken, Reply, ReplyReader
from delivery.channels.transport import Composition, Transport

# The sending of one message, which gives what came of it. It pauses wherever it has to
# wait for the server, and says how many seconds it would wait there.
Steps = Generator[float, None, Outcome]

MESSAGES_PER_CONNECTION: Final = 500
# A connection that rested so long is asked whether it lives before it is used.
_RESTED: Final = 30.0  # seconds
_HUNG_UP: Final = "hung_up"
# Raised when a server knows none of the ways to sign in, or no AUTH at all.
_NO_WAY_IN: Final = (smtplib.SMTPException, smtplib.SMTPNotSupportedError)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for each reply, in seconds (RFC 5321 section 4.5.3.2)."""

    connect: float = 30.0
    command: float = 300.0
    data: float = 120.0
    block: float = 180.0
    end: float = 600.0


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """The server that takes our mail. `use_tls` is STARTTLS (RFC 3207)."""

    host: str
    port: int = 25
    username: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False
    local_hostname: str = ""
    timeouts: Timeouts = Timeouts()


class SmtpTransport(Transport):
    """One connection to one server, opened when it is needed."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None
        self._socket: PatientSocket | None = None
        self._replies: ReplyReader | None = None
        self._offers: dict[str, str] = {}
        self._count = 0
        self._used_at = 0.0

    def ready(self) -> Outcome | None:
        """Connect if need be; None when a message can go out at once."""
        if self._socket is not None and self._count >= MESSAGES_PER_CONNECTION:
            self.close()
        if self._socket is not None and monotonic() - self._used_at > _RESTED:
            self._probe()
        return None if self._socket is not None else self._open()

    def send(self, message: Composition) -> Outcome:
        """Send one message to its one recipient; gives what came of it."""
        steps = self.steps(message)
        while True:
            try:
                # Not waited for here: reading waits by itself.
                next(steps)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome

    def steps(self, message: Composition) -> Steps:
        """Send one message as send() does, pausing before each wait for the server.

        After a pause an answer is read, so whoever goes on before one is there waits
        for it. Whoever waited in vain throws TimeoutError.
        """
        trouble = self.ready()
        if trouble is not None:
            return trouble
        try:
            envelope = _Envelope.of(message, self._offers)
        except _Refused as refusal:
            return Outcome(OutcomeKind.REFUSED, Phase.MAIL, code=refusal.code)
        was_used = self._count > 0
        outcome = yield from self._attempt(envelope)
        if was_used and outcome.code == _HUNG_UP and outcome.phase == Phase.MAIL:
            # It hung up while the connection rested: nothing was begun.
            outcome = self.ready() or (yield from self._attempt(envelope))
        if outcome.reply_code == 421:
            self._drop()
        return outcome

    def fileno(self) -> int:
        """Give the descriptor that has something to read when the server answers."""
        assert self._server is not None and self._server.sock is not None
        return self._server.sock.fileno()

    def close(self) -> None:
        """Say goodbye, without waiting for an answer."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.write(b"QUIT\r\n", seconds=1.0)
        self._drop()

    def _attempt(self, envelope: "_Envelope") -> Steps:
        self._count += 1
        dialogue = _Dialogue(self._settings.timeouts)
        try:
            outcome = yield from self._transaction(envelope, dialogue)
        except (ConnectionBroken, OSError) as error:
            is_silent = isinstance(error.__cause__ or error, TimeoutError)
            code = "connection_broken" if is_silent else _HUNG_UP
            # Some refuse and hang up: it is a refusal all the same.
            outcome = dialogue.refusal or dialogue.broken(code)
            self._drop()
        except BadReply as error:
            outcome = dialogue.refusal or dialogue.broken("bad_reply", str(error))
            self._drop()
        self._used_at = monotonic()
        return outcome

    def _open(self) -> Outcome | None:
        phase = Phase.CONNECT
        try:
            server = self._connected()
            phase = Phase.TLS
            self._encrypt(server)
            phase = Phase.AUTH
            if self._settings.username:
                server.login(self._settings.username, self._settings.password)
        except _Refused as refusal:
            return self._unreachable(phase, code=refusal.code)
        except smtplib.SMTPAuthenticationError as error:
            return self._unreachable(phase, error, code="authentication_refused")
        except smtplib.SMTPException as error:
            phase = Phase.GREETING if phase == Phase.CONNECT else phase
            code = "authentication_not_offered" if type(error) in _NO_WAY_IN else ""
            return self._unreachable(phase, error, code=code)
        except ssl.SSLError as error:
            return self._unreachable(Phase.TLS, code=encryption.code_of(error))
        except (OSError, ValueError) as error:
            return self._unreachable(phase, code=type(error).__name__)
        # Read once, as it costs a lookup in a dictionary per message afterwards.
        self._offers = {
            name.lower(): value for name, value in server.esmtp_features.items()
        }
        assert server.sock is not None
        self._socket = PatientSocket(server.sock)
        self._replies = ReplyReader(self._socket)
        self._count, self._used_at = 0, monotonic()
        return None

    def _connected(self) -> smtplib.SMTP:
        chosen = self._settings
        name, seconds = chosen.local_hostname or None, chosen.timeouts.connect
        if chosen.use_ssl:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                chosen.host,
                chosen.port,
                local_hostname=name,
                timeout=seconds,
                context=encryption.context(),
            )
        else:
            server = smtplib.SMTP(
                chosen.host, chosen.port, local_hostname=name, timeout=seconds
            )
        # Closed by _drop() when the greeting fails.
        self._server = server
        server.ehlo_or_helo_if_needed()
        return server

    def _encrypt(self, server: smtplib.SMTP) -> None:
        if not self._settings.use_tls or self._settings.use_ssl:
            return
        if not server.has_extn("starttls"):
            # Never in clear what was to be encrypted.
            raise _Refused("tls_not_offered")
        server.starttls(context=encryption.context())
        server.ehlo()

    def _unreachable(
        self, phase: Phase, error: Exception | None = None, *, code: str = ""
    ) -> Outcome:
        reply_code = int(getattr(error, "smtp_code", 0) or 0)
        said = getattr(error, "smtp_error", b"")
        text = said.decode("ascii", "backslashreplace") if said else ""
        self._drop()
        return Outcome(
            OutcomeKind.UNREACHABLE,
            phase,
            max(reply_code, 0),
            reply=cleaned(text),
            code=code or ("" if reply_code > 0 else type(error).__name__),
        )

    def _probe(self) -> None:
        try:
            self._write(b"RSET\r\n", seconds=self._settings.timeouts.connect)
            if self._read(seconds=self._settings.timeouts.connect).code != 250:
                self._drop()
        except (ConnectionBroken, BadReply, OSError):
            self._drop()

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = self._socket = self._replies = None

    def _transaction(self, envelope: "_Envelope", dialogue: "_Dialogue") -> Steps:
        commands = (envelope.mail, envelope.rcpt, b"DATA\r\n")
        is_pipelined = "pipelining" in self._offers
        if is_pipelined:
            self._write(b"".join(commands), seconds=dialogue.timeouts.block)
        refusal: Outcome | None = None
        for phase, command in zip(_COMMANDS, commands, strict=True):
            dialogue.phase = phase
            if not is_pipelined:
                self._write(command, seconds=dialogue.timeouts.block)
            reply = yield from self._answer(seconds=dialogue.seconds)
            if not _is_good(phase, reply):
                refusal = refusal or from_reply(phase, reply.code, reply.text)
                dialogue.refusal = refusal
                # After 421 the server hangs up (RFC 5321 section 3.8).
                if not is_pipelined or reply.code == 421:
                    break
            elif phase == Phase.DATA and refusal is not None:
                # RFC 2920 section 3.1: nobody to send to, so end an empty message.
                self._write(b".\r\n", seconds=dialogue.timeouts.block)
                yield from self._answer(seconds=dialogue.timeouts.end)
        if refusal is not None:
            yield from self._reset(refusal)
            return refusal
        # One packet where it fits, so from here on a missing answer is in doubt.
        dialogue.phase = Phase.CONTENT
        self._write(envelope.content, seconds=dialogue.timeouts.block)
        reply = yield from self._answer(seconds=dialogue.timeouts.end)
        return from_reply(Phase.CONTENT, reply.code, reply.text)

    def _reset(self, refusal: Outcome) -> Generator[float, None, None]:
        """Forget a refused transaction, so that the next one begins anew."""
        if refusal.reply_code == 421:
            return
        self._write(b"RSET\r\n", seconds=self._settings.timeouts.command)
        yield from self._answer(seconds=self._settings.timeouts.command)

    def _answer(self, *, seconds: float) -> Generator[float, None, Reply]:
        """Pause, if the next reply has not come yet, and then read it."""
        assert self._replies is not None
        if not self._replies.has_line:
            yield seconds
        return self._replies.read(seconds=seconds)

    def _write(self, content: bytes, *, seconds: float) -> None:
        assert self._socket is not None
        self._socket.write(content, seconds=seconds)

    def _read(self, *, seconds: float) -> Reply:
        assert self._replies is not None
        return self._replies.read(seconds=seconds)


_UNSAFE: Final = re.compile("[<>\r\n\0 ]")
_COMMANDS: Final = (Phase.MAIL, Phase.RCPT, Phase.DATA)


class _Refused(Exception):
    """Something that we refuse ourselves, by our own word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class _Dialogue:
    """How far a transaction has come."""

    timeouts: Timeouts
    phase: Phase = Phase.MAIL
    refusal: Outcome | None = None

    @property
    def seconds(self) -> float:
        is_data = self.phase == Phase.DATA
        return self.timeouts.data if is_data else self.timeouts.command

    def broken(self, code: str, reply: str = "") -> Outcome:
        """Give the outcome of a dialogue that ended here without a reply."""
        is_doubtful = self.phase == Phase.CONTENT
        kind = OutcomeKind.AMBIGUOUS if is_doubtful else OutcomeKind.SOFT
        return Outcome(kind, self.phase, reply=cleaned(reply), code=code)


@dataclass(frozen=True, slots=True)
class _Envelope:
    """The commands of one transaction, and the message as it goes over the wire."""

    mail: bytes
    rcpt: bytes
    content: bytes

    @classmethod
    def of(cls, message: Composition, offers: dict[str, str]) -> "_Envelope":
        """Write a message down. Raises _Refused where this server cannot take it."""
        options = ""
        recipient = _on_the_wire(message.recipient)
        if not recipient.isascii():
            if "smtputf8" not in offers:
                raise _Refused("smtputf8_not_offered")
            options = " SMTPUTF8"
        if not message.content.isascii():
            if "8bitmime" not in offers:
                raise _Refused("content_not_7bit")
            options += " BODY=8BITMIME"
        limit = offers.get("size", "").strip()
        if limit.isdigit() and 0 < int(limit) < len(message.content):
            raise _Refused("message_too_large")
        sender = _on_the_wire(message.sender)
        return cls(
            f"MAIL FROM:<{sender}>{options}\r\n".encode(),
            f"RCPT TO:<{recipient}>\r\n".encode(),
            _stuffed(message.content),
        )


def _on_the_wire(address: str) -> str:
    """Give an address with its domain as A-labels. Raises _Refused for no address."""
    if _UNSAFE.search(address) or not address.isprintable():
        raise _Refused("bad_address")
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        raise _Refused("bad_address") from None


def _stuffed(content: bytes) -> bytes:
    """Double the dots that begin a line (RFC 5321 section 4.5.2), and end with one."""
    line_ends = content.count(b"\r\n")
    if content.count(b"\n") != line_ends or content.count(b"\r") != line_ends:
        raise _Refused("bare_line_ends")
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def _is_good(phase: Phase, reply: Reply) -> bool:
    return reply.code == 354 if phase == Phase.DATA else 200 <= reply.code < 300
