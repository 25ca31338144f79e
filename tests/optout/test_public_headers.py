"""What every public page tells browsers, caches and search engines."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from optout import tokens
from optout.tokens import Link, Purpose
from profiles.channels import Channel
from tests import factories
from tests.source import ROOT

pytestmark = pytest.mark.django_db
MOST_BYTES = 14 * 1024
PAGES = ["one_click", "stop", "unknown", "stop_by_address", "mail_me_my_link"]


def path_of(name: str) -> str:
    profile = factories.make_profile(email="jane@example.org")
    link = Link(profile.pk, Channel.EMAIL, datetime(2026, 1, 1, tzinfo=UTC))
    return {
        "one_click": f"/u/{tokens.make(link, Purpose.ONE_CLICK)}",
        "stop": f"/stop/{tokens.make(link, Purpose.STOP)}",
        "unknown": "/stop/x",
        "stop_by_address": "/stop",
        "mail_me_my_link": "/link",
    }[name]


def directives(answer) -> dict[str, str]:
    parts = answer["Content-Security-Policy"].split(";")
    return {
        name: rest for name, _, rest in (part.strip().partition(" ") for part in parts)
    }


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("name", PAGES)
def test_public_pages_carry_strict_headers(client: Client, name, method) -> None:
    answer = client.generic(method, path_of(name))
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies
    assert directives(answer) == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("name", PAGES)
def test_public_pages_are_small_and_load_nothing_from_elsewhere(client, name) -> None:
    text = client.get(path_of(name)).content.decode()
    sheet = (ROOT / "static/public/public.css").stat().st_size
    assert len(text.encode()) + sheet < MOST_BYTES
    assert not re.findall(r"<script|style=|https?://", text)
    assert text.count("<h1") == 1


def test_console_keeps_its_own_policy(client: Client) -> None:
    assert directives(client.get("/console/sign-in/"))["script-src"] == "'self'"
