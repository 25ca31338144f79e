"""Making all pictures, with a line on the terminal for each page."""

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Final

from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as BrowserError

from tools.screenshots import album, guide, pages, world
from tools.screenshots.camera import Camera, PageNotTaken, chromium, sign_in, visitor
from tools.screenshots.pages import MissingExample, Shot

REFUSALS: Final = (MissingExample, PageNotTaken, BrowserError)
FOLDER: Final = Path("docs/screenshots")
# Seen by whoever has not signed in.
_BEFORE: Final = {"sign-in"}


def make(
    address: str, password: str, *, only: Sequence[str] | None, is_guide_only: bool
) -> None:
    """Make what is asked for. Raises one of REFUSALS with a sentence."""
    known = pages.things()
    shots = pages.shots(known)
    with chromium() as browser:
        operator = operator_at(browser, address, password)
        if not is_guide_only:
            stranger = Camera(visitor(browser, address).new_page())
            make_album(stranger, Camera(operator), chosen(shots, only))
        if not is_guide_only and not only:
            album.forget(shots, FOLDER)
            album.write_index(shots, FOLDER)
        if not only:
            guide.take_all(operator, known)
    print("Done.")


def chosen(shots: Sequence[Shot], only: Sequence[str] | None) -> list[Shot]:
    """Keep the pages that were named. Raises MissingExample for a name of none."""
    unknown = set(only or ()) - {each.name for each in shots}
    if unknown:
        raise MissingExample(
            f"There is no page “{sorted(unknown)[0]}”. The names are those of the"
            " files in docs/screenshots, without width and scheme."
        )
    return [each for each in shots if not only or each.name in only]


def make_album(stranger: Camera, operator: Camera, shots: Sequence[Shot]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    began = monotonic()
    for number, shot in enumerate(shots, 1):
        is_public = not shot.path.startswith("/console/") or shot.name in _BEFORE
        album.take(stranger if is_public else operator, shot, FOLDER)
        print(f"{number:3} of {len(shots)}  {shot.name}", flush=True)
    size = sum(path.stat().st_size for path in FOLDER.glob("*.webp")) / 1_000_000
    print(f"{size:.1f} MB in {FOLDER}, {monotonic() - began:.0f} s.")


def operator_at(browser: Browser, address: str, password: str) -> Page:
    page = visitor(browser, address).new_page()
    sign_in(page, world.OPERATOR, password)
    return page
