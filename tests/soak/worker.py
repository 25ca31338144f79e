"""A worker of the soak: the real one, which also notes when each message starts.

Usage: python -m tests.soak.worker STARTS_LOG [SABOTAGE]
"""

import os
import sys
import time
from datetime import timedelta

import django

django.setup()

from delivery import dispatching, working  # noqa: E402
from delivery.gate import Gate  # noqa: E402
from tests.soak import sabotage  # noqa: E402


def note_starts(path: str) -> None:
    """Note the moment at which the statement that succeeded was issued."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    decide, pid = Gate._decide, os.getpid()

    def noted(self, messages, **how):
        issued_at = time.monotonic_ns()
        passages = decide(self, messages, **how)
        started = [each for each, passage in passages.items() if passage.may_start]
        lines = [f"{profile} {issued_at} {pid}\n" for profile in started]
        os.write(log, "".join(lines).encode())
        return passages

    Gate._decide = noted


if __name__ == "__main__":
    sabotage.apply(sys.argv[2] if len(sys.argv) > 2 else "")
    note_starts(sys.argv[1])
    working.STUCK_FOR = timedelta(seconds=0.2)
    while True:
        try:
            dispatching.run(is_once=False, connections=1, report=lambda line: None)
            break
        except dispatching.SendingRefused:
            # The database is being crashed; who watches processes would start it anew.
            time.sleep(0.2)
