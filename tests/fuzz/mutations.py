"""Mails changed by chance: bytes flipped, cut, spliced, repeated, and made wild."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

MOST_BYTES: Final = 512 * 1024
# What readers of mails look for, and what breaks them.
TOKENS: Final = (
    b"\n", b"\r", b"\n\n", b"\0", b"\xff", b"@", b"<", b">", b";", b":", b"=", b'"',
    b"--", b"=?utf-8?q?", b"=?utf-8?b?", b"?=", b"\x1b$B", b"\xef\xbb\xbf", b"\xff\xfe",
    b"5.1.1", b"4.2.2", b"550 ", b"Status: ", b"Action: failed\n", b"boundary=",
    b"Content-Type: message/rfc822\n\n", b"Content-Type: multipart/mixed; boundary=x\n",
    b"Content-Transfer-Encoding: base64\n\n", b"charset=utf-7", b"charset=idna",
    b"Final-Recipient: rfc822; ", b"Diagnostic-Code: smtp; ", b"\\x{110000}", b"{[",
    b"Feedback-Type: abuse\n", b"X-Failed-Recipients: ",
)  # fmt: skip
Mutation = Callable[[bytes, Random, Sequence[bytes]], bytes]


def mutated(seeds: Sequence[bytes], random: Random) -> bytes:
    """Change one of several mails by chance, one to eight times."""
    raw = random.choice(seeds)
    for _ in range(random.randint(1, 8)):
        raw = random.choice(MUTATIONS)(raw, random, seeds)[:MOST_BYTES]
    return raw


def _flip(raw: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    changed = bytearray(raw)
    for _ in range(random.randint(1, 20) if changed else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut(raw: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    start, end = _piece(raw, random)
    return raw[:start] + raw[end:]


def _end(raw: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    return raw[: random.randint(0, len(raw))]


def _splice(raw: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    other = random.choice(seeds)
    start, end = _piece(other, random)
    place = random.randint(0, len(raw))
    return raw[:place] + other[start:end] + raw[place:]


def _repeat(raw: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    start, end = _piece(raw, random)
    times = random.choice((2, 10, 200, 5_000))
    most = MOST_BYTES // max(end - start, 1) + 1
    return raw[:start] + raw[start:end] * min(times, most) + raw[end:]


def _insert(raw: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    place = random.randint(0, len(raw))
    token = random.choice(TOKENS) * random.choice((1, 1, 1, 3, 1_000, 20_000))
    return raw[:place] + token + raw[place:]


def _swap_lines(raw: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    lines = raw.split(b"\n")
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _recode(raw: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    return random.choice(
        (
            raw.replace(b"\n", b"\r\n"),
            raw.replace(b"\n", b"\r"),
            raw.replace(b"\n", b"\n\n"),
            raw.replace(b" ", b"\n "),
            raw.decode("latin-1").encode("utf-16"),
        )
    )


def _piece(raw: bytes, random: Random) -> tuple[int, int]:
    start = random.randint(0, len(raw))
    return start, min(len(raw), start + random.choice((1, 8, 64, 512, 4_096)))


MUTATIONS: Final[tuple[Mutation, ...]] = (
    _flip, _cut, _end, _splice, _repeat, _insert, _swap_lines, _recode,
)  # fmt: skip
