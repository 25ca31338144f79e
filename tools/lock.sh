#!/bin/sh
# Write requirements/*.txt from pyproject.toml: hashed, for every Python, no addresses.
set -eu

lock() {
    uv pip compile --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header "$@" pyproject.toml
}

if ! command -v uv >/dev/null; then
    echo "uv is missing, and only it can lock. With it: pip install uv; make lock" >&2
    exit 1
fi
lock -o requirements/base.txt
lock --extra dev -o requirements/dev.txt
