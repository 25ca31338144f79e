"""One soak of a file, inside the settings that it was given."""

import json
import os
import random
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import django

django.setup()

from tests.soak import file_world, sabotage  # noqa: E402
from tests.soak.starting import last_to_start  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST = 120  # seconds


def read_arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.soak.files")
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--stops", type=int, default=300)
    parser.add_argument("--sabotage", default="")
    return parser.parse_args()


def soak(chosen: Namespace) -> int:
    delivery = file_world.build(chosen.people)
    sabotage.apply(chosen.sabotage)
    stops: dict[int, datetime] = {}
    ended = Event()
    stopper = Thread(target=file_world.stop_people, args=[chosen.stops, stops, ended])
    stopper.start()
    try:
        kills = kill_workers(chosen)
        time.sleep(0.3)
        found = file_world.evidence(delivery, stops)
    finally:
        ended.set()
        stopper.join()
    print(json.dumps({"kills": kills, "stops": len(stops), **found}))
    return 0


def kill_workers(chosen: Namespace) -> int:
    """Run workers until the file is produced, killing one that has a row in hand."""
    lots, log = random.Random(11), Path(os.environ["SOAK_FOLDER"]) / "starts.log"
    workers = [worker(log, chosen.sabotage) for _ in range(chosen.workers)]
    kills, began = 0, time.monotonic()
    try:
        while not file_world.is_produced() and time.monotonic() - began < LONGEST:
            time.sleep(0.005)
            share = file_world.rows_written() / chosen.people
            busy = last_to_start(log)
            places = [n for n, each in enumerate(workers) if each.pid in busy]
            is_time = share > (kills + 1) / (chosen.kills + 2)
            if kills < chosen.kills and is_time and places:
                place = lots.choice(places)
                workers[place].kill()
                workers[place].wait()
                workers[place] = worker(log, chosen.sabotage)
                kills += 1
    finally:
        for each in workers:
            each.terminate()
        for each in workers:
            each.wait(20)
    return kills


def worker(starts: Path, mistake: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.soak.worker", str(starts), mistake]
    return subprocess.Popen(command, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(soak(read_arguments()))
