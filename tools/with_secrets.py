"""Run a command with secrets made for it and an empty database in memory.

Usage: python tools/with_secrets.py COMMAND [ARGUMENT...]
"""

import os
import secrets
import sys


def main() -> None:
    fresh = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "PUBLIC_LINK_KEYS": f"1={secrets.token_urlsafe(32)}",
        "ADDRESS_DIGEST_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": "sqlite://:memory:",
        "DEBUG": "false",
    }
    os.execvpe(sys.argv[1], sys.argv[1:], os.environ | fresh)


if __name__ == "__main__":
    main()
