"""The stage: an empty database in a folder of its own, a fixed clock, a server."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socketserver import BaseServer
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Final

import django

# A Monday. Every picture is of this moment, so that only changes of pages change them.
NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
_FIXED: Final = {
    "SECRET_KEY": "pictures-only-" + "p" * 50,
    "PUBLIC_LINK_KEYS": "1=" + "p" * 43,
    "ADDRESS_DIGEST_KEY": "pictures-only-" + "d" * 50,
    "PUBLIC_BASE_URL": "http://localhost:8000",
    "DEBUG": "false",
    # Whatever the installation has: nothing leaves this machine, nothing is fetched.
    "EMAIL_URL": "filemail://",
    "BOUNCE_MAILBOX": "",
    "SMS_GATEWAY_URL": "",
    "SECOND_FACTOR": "optional",
    "DJANGO_SETTINGS_MODULE": "tools.screenshots.settings",
    # The browser is driven by an event loop in this very thread.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
}


@contextmanager
def empty_installation() -> Iterator[None]:
    """Set Django up on an empty database that is thrown away afterwards."""
    with TemporaryDirectory(prefix="campaign-pictures-") as folder:
        os.environ.update(_FIXED | _places(Path(folder)))
        django.setup()
        yield


@contextmanager
def serving() -> Iterator[str]:
    """Serve the installation on loopback; gives its address."""
    server = _server()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _places(folder: Path) -> Mapping[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{folder}/pictures.sqlite3",
        "VAR_DIR": str(folder / "var"),
    }


def _server() -> BaseServer:
    # Only after Django was set up can these be imported.
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: what matters is the answer that the browser got."""

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    return server
