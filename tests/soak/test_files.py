"""Files under kills and stops; and what each mistake would do to them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def soak(*options: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.files", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.postgres
def test_file_has_everybody_once_but_whoever_stopped():
    run = soak("--people", "3000", "--kills", "8", "--stops", "3000")

    assert run["broken"] == []
    assert run["kills"] >= 4
    assert run["stopped_in_time"] > 50
    assert run["after_production"] > 0


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("mistake", "broken", "options"),
    [
        ("nobody_asked_at_assembly", "stopped", "--kills 0 --stops 200"),
        ("stops_answered_while_closing", "stopped", "--kills 0 --stops 2000"),
        ("row_not_unique", "twice", "--kills 4 --stops 0"),
        ("doubtful_left_behind", "lost", "--kills 8 --stops 0"),
    ],
    ids=lambda value: value if str(value).isidentifier() else "",
)
def test_mistake_is_found_in_the_file(mistake, broken, options):
    run = soak("--people", "2000", "--sabotage", mistake, *options.split())

    assert broken in run["broken"]
