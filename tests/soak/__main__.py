"""The soak: real workers under kills, crashes and adversarial stops, then the checker.

Usage: python -m tests.soak [--messages 5000] [--workers 4] [--kills 10] [--stops 750]
    [--crashes 0] [--strict] [--sabotage NAME] [--expect 1,3]

Starts a PostgreSQL and a mail server of its own on loopback. Prints one line of JSON.
Exit status 0 when every promise was kept; with --expect, when one of these numbers was
broken.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soak.cluster import Cluster

ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    is_sabotaged = "--sabotage" in sys.argv
    cluster = Cluster("wal_writer_delay=10s" if is_sabotaged else "fsync=on")
    cluster.start()
    try:
        with TemporaryDirectory(prefix="campaign-soak-logs.") as folder:
            command = [sys.executable, "-m", "tests.soak.run", *sys.argv[1:]]
            environment = os.environ | settings(cluster, Path(folder))
            return subprocess.run(command, env=environment, cwd=ROOT).returncode
    finally:
        cluster.stop()


def settings(cluster: Cluster, folder: Path) -> dict[str, str]:
    """Give the settings of everything that runs in a soak."""
    return {
        "DJANGO_SETTINGS_MODULE": "campaign.settings",
        "DATABASE_URL": cluster.url,
        "SECRET_KEY": "soak" * 16,
        "PUBLIC_LINK_KEYS": "1=" + "k" * 43,
        "ADDRESS_DIGEST_KEY": "soak-only-digest-key-" + "d" * 40,
        "PUBLIC_BASE_URL": "http://localhost:8000",
        "RETRY_DELAYS": "0.01",
        "VAR_DIR": str(folder / "var"),
        "LOG_LEVEL": "CRITICAL",
        "SOAK_FOLDER": str(folder),
        "SOAK_CLUSTER": f"{cluster.folder}:{cluster.port}",
    }


if __name__ == "__main__":
    sys.exit(main())
