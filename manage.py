#!/usr/bin/env python
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db.utils import DatabaseError, DataError, IntegrityError, InterfaceError


def main() -> None:
    """Run a command; what no command can cure ends in one sentence (status 1)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")
    # Results are UTF-8 whatever the terminal is; a bad byte in a name is no reason.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except ImproperlyConfigured as error:
        reason = str(error).strip().splitlines()[0]
        sys.exit(f"Settings: {reason} `make setup` writes a .env with fresh secrets.")
    except (IntegrityError, DataError):
        raise  # the database answered: these are ours to mend
    except (DatabaseError, InterfaceError) as error:
        reason = str(error).strip().splitlines()[0]
        sys.exit(
            f"The database of DATABASE_URL did not answer: {reason}."
            " Start it, or run `make setup` when its tables are missing."
        )
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)
    except UnicodeEncodeError:
        if all(map(_is_text, sys.argv)):
            raise
        sys.exit("An argument holds bytes that are no text. Write it in UTF-8.")
    except OSError as error:
        if error.filename is not None:
            sys.exit(
                f"{error.filename} cannot be used: {error.strerror}."
                " Check its path and its permissions."
            )
        _forget_output()
        sys.exit(f"The results were not all written: {error.strerror}. Mind where to.")


def _is_text(argument: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in argument)


def _forget_output() -> None:
    # Python flushes it once more when it ends, and would complain once more.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
