"""The pictures of every page as files, and the page that lists them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tools.screenshots.camera import SCHEMES, WIDTHS, Camera
from tools.screenshots.pages import Shot

_HEAD: Final = """\
# Every page of the console, and every public page

Made from the example data by `make screenshots`, at 360 and 1280 pixels, light and
dark. Pages are called as in `campaign/acts.py`; press a picture to see it whole.
"""
_THUMBNAILS: Final = {360: 90, 1280: 220}


def file_name(shot: Shot, width: int, scheme: str) -> str:
    """Name one picture."""
    return f"{shot.name}-{width}-{scheme}.webp"


def take(camera: Camera, shot: Shot, folder: Path) -> None:
    """Write the pictures of one page."""
    camera.go(shot.path)
    for width, scheme, picture in camera.every_picture():
        folder.joinpath(file_name(shot, width, scheme)).write_bytes(picture)


def write_index(shots: Iterable[Shot], folder: Path) -> None:
    """Write the README of the pictures, one row a page."""
    columns = [(width, scheme) for width in WIDTHS for scheme in SCHEMES]
    lines = [
        _HEAD,
        f"| page | {' | '.join(f'{width} {scheme}' for width, scheme in columns)} |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for shot in shots:
        cells = [_cell(shot, width, scheme) for width, scheme in columns]
        lines.append(f"| {shot.name} | {' | '.join(cells)} |")
    folder.joinpath("README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def forget(shots: Iterable[Shot], folder: Path) -> None:
    """Remove pictures of pages that are gone."""
    names = {
        file_name(shot, width, scheme)
        for shot in shots
        for width in WIDTHS
        for scheme in SCHEMES
    }
    for path in folder.glob("*.webp"):
        if path.name not in names:
            path.unlink()


def _cell(shot: Shot, width: int, scheme: str) -> str:
    name, said = file_name(shot, width, scheme), f"{shot.name}, {width}, {scheme}"
    return (
        f'<a href="{name}"><img src="{name}" width="{_THUMBNAILS[width]}"'
        f' alt="{said}"></a>'
    )
