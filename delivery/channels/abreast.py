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
            outcomes += _sent_by(self._open, some)
        return outcomes

    def close(self) -> None:
        """Let all connections go."""
        for each in self._all:
            each.close()


def _sent_by(
    connections: Sequence[SmtpTransport], messages: Sequence[Composition]
) -> list[Outcome]:
    """Send messages, each by its connection; go on where the server answered."""
    outcomes: dict[int, Outcome] = {}
    waiting: dict[int, tuple[int, Steps, float]] = {}
    poll = select.poll()

    def advance(number: int, steps: Steps, error: TimeoutError | None = None) -> None:
        try:
            seconds = steps.throw(error) if error else next(steps)
        except StopIteration as end:
            outcomes[number] = end.value
            return
        handle = connections[number].fileno()
        poll.register(handle, select.POLLIN)
        waiting[handle] = number, steps, monotonic() + seconds

    for number, message in enumerate(messages):
        advance(number, connections[number].steps(message))
    while waiting:
        soonest = min(due for _number, _steps, due in waiting.values())
        answered = poll.poll(max(soonest - monotonic(), 0) * 1000)
        late = [handle for handle, each in waiting.items() if each[2] <= monotonic()]
        for handle in [handle for handle, _event in answered] or late:
            number, steps, _due = waiting.pop(handle)
            poll.unregister(handle)
            advance(number, steps, None if answered else TimeoutError())
    return [outcomes[number] for number in range(len(messages))]
