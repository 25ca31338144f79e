#!/bin/sh
# Print a Python 3.12 or newer that can make environments, or fail with a sentence.
set -u

is_next() {
    "$1" -c 'import ensurepip, sys; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' \
        >/dev/null 2>&1
}

for python in "${PYTHON_NEXT:-}" python3.13 python3.12 python3.14 python3 \
    "$HOME"/.pyenv/versions/3.1[2-4]*/bin/python3 /opt/python*/bin/python3; do
    if [ -n "$python" ] && is_next "$python"; then
        "$python" -c 'import sys; print(sys.executable)'
        exit 0
    fi
done
echo "No Python 3.12 to 3.14 was found, and these tests need one." \
    "Install it or name it: PYTHON_NEXT=/path/to/python3.13 make test-next" >&2
exit 1
