"""How fast deliveries are sent, against smtplib alone in the same run.

Usage: python -m benchmarks.sending [--messages 20000] [--workers 4] [--rounds 3]

Starts a PostgreSQL and a mail server of its own on loopback. Each round sends the same
number of mails of the same size twice: by `smtplib` with reused connections from as
many processes, without a database; and by our workers, with analysis behind them, the
gate, links, rendering and the log. The delivery is confirmed when all workers wait for
work. Both count from the first mail that the server took to the last one. Prints both
rates and their ratio, the median of the rounds last.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.soak.__main__ import settings
from tests.soak.cluster import Cluster

ROOT = Path(__file__).resolve().parent.parent
_BARE = """
import smtplib, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
body = sys.stdin.buffer.read()
server = smtplib.SMTP("127.0.0.1", port)
for number in range(count):
    server.sendmail("b@example.com", [f"p{number}@example.com"], body)
server.quit()
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    ratios = []
    for number in range(1, chosen.rounds + 1):
        bare, ours, size = one_round(chosen.messages, chosen.workers)
        ratios.append(ours / bare)
        print(
            f"{number}: smtplib {bare:,.0f}/s, ours {ours:,.0f}/s of {size} bytes,"
            f" ratio {ours / bare:.2f}",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.2f} (goal 0.5)")
    return 0


def one_round(messages: int, workers: int) -> tuple[float, float, int]:
    cluster = Cluster("fsync=on", "max_wal_size=2GB")
    cluster.start()
    with tempfile.TemporaryDirectory(prefix="campaign-sending.") as name:
        folder = Path(name)
        sink, port = start_sink(folder)
        environment = os.environ | settings(cluster, folder)
        environment["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
        try:
            size = prepare(environment, messages)
            bare = time_bare(
                folder, port, messages // workers, workers=workers, size=size
            )
            ours = time_ours(environment, folder, messages, workers=workers)
        finally:
            sink.kill()
            cluster.stop()
    return bare, ours, size


def start_sink(folder: Path, *options: str) -> tuple[subprocess.Popen[str], int]:
    sink = subprocess.Popen(
        [sys.executable, "-m", "tests.sink", "--log", str(folder / "sink.jsonl")]
        + list(options),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert sink.stdout is not None
    return sink, int(sink.stdout.readline())


def prepare(environment: dict[str, str], messages: int, *unknown: str) -> int:
    """Make people and a delivery that has begun; gives the size of one mail."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.sending_world",
        str(messages),
        *unknown,
    ]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return int(json.loads(done.stdout)["bytes"])


def time_bare(
    folder: Path, port: int, messages: int, *, workers: int, size: int
) -> float:
    """Measure smtplib in so many processes, each with so many mails."""
    body = b"Subject: Hi\r\n\r\n" + (b"x" * 70 + b"\r\n") * (size // 72)
    command = [sys.executable, "-c", _BARE, str(port), str(messages)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(workers)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(body)
        process.stdin.close()
    for process in processes:
        process.wait()
    return rate_of(folder, after=0)


def time_ours(
    environment: dict[str, str], folder: Path, messages: int, *, workers: int
) -> float:
    """Measure our workers with all that they do."""
    command = [sys.executable, "manage.py", "send_deliveries", "--connections", "1"]
    log = folder / "sink.jsonl"
    before = len(log.read_text().splitlines()) if log.exists() else 0
    processes = [
        subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
        for _ in range(workers)
    ]
    begin = [sys.executable, "-m", "benchmarks.sending_world", "begin", str(workers)]
    try:
        subprocess.run(begin, env=environment, cwd=ROOT, check=True, timeout=600)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    return rate_of(folder, after=before)


def rate_of(folder: Path, *, after: int) -> float:
    """Give the mails a second that the server took, leaving out so many lines."""
    lines = (folder / "sink.jsonl").read_text().splitlines()[after:]
    moments = [json.loads(line)["at"] for line in lines]
    return len(moments) / ((moments[-1] - moments[0]) / 1e9)


if __name__ == "__main__":
    sys.exit(main())
