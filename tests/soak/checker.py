"""The offline checker: what was promised against what was logged.

It knows nothing of the code that sent: it compares the moments at which messages
started, the stops that were acknowledged, what the mail server took, and what the
database says in the end. Its answer is a list of broken promises, by their numbers.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Start:
    """A message that started, by which process; the moment is of one clock, in ns."""

    profile: int
    at: int
    pid: int = 0


@dataclass(frozen=True)
class Act:
    """Something that must undo no stop, or makes one, and was acknowledged."""

    act: str
    profile: int
    digest: str


@dataclass(frozen=True)
class Stop:
    """A stop that was acknowledged; moments in nanoseconds of one clock."""

    profile: int
    kind: str
    before: int
    acknowledged: int
    is_news: bool = True


@dataclass(frozen=True)
class Taken:
    """A message that the mail server took, before it answered."""

    profile: int
    at: int
    fault: str = ""


@dataclass
class Evidence:
    """All that one run left behind."""

    starts: list[Start]
    stops: list[Stop]
    taken: list[Taken]
    statuses: dict[int, str]  # of the messages to send, by profile
    flags: dict[str, set[int]]  # profiles that are stopped in the end, by kind
    raised: Counter[int]  # flags that are up by profile
    ledger: Counter[int]  # rows of the ledger by profile
    acts: list[Act] = field(default_factory=list)
    mailable: dict[str, int] = field(default_factory=dict)  # profiles by digest
    killed: dict[int, int] = field(default_factory=dict)  # moments by process
    attempts: Counter[int] = field(default_factory=Counter)
    kills: int = 0
    crashes: int = 0
    workers: int = 1
    # How many connections to the mail server each has, with a message on each.
    abreast: int = 1
    is_strict: bool = False
    denylisted: set[str] = field(default_factory=set)  # digests
    window_ns: int = 5 * 10**9


TERMINAL = {"sent", "failed", "unknown", "expired", "cancelled", "excluded"}


def broken(evidence: Evidence) -> list[str]:
    """List the promises that a run broke, a sentence each; none when all were kept."""
    checks = (
        started_after_a_stop,
        on_the_wire_after_a_stop,
        lost,
        copies,
        stops_lost,
        came_back,
        ledger_rows,
        stricter_lost,
        erased_came_back,
    )
    return [sentence for check in checks for sentence in check(evidence)]


def started_after_a_stop(evidence: Evidence) -> Iterable[str]:
    """Promises 1 (opt-outs) and 3 (quarantined addresses)."""
    stopped = _first_stops(evidence)
    for kind, number in (("opt-out", 1), ("quarantine", 3)):
        late = [
            start
            for start in evidence.starts
            if start.at > stopped.get((start.profile, kind), start.at)
        ]
        if late:
            yield f"promise {number}: {len(late)} started after an acknowledged {kind}"


def on_the_wire_after_a_stop(evidence: Evidence) -> Iterable[str]:
    """Promise 2: none in strict mode, else within the window.

    What a killed worker had handed to the network before is out of anybody's hands.
    """
    stopped = _first_stops(evidence)
    most = 0 if evidence.is_strict else evidence.window_ns
    left = _left_behind(evidence)
    late = [
        taken
        for taken in evidence.taken
        for kind in ("opt-out", "quarantine")
        if taken.at - stopped.get((taken.profile, kind), taken.at) > most
        if taken.at - left.get(taken.profile, taken.at) <= 0
        or taken.at - left[taken.profile] > evidence.window_ns
    ]
    if late:
        yield f"promise 2: {len(late)} on the wire too long after an acknowledged stop"


def lost(evidence: Evidence) -> Iterable[str]:
    """Promise 4: every message ends, and what is called sent was taken."""
    open_ones = [s for s in evidence.statuses.values() if s not in TERMINAL]
    if open_ones:
        yield f"promise 4: {len(open_ones)} messages never ended"
    taken = {each.profile for each in evidence.taken}
    missing = [
        profile
        for profile, status in evidence.statuses.items()
        if status == "sent" and profile not in taken
    ]
    if missing:
        yield f"promise 4: {len(missing)} are called sent that nobody took"


def copies(evidence: Evidence) -> Iterable[str]:
    """Promise 5: no more copies than could not be known."""
    extra = extra_copies(evidence)
    most = bound(evidence)
    if extra > most:
        yield f"promise 5: {extra} extra copies, at most {most} may be"


def extra_copies(evidence: Evidence) -> int:
    count = Counter(each.profile for each in evidence.taken)
    return sum(number - 1 for number in count.values())


def bound(evidence: Evidence) -> int:
    """Give how many copies may be: one per connection that was killed, or unanswered.

    A crash of the database breaks the connections of all workers.
    """
    unanswered = sum(each.fault in {"drop", "halfclose"} for each in evidence.taken)
    broken = evidence.kills + evidence.crashes * evidence.workers
    return broken * evidence.abreast + unanswered


def stops_lost(evidence: Evidence) -> Iterable[str]:
    """Promise 6: an acknowledged stop is there in the end."""
    for kind in ("opt-out", "quarantine"):
        said = {stop.profile for stop in evidence.stops if stop.kind == kind}
        gone = said - evidence.flags[kind]
        if gone:
            yield f"promise 6: {len(gone)} acknowledged stops ({kind}) are gone"


def came_back(evidence: Evidence) -> Iterable[str]:
    """Promise 7: no file and no release ends a stop."""
    again = set(evidence.mailable.values())
    for act in ("yes by file", "valid by file"):
        undone = {each.profile for each in evidence.acts if each.act == act} & again
        if undone:
            yield f"promise 7: {len(undone)} would be sent to again after a {act}"


def stricter_lost(evidence: Evidence) -> Iterable[str]:
    """Promise 9: what a file says no to is stopped, and stays denylisted."""
    said_no = {each.profile for each in evidence.acts if each.act == "no by file"}
    weakened = {each.digest for each in evidence.acts if each.act == "valid by file"}
    lost = said_no - set(evidence.raised)
    if lost:
        yield f"promise 9: {len(lost)} that a file says no to are not stopped"
    weaker = weakened - evidence.denylisted
    if weaker:
        yield f"promise 9: {len(weaker)} lost a stricter state to a file"


def erased_came_back(evidence: Evidence) -> Iterable[str]:
    """Promise 10: who was erased stays unreachable, whoever brings the address."""
    erased = {each.digest for each in evidence.acts if each.act == "erased"}
    again = erased & set(evidence.mailable)
    if again:
        yield f"promise 10: {len(again)} erased addresses would be sent to again"


def ledger_rows(evidence: Evidence) -> Iterable[str]:
    """Promise 8: one change, one row."""
    wrong = [
        profile
        for profile, count in evidence.raised.items()
        if evidence.ledger[profile] != count
    ]
    if wrong:
        yield f"promise 8: {len(wrong)} opt-outs have not exactly one ledger row"


def window(evidence: Evidence) -> list[float]:
    """Give how long after an acknowledged stop messages were on the wire, in ms."""
    stopped = _first_stops(evidence)
    late = [
        (taken.at - stopped[taken.profile, kind]) / 1e6
        for taken in evidence.taken
        for kind in ("opt-out", "quarantine")
        if (taken.profile, kind) in stopped
    ]
    return sorted(each for each in late if each > 0)


def _left_behind(evidence: Evidence) -> dict[int, int]:
    """Give, by profile, when the worker that had started its message was killed."""
    last: dict[int, Start] = {}
    for start in evidence.starts:
        if start.pid in evidence.killed:
            last[start.pid] = max(last.get(start.pid, start), start, key=_moment)
    return {start.profile: evidence.killed[pid] for pid, start in last.items()}


def _moment(start: Start) -> int:
    return start.at


def _first_stops(evidence: Evidence) -> dict[tuple[int, str], int]:
    first: dict[tuple[int, str], int] = {}
    for stop in evidence.stops:
        key = (stop.profile, stop.kind)
        first[key] = min(first.get(key, stop.acknowledged), stop.acknowledged)
    return first
