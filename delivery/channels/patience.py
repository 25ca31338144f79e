"""A connected socket that waits so long for each thing, without asking at each turn.

Python's own time-outs cost a system call to set and another one per read and write. The
kernel keeps one for each direction, which is set when it changes. TLS needs Python's.
"""

import socket
import ssl
import struct
from functools import lru_cache
from math import ceil


class PatientSocket:
    """Reads and writes a socket; raises OSError, TimeoutError when it took too long."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._is_kernel_timed = not isinstance(connected, ssl.SSLSocket)
        self._waits: dict[int, float] = {}
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._is_kernel_timed:
            connected.settimeout(None)

    @property
    def has_pending(self) -> bool:
        """Say whether TLS has read something that the socket does not show any more."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def write(self, content: bytes, *, seconds: float) -> None:
        """Write all of it, waiting at most so long for each piece to be taken."""
        self._wait_at_most(seconds, socket.SO_SNDTIMEO)
        try:
            self._socket.sendall(content)
        except BlockingIOError:
            raise TimeoutError from None

    def read(self, most: int, *, seconds: float) -> bytes:
        """Read what is there, waiting at most so long; nothing when the peer ended."""
        self._wait_at_most(seconds, socket.SO_RCVTIMEO)
        try:
            return self._socket.recv(most)
        except BlockingIOError:
            raise TimeoutError from None

    def _wait_at_most(self, seconds: float, direction: int) -> None:
        if self._waits.get(direction) == seconds:
            return
        if self._is_kernel_timed:
            self._waits[direction] = seconds
            wait = _timeval(seconds)
            self._socket.setsockopt(socket.SOL_SOCKET, direction, wait)
        else:
            self._waits = {direction: seconds}
            self._socket.settimeout(seconds)


@lru_cache
def _timeval(seconds: float) -> bytes:
    """Write a time as setsockopt() takes it; of zero the kernel would make for ever."""
    whole, part = divmod(max(ceil(seconds * 1_000_000), 1), 1_000_000)
    return struct.pack("ll", whole, part)
