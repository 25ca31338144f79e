"""Taking one page in a browser: still, in every width and both schemes."""

import os
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    sync_playwright,
)

WIDTHS: Final = (360, 1280)
SCHEMES: Final = ("light", "dark")
# Wide pages that are as tall are long tables.
TALLEST: Final = {360: 3_600, 1280: 2_000}
QUALITY: Final = 25
# Nothing moves, and no caret blinks.
_STILL: Final = (
    "*, *::before, *::after { animation: none !important; transition: none !important;"
    " caret-color: transparent !important; scroll-behavior: auto !important }"
)
_HEIGHT: Final = "document.documentElement.scrollHeight"
_MAIN_TOP: Final = "document.querySelector('main').getBoundingClientRect().top"


class PageNotTaken(RuntimeError):
    """A page that did not answer as it should; the text says which and how."""


@dataclass(frozen=True)
class Frame:
    """What of a page is on the picture; without a height all of it, within reason."""

    width: int
    height: int = 0
    # Only what stands below the navigation.
    is_main_only: bool = False


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open the browser that CHROMIUM names."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--hide-scrollbars", "--font-render-hinting=none"],
        )
        try:
            yield browser
        finally:
            browser.close()


def visitor(browser: Browser, address: str) -> BrowserContext:
    """Give somebody who comes for the first time, always from the same place."""
    return browser.new_context(
        base_url=address,
        locale="en-GB",
        timezone_id="UTC",
        reduced_motion="reduce",
        # Past the policy of the pages, for the style that keeps them still.
        bypass_csp=True,
        viewport={"width": 1280, "height": 800},
    )


def sign_in(page: Page, name: str, password: str) -> None:
    """Sign in as people do. Raises PageNotTaken."""
    page.goto("/console/sign-in/")
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(password)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    if "/sign-in/" in page.url:
        raise PageNotTaken(f"{name} could not sign in: {page.url}")


class Camera:
    """Takes pictures of what a page shows."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._browser: CDPSession = page.context.new_cdp_session(page)

    def go(self, path: str) -> None:
        """Open a page and hold it still. Raises PageNotTaken when it is not well."""
        answer = self.page.goto(path, wait_until="load")
        status = answer.status if answer else 0
        reached = self.page.url.removeprefix(self.page.url.split("/", 3)[0])
        if status >= 400 or not reached.split("?")[0].endswith(path.split("?")[0]):
            raise PageNotTaken(f"{path} answered {status} at {self.page.url}")
        self.page.add_style_tag(content=_STILL)

    def every_picture(self) -> Iterator[tuple[int, str, bytes]]:
        """Give (width, scheme, picture) of the page that is open."""
        for width in WIDTHS:
            for scheme in SCHEMES:
                self.page.emulate_media(color_scheme=scheme)
                yield width, scheme, self.picture(Frame(width))

    def picture(
        self, frame: Frame, *, kind: str = "webp", quality: int = QUALITY
    ) -> bytes:
        """Take the page from its top."""
        self._resize(frame.width, frame.height or 800)
        height = frame.height or min(
            int(self.page.evaluate(_HEIGHT)), TALLEST[frame.width]
        )
        # What is as high as the window is as high as the picture.
        self._resize(frame.width, height)
        top = self.page.evaluate(_MAIN_TOP) if frame.is_main_only else 0
        clip = {"x": 0, "y": top, "width": frame.width, "height": height, "scale": 1}
        options = {"format": kind, "captureBeyondViewport": True, "clip": clip}
        if kind != "png":
            options["quality"] = quality
        taken = self._browser.send("Page.captureScreenshot", options)
        return b64decode(taken["data"])

    def _resize(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})
