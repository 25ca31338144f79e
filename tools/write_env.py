"""Write .env from .env.example with fresh secrets. Never overwrites."""

import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    fresh = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "PUBLIC_LINK_KEYS": f"1={secrets.token_urlsafe(32)}",
        "ADDRESS_DIGEST_KEY": secrets.token_urlsafe(48),
    }
    for name, value in fresh.items():
        text = text.replace(f"\n{name}=\n", f"\n{name}={value}\n")

    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(ROOT / ".env", flags, 0o600), "w") as file:
        file.write(text)
    print("Wrote .env with fresh secrets. Keep a copy of it with your backups.")


if __name__ == "__main__":
    main()
