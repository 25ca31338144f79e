"""Run the web server and one worker until Ctrl-C, or until either of them ends.

Usage: python tools/serve.py HOST PORT
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
SECONDS_TO_END = 30


class Stopped(Exception):
    """Somebody asked us to end."""


def main(host: str, port: int) -> int:
    check_port_is_free(host, port)
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::", ""} else host
    address = f"http://{shown}:{port}"
    environment = os.environ | public_base_url(address)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    children: list[subprocess.Popen[bytes]] = []
    try:
        for command in (web_command(host, port), worker_command()):
            # In groups of their own: Ctrl-C reaches them once, through us.
            child = subprocess.Popen(command, env=environment, process_group=0)
            children.append(child)
        wait_until_it_listens(host, port, children)
        print(f"Campaign is at {address} (Ctrl-C ends it).", flush=True)
        return wait_for_the_first(children)
    except Stopped:
        return 0
    finally:
        end(children)


def web_command(host: str, port: int) -> list[str]:
    options = ["--threads", "8", "--no-control-socket", "--log-level", "warning"]
    bind = ["--bind", f"{host}:{port}"]
    return [sys.executable, "-m", "gunicorn", "campaign.wsgi", *options, *bind]


def worker_command() -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "work"]


def public_base_url(address: str) -> dict[str, str]:
    """Give links this address, unless the installation has one of its own."""
    written = (ROOT / ".env").read_text(encoding="utf-8").splitlines()
    is_set = any(line.startswith("PUBLIC_BASE_URL=") for line in written)
    if is_set or "PUBLIC_BASE_URL" in os.environ:
        return {}
    return {"PUBLIC_BASE_URL": address}


def check_port_is_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(
                f"{host}:{port} cannot be served: {error.strerror}."
                " Name another port: make run PORT=8001"
            )


def wait_until_it_listens(
    host: str, port: int, children: list[subprocess.Popen[bytes]]
) -> None:
    target = "127.0.0.1" if host in {"0.0.0.0", ""} else host
    for _ in range(300):
        if any(child.poll() is not None for child in children):
            return
        with socket.socket() as probe:
            if probe.connect_ex((target, port)) == 0:
                return
        time.sleep(0.1)


def wait_for_the_first(children: list[subprocess.Popen[bytes]]) -> int:
    while all(child.poll() is None for child in children):
        time.sleep(0.2)
    name = "web server" if children[0].poll() is not None else "worker"
    print(f"The {name} ended by itself, so all of it ends.", file=sys.stderr)
    return 1


def stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def end(children: list[subprocess.Popen[bytes]]) -> None:
    """Ask the children to end; insist after a while, or when asked again."""
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(SECONDS_TO_END)
        except (subprocess.TimeoutExpired, Stopped):
            child.kill()


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
