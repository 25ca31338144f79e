"""One page is taken, as `make screenshots` takes them all."""

from struct import unpack

import pytest

from delivery import operators
from tools.screenshots import album, camera
from tools.screenshots.camera import Camera, PageNotTaken
from tools.screenshots.pages import Shot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def size_of(webp: bytes) -> tuple[int, int]:
    """Read width and height of a WebP file (RFC 9649 sections 2.5 and 2.7)."""
    assert (webp[:4], webp[8:15]) == (b"RIFF", b"WEBPVP8")
    if webp[15:16] == b"X":
        width, height = webp[24:27], webp[27:30]
        return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    width, height = unpack("<HH", webp[26:30])
    return width & 0x3FFF, height & 0x3FFF


def test_page_is_taken_in_every_width_and_scheme(browser, live_server, tmp_path):
    account = operators.create("alex")
    page = camera.visitor(browser, live_server.url).new_page()
    camera.sign_in(page, "alex", account.password)

    album.take(Camera(page), Shot("home", "/console/"), tmp_path)

    taken = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(taken) == [
        f"home-{width}-{scheme}.webp"
        for width in (1280, 360)
        for scheme in ("dark", "light")
    ]
    assert {size_of(each)[0] for each in taken.values()} == {360, 1280}
    assert taken["home-360-dark.webp"] != taken["home-360-light.webp"]
    page.context.close()


def test_page_that_is_not_there_is_named(browser, live_server):
    page = camera.visitor(browser, live_server.url).new_page()

    with pytest.raises(PageNotTaken, match="/console/profiles/ answered 200 at"):
        Camera(page).go("/console/profiles/")
    page.context.close()
