"""Why quarantined addresses are excluded: the same delivery with and without it.

Usage: python -m benchmarks.provider [--messages 6000] [--unknown 0.05] [--draw FILE]

The mail server behaves as mailbox providers do (tests/sink.py, --provider): it refuses
recipients that it does not know, and the larger their share among the last 200, the
longer it takes over each recipient; too many, and it refuses everybody for a while.
Sends one delivery in which earlier bounces are in quarantine, and one in which nobody
kept them, with four workers each, and prints how many a second were delivered. The
more connections (SENDING_ABREAST), the more of the waiting is done at the same time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.sending import ROOT, prepare, start_sink
from tests.soak.__main__ import settings
from tests.soak.cluster import Cluster

LONGEST = 600  # seconds
WORKERS = 4


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=6_000)
    parser.add_argument("--unknown", type=float, default=0.05)
    parser.add_argument("--draw", metavar="FILE", help="draw a picture (SVG)")
    chosen = parser.parse_args()
    curves = {
        name: delivered(chosen.messages, str(chosen.unknown), *listed, "begun")
        for name, listed in {"with": ["listed"], "without": []}.items()
    }
    rates = {name: len(each) / each[-1] for name, each in curves.items()}
    times = rates["with"] / rates["without"]
    print(
        f"{chosen.unknown:.0%} unknown: {rates['with']:,.0f}/s delivered with"
        f" the exclusion, {rates['without']:,.0f}/s without: {times:.0f} times as fast"
        " (goal 10)"
    )
    if chosen.draw:
        Path(chosen.draw).write_text(drawn(curves), encoding="utf-8")
    return 0 if times >= 10 else 1


def delivered(messages: int, *world: str) -> list[float]:
    """Send one delivery; gives the seconds at which its mails were taken."""
    cluster = Cluster("fsync=on")
    cluster.start()
    with tempfile.TemporaryDirectory(prefix="campaign-provider.") as name:
        folder = Path(name)
        sink, port = start_sink(folder, "--provider")
        environment = os.environ | settings(cluster, folder)
        environment["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
        try:
            prepare(environment, messages, *world)
            run_workers(environment)
        finally:
            sink.kill()
            cluster.stop()
        lines = (folder / "sink.jsonl").read_text().splitlines()
    moments = [json.loads(line)["at"] for line in lines]
    return [(each - moments[0]) / 1e9 for each in moments]


def run_workers(environment: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "send_deliveries", "--once"]
    command += ["--connections", "1"]
    began = time.monotonic()
    processes = [
        subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
        for _ in range(WORKERS)
    ]
    try:
        for process in processes:
            process.wait(max(1.0, LONGEST - (time.monotonic() - began)))
    finally:
        for process in processes:
            process.kill()


def drawn(curves: dict[str, list[float]]) -> str:
    """Draw how many were delivered over time, on one scale, as SVG."""
    width, height, left, foot = 640, 260, 60, 40
    last = max(each[-1] for each in curves.values())
    most = max(map(len, curves.values()))
    lines = []
    for name, colour in (("with", "#0a5c68"), ("without", "#b3261e")):
        each = curves[name]
        step = max(1, len(each) // 100)
        points = [*enumerate(each, 1)][::step] + [(len(each), each[-1])]
        path = " ".join(
            f"{left + seconds / last * (width - left - 20):.1f},"
            f"{height - foot - count / most * (height - foot - 20):.1f}"
            for count, seconds in points
        )
        lines.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="3"'
            f' points="{path}"/>'
        )
    words = [
        (left, height - 12, f"0 s to {last:.0f} s"),
        (left + 40, 34, f"with quarantine: {len(curves['with']):,} in"
         f" {curves['with'][-1]:.1f} s"),
        (left + 220, height - 60, f"without: {len(curves['without']):,} in"
         f" {curves['without'][-1]:.0f} s"),
    ]  # fmt: skip
    texts = [f'<text x="{x}" y="{y}">{text}</text>' for x, y, text in words]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="15" role="img">\n'
        "<title>Delivered mails over time, with and without quarantine</title>\n"
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n'
        '<path stroke="#888" fill="none"'
        f' d="M{left} 20V{height - foot}H{width - 20}"/>\n'
        + "\n".join(lines + texts)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    sys.exit(main())
