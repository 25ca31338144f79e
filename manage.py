#!/usr/bin/env python
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db.utils import OperationalError


def main() -> None:
    """Run a command; what no command can cure ends in one sentence (status 1)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error} `make setup` writes a .env with fresh secrets.")
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        sys.exit(
            f"The database of DATABASE_URL did not answer: {reason}."
            " Start it, or run `make setup` when its tables are missing."
        )
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
