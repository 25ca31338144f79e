"""Several connections to one mail server, and a message abreast on each of them.

A sender asks the gate for as many messages as go out at once, and waits for the server
once for all of them. Each message still has a connection, a transaction and an outcome
of its own; whichever server process answers first is read first.
"""

import select
from collections.abc import Sequence
from time import monotonic
from typing import Final

from delivery.channels.outcomes import Outcome
from delivery.channels.smtp import SmtpTransport, Steps
from delivery.channels.transport import Composition, Transport

MOST_ABREAST: Final = 16
# So long a server that takes fewer connections is not asked for more.
ASK_AGAIN_AFTER: Final = 60.0  # seconds


class Abreast(Transport):
    """Connections of which those that the server takes are used, at least one."""

    def __init__(self, connections: Sequence[SmtpTransport]) -> None:
        self._all = list(connections)
        self._open = self._all[:1]
        self._narrow_until = 0.0
        self.width = len(self._all)

    def ready(self) -> Outcome | None:
        """Connect if need be; None when at least one message can go out at once.

        A server that takes one connection and refuses more gets fewer for a minute.
        """
        trouble = self._all[0].ready()
        if trouble is not None:
            return trouble
        wanted = self._all if monotonic() >= self._narrow_until else self._open
        self._open = self._all[:1]
        for each in wanted[1:]:
            if each.ready() is None:
                self._open.append(each)
            elif wanted is self._all:
                self._narrow_until = monotonic() + ASK_AGAIN_AFTER
                break
        return None

    def send(self, message: Composition) -> Outcome:
        """Send one message over the first connection."""
        return self._all[0].send(message)

    def send_all(self, messages: Sequence[Composition]) -> list[Outcome]:
        """Send each message over a connection of its own, as many as there are."""
        outcomes: list[Outcome] = []
        for start in range(0, len(messages), len(self._open)):
            some = messages[start : start + len(self._open)]
            outcomes += _Turn(self._open).send(some)
        return outcomes

    def close(self) -> None:
        """Let all connections go."""
        for each in self._all:
            each.close()


class _Turn:
    """One message on each of some connections, until something came of all."""

    def __init__(self, connections: Sequence[SmtpTransport]) -> None:
        self._connections = connections
        self._outcomes: dict[int, Outcome] = {}
        self._waiting: dict[int, tuple[int, Steps, float]] = {}
        self._poll = select.poll()

    def send(self, messages: Sequence[Composition]) -> list[Outcome]:
        """Send messages; give what came of each, in their order."""
        for number, message in enumerate(messages):
            self._go_on(number, self._connections[number].steps(message))
        while self._waiting:
            soonest = min(until for _number, _steps, until in self._waiting.values())
            seconds = max(soonest - monotonic(), 0)
            answered = [handle for handle, _event in self._poll.poll(seconds * 1000)]
            for handle in answered:
                self._go_on(*self._taken(handle))
            if not answered:
                self._give_up(now=monotonic())
        return [self._outcomes[number] for number in range(len(messages))]

    def _give_up(self, *, now: float) -> None:
        """Tell those that waited too long for their server."""
        for handle, (_number, _steps, until) in list(self._waiting.items()):
            if until <= now:
                self._go_on(*self._taken(handle), error=TimeoutError())

    def _taken(self, handle: int) -> tuple[int, Steps]:
        number, steps, _until = self._waiting.pop(handle)
        self._poll.unregister(handle)
        return number, steps

    def _go_on(
        self, number: int, steps: Steps, *, error: TimeoutError | None = None
    ) -> None:
        """Let one go on until it waits for its server again, or ends."""
        try:
            seconds = steps.throw(error) if error else next(steps)
        except StopIteration as end:
            self._outcomes[number] = end.value
            return
        handle = self._connections[number].fileno()
        self._poll.register(handle, select.POLLIN)
        self._waiting[handle] = number, steps, monotonic() + seconds
