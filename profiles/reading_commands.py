"""What the commands share that read a file: their options, and the summary."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

from django.core.management.base import OutputWrapper


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the CSV file")
    parser.add_argument("--report", type=Path, help="where failed rows are listed")
    parser.add_argument(
        "--dry-run", action="store_true", help="only count, write nothing"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the summary as one JSON object"
    )


def show_figures(
    stdout: OutputWrapper, figures: Mapping[str, int], *, is_json: bool
) -> None:
    """Print one JSON object, or a line for each figure."""
    if is_json:
        stdout.write(json.dumps(figures))
        return
    for name, number in figures.items():
        stdout.write(f"{name}: {number}")
