"""A soak of deliveries by file: workers killed, people who stop in the middle of it.

Usage: python -m tests.soak.files [--people 2000] [--kills 6] [--stops 300]
    [--sabotage NAME]

Starts a PostgreSQL of its own on loopback. Prints one line of JSON; `broken` lists what
was not kept, a word each: `stopped` (somebody is in the file who stopped before it was
closed), `twice`, `lost`, `changed` (a second download differs), `unsent` (the log and
the file name other people).
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soak.__main__ import ROOT, settings
from tests.soak.cluster import Cluster


def main() -> int:
    cluster = Cluster()
    cluster.start()
    try:
        with TemporaryDirectory(prefix="campaign-soak-files.") as folder:
            command = [sys.executable, "-m", "tests.soak.file_run", *sys.argv[1:]]
            environment = os.environ | settings(cluster, Path(folder))
            return subprocess.run(command, env=environment, cwd=ROOT).returncode
    finally:
        cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
