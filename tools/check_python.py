"""Refuse a Python or an SQLite that is too old, in one sentence. Needs no package."""

import sqlite3
import sys

PYTHON = (3, 11)
SQLITE = (3, 37)

if sys.version_info < PYTHON:
    sys.exit(
        "Python 3.11 or newer is needed, this is %d.%d. Name another one:"
        " make PYTHON=/path/to/python3.11" % sys.version_info[:2]
    )
if sqlite3.sqlite_version_info < SQLITE:
    sys.exit(
        "SQLite 3.37 or newer is needed, this Python has %s. Name another Python:"
        " make PYTHON=/path/to/python3" % sqlite3.sqlite_version
    )
