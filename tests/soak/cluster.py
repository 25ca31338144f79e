"""A PostgreSQL of our own, which may be crashed. It keeps what it says it keeps."""

import glob
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path


class Cluster:
    """One throwaway server on loopback: start(), crash(), stop()."""

    def __init__(self, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="campaign-soak."))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.port = free_port()
        self._options = options

    @classmethod
    def attach(cls, where: str) -> "Cluster":
        """Take one that another process started, from `folder:port`."""
        folder, _, port = where.rpartition(":")
        cluster = cls.__new__(cls)
        cluster.folder, cluster.port = Path(folder), int(port)
        cluster.data = cluster.folder / "data"
        return cluster

    @property
    def url(self) -> str:
        return f"postgres://campaign@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self.data.mkdir()
        if os.getuid() == 0:
            shutil.chown(self.data, "postgres")
            shutil.chown(self.folder, "postgres")
        options = ["-U", "campaign", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        self._run("initdb", "-D", str(self.data), "--no-sync", *options)
        self._serve()

    def crash(self) -> None:
        """End the server as a power cut would end its processes, and start it again."""
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop")
        # With the options that it was started with.
        self._run("pg_ctl", "-D", str(self.data), "-l", self._log, "-w", "start")

    def follow(self) -> "Cluster":
        """Start a replica of it, which answers questions and takes no writes."""
        replica = Cluster()
        if os.getuid() == 0:
            shutil.chown(replica.folder, "postgres")
        source = f"postgres://campaign@127.0.0.1:{self.port}/"
        copy = ["--pgdata", str(replica.data), "--checkpoint=fast", "--no-sync"]
        self._run("pg_basebackup", "-d", source, "--write-recovery-conf", *copy)
        replica._serve()
        return replica

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log(self) -> str:
        return str(self.folder / "log")

    def _serve(self) -> None:
        with (self.data / "postgresql.conf").open("a") as file:
            print(f"port = {self.port}", file=file)
            print(f"unix_socket_directories = '{self.folder}'", file=file)
            print("listen_addresses = '127.0.0.1'", file=file)
            for option in ("shared_buffers=128MB", *self._options):
                print(option, file=file)
        self._run("pg_ctl", "-D", str(self.data), "-l", self._log, "-w", "start")

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(Path(binaries()) / name), *arguments]
        if os.getuid() == 0:
            # PostgreSQL refuses to run as root.
            who = ["--reuid=postgres", "--regid=postgres", "--init-groups"]
            command = ["setpriv", *who, "--", *command]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


def binaries() -> str:
    """Find the newest PostgreSQL of the machine. Raises SystemExit with a sentence."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [
        path for path in [shutil.which("initdb")] if path
    ]
    if not found:
        raise SystemExit("There is no PostgreSQL here: install its server first.")
    return str(Path(found[-1]).resolve().parent)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
