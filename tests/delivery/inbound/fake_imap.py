"""An IMAP server for one client: a folder of messages, in a thread of its own."""

import re
import socket
import threading
from contextlib import suppress


class FakeImap:
    """Serves messages by number; `dies_after` fetches it hangs up for good."""

    def __init__(self, mails: list[bytes], *, dies_after: int = 99) -> None:
        self.mails = dict(enumerate(mails, start=1))
        self.flagged: set[int] = set()
        self.commands: list[str] = []
        self._fetches_left = dies_after
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "FakeImap":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(timeout=5)

    @property
    def url(self) -> str:
        return f"imap://bounces:s%40cret@127.0.0.1:{self.port}/Bounces"

    def _run(self) -> None:
        while True:
            try:
                client, _address = self._server.accept()
            except OSError:
                return
            with client, client.makefile("rwb") as stream:
                try:
                    self._serve(stream)
                except (OSError, ValueError):
                    continue

    def _serve(self, stream) -> None:
        self._say(stream, b"* OK [CAPABILITY IMAP4rev1] ready")
        for line in stream:
            tag, command = line.decode().rstrip("\r\n").split(" ", 1)
            self.commands.append(command)
            if "FETCH" in command:
                self._fetches_left -= 1
                if self._fetches_left < 0:
                    raise OSError
            for answer in self._answers(command):
                self._say(stream, answer)
            status = "NO" if self._is_refused(command) else "OK"
            self._say(stream, f"{tag} {status} done".encode())
            if command == "LOGOUT":
                return

    def _say(self, stream, line: bytes) -> None:
        stream.write(line + b"\r\n")
        stream.flush()

    def _is_refused(self, command: str) -> bool:
        return command.startswith("LOGIN") and "s@cret" not in command

    def _answers(self, command: str) -> list[bytes]:
        if command == "CAPABILITY":
            return [b"* CAPABILITY IMAP4rev1"]
        if command.startswith("SELECT"):
            return [f"* {len(self.mails)} EXISTS".encode()]
        if command.startswith("UID SEARCH"):
            left = sorted(set(self.mails) - self.flagged)
            return [f"* SEARCH {' '.join(map(str, left))}".encode()]
        found = re.match(r"UID (FETCH|STORE) ([0-9]+)", command)
        number = int(found[2]) if found else 0
        if found and found[1] == "FETCH":
            raw = self.mails[number]
            head = f"* {number} FETCH (UID {number} RFC822.SIZE {len(raw)}"
            return [f"{head} BODY[]<0> {{{len(raw)}}}".encode() + b"\r\n" + raw + b")"]
        if found:
            self.flagged.add(number)
        if command == "EXPUNGE":
            for each in self.flagged:
                self.mails.pop(each, None)
            self.flagged.clear()
        return []
