"""The pictures of the five-minute guide, in the console's languages, and of README."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page

from tools.screenshots.camera import Camera, Frame

FOLDER: Final = Path("static/console/guide")
TOP: Final = Path("docs/images/console.png")
QUALITY: Final = 50
_FRAME: Final = Frame(920, 620, is_main_only=True)


def take_all(page: Page, known: Mapping[str, object]) -> None:
    """Take every step in every language, and the top of README."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    camera = Camera(page)
    page.emulate_media(color_scheme="light")
    for language, _name in settings.CONSOLE_LANGUAGES:
        _speak(page, language)
        for name, path in steps(known).items():
            camera.go(path)
            picture = camera.picture(_FRAME, quality=QUALITY)
            FOLDER.joinpath(f"{name}-{language}.webp").write_bytes(picture)
        print(f"The guide, {language}", flush=True)
    _speak(page, "en")
    camera.go(reverse("delivery_detail", args=[known["delivery_id"]]))
    TOP.write_bytes(camera.picture(Frame(1280, 860), kind="png"))
    print(f"{TOP}", flush=True)


def steps(known: Mapping[str, object]) -> dict[str, str]:
    """Give the page of each step, by the name of its picture."""
    delivery = known["delivery_id"]
    return {
        "import": reverse("upload_detail", args=[known["upload_id"]]),
        "opt-out": reverse("opt_outs", args=[known["opt_outs.profile_id"]]),
        "landing-page": reverse("landing_page_preview", args=[known["page_id"], "en"]),
        "analyse": reverse("delivery_detail", args=[delivery]),
        "confirm": reverse("delivery_confirm", args=[delivery]),
        "bounces": reverse("inbound_list"),
        "quarantine": reverse("quarantine_address", args=[known["address_id"]]),
    }


def _speak(page: Page, language: str) -> None:
    origin = "/".join(page.url.split("/")[:3])
    cookie = {"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": origin}
    page.context.add_cookies([cookie])
