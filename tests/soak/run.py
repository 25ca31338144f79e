"""One soak, inside the settings and next to the cluster that it was given."""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402

from tests.soak import checker, world  # noqa: E402
from tests.soak.cluster import Cluster  # noqa: E402
from tests.soak.starting import last_to_start  # noqa: E402
from tests.soak.stopper import sink_lines  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST = 900  # seconds
FAULTS = {"drop": 0.001, "refuse_now": 0.005, "refuse": 0.002, "half_close": 0.0005}


def main() -> int:
    chosen = read_arguments()
    folder = Path(os.environ["SOAK_FOLDER"])
    sink_log = folder / "sink.jsonl"
    sink = subprocess.Popen(
        [sys.executable, "-m", "tests.sink", "--log", str(sink_log)]
        + ["--faults", json.dumps(FAULTS)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert sink.stdout is not None
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{int(sink.stdout.readline())}"
    world.build(chosen.messages, is_strict=chosen.strict)
    show = Run(chosen, folder, sink_log)
    try:
        seconds = show.go()
    finally:
        show.end()
        sink.kill()
    evidence = world.gather(folder)
    evidence.kills, evidence.crashes = show.kills, show.crashes
    evidence.killed = show.killed
    evidence.workers, evidence.is_strict = chosen.workers, chosen.strict
    evidence.abreast = 1 if chosen.strict else settings.SENDING_ABREAST
    return report(chosen, evidence, seconds)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--stops", type=int, default=750)
    parser.add_argument("--crashes", type=int, default=0)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--sabotage", default="")
    parser.add_argument("--expect", default="")
    return parser.parse_args()


class Run:
    """The processes of one soak, and what is done to them."""

    def __init__(self, chosen, folder: Path, sink_log: Path) -> None:
        self.chosen = chosen
        self.cluster = Cluster.attach(os.environ["SOAK_CLUSTER"])
        self.folder, self.sink_log = folder, sink_log
        self.kills = self.crashes = 0
        self.killed: dict[int, int] = {}
        self.lots = random.Random(7)
        self.workers = [self.worker() for _ in range(chosen.workers)]
        self.stoppers = [self.stopper() for _ in range(2)] if chosen.stops else []
        self.stoppers += [self.meddler()] if chosen.stops else []

    def go(self) -> float:
        began = time.monotonic()
        while not world.is_finished():
            if time.monotonic() - began > LONGEST:
                break
            time.sleep(0.01)
            done = self.progress()
            if is_time(done, self.kills, self.chosen.kills):
                self.kill_one()
            if is_time(done, self.crashes, self.chosen.crashes):
                self.crashes += 1
                self.cluster.crash()
                world.reconnect()
        return time.monotonic() - began

    def end(self) -> None:
        for process in [*self.workers, *self.stoppers]:
            process.send_signal(signal.SIGTERM)
        for process in [*self.workers, *self.stoppers]:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def progress(self) -> float:
        # Some never arrive: they were stopped.
        return sink_lines(self.sink_log) / (self.chosen.messages * 0.85)

    def kill_one(self) -> None:
        """Kill a worker that has just started a message; else look again later."""
        busy = last_to_start(self.folder / "starts.log")
        places = [n for n, each in enumerate(self.workers) if each.pid in busy]
        if not places:
            return
        self.kills += 1
        place = self.lots.choice(places)
        self.workers[place].kill()
        self.killed[self.workers[place].pid] = time.monotonic_ns()
        self.workers[place].wait()
        self.workers[place] = self.worker()

    def worker(self) -> subprocess.Popen[bytes]:
        starts = str(self.folder / "starts.log")
        return self._python("tests.soak.worker", starts)

    def stopper(self) -> subprocess.Popen[bytes]:
        log, share = str(self.folder / "stops.jsonl"), str(self.chosen.stops // 2)
        counts = [log, share, str(self.sink_log), str(self.chosen.messages)]
        return self._python("tests.soak.stopper", *counts)

    def meddler(self) -> subprocess.Popen[bytes]:
        logs = [str(self.folder / name) for name in ("acts.jsonl", "stops.jsonl")]
        return self._python("tests.soak.meddler", *logs, str(self.chosen.messages))

    def _python(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", module, *arguments]
        if self.chosen.sabotage:
            command.append(self.chosen.sabotage)
        return subprocess.Popen(command, cwd=ROOT)


def is_time(done: float, happened: int, planned: int) -> bool:
    """Spread what is planned over the run; `done` is the share of it that is over."""
    return happened < planned and done > (happened + 1) / (planned + 1)


def report(chosen, evidence, seconds: float) -> int:
    broken = checker.broken(evidence)
    late = checker.window(evidence)
    print(
        json.dumps(
            {
                "messages": len(evidence.statuses),
                "seconds": round(seconds, 1),
                "kills": evidence.kills,
                "crashes": evidence.crashes,
                "stops": len(evidence.stops),
                "acts": dict(Counter(each.act for each in evidence.acts)),
                "statuses": dict(Counter(evidence.statuses.values())),
                "copies": checker.extra_copies(evidence),
                "bound": checker.bound(evidence),
                "on_the_wire_after_a_stop": len(late),
                "window_ms": [round(late[len(late) // 2], 1), round(late[-1], 1)]
                if late
                else [],
                "sabotage": chosen.sabotage,
                "broken": broken,
            }
        )
    )
    if not chosen.expect:
        return 1 if broken else 0
    numbers = chosen.expect.split(",")
    found = any(each.startswith(f"promise {n}:") for n in numbers for each in broken)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
