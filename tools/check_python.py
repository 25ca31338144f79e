"""Refuse a Python or an SQLite that is too old, in one sentence. Needs no package."""

import sqlite3
import sys

PYTHON = (3, 11)
SQLITE = (3, 37)

if sys.version_info < PYTHON:
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(
        f"Python 3.11 or newer is needed, this is {version}."
        " Name another one: make PYTHON=/path/to/python3.11"
    )
if sqlite3.sqlite_version_info < SQLITE:
    sys.exit(
        f"SQLite 3.37 or newer is needed, this Python has {sqlite3.sqlite_version}."
        " Name another Python: make PYTHON=/path/to/python3.11"
    )
