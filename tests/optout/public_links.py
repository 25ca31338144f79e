"""Links as recipients hold them, and what is done with them over HTTP."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from optout import public, tokens
from optout.models import ConsentEvent, OptOut, Subscription
from optout.tokens import Link, Purpose
from profiles.channels import Channel
from profiles.models import Address, Profile

MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
PAIR = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "----limit"
MULTIPART = (
    f"--{BOUNDARY}\r\nContent-Disposition: form-data;"
    f' name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--{BOUNDARY}--\r\n'
)
MULTIPART_KIND = f"multipart/form-data; boundary={BOUNDARY}"


def address(profile: Profile, purpose: Purpose, **fields: object) -> str:
    about = {"channel": Channel.EMAIL, "made_at": MADE_AT} | fields
    token = tokens.make(Link(profile_id=profile.pk, **about), purpose)  # type: ignore[arg-type]
    return f"/{'u' if purpose is Purpose.ONE_CLICK else 'stop'}/{token}"


def everything() -> list[object]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Profile, Address, OptOut, Subscription, ConsentEvent)
    ]


def is_out(profile: Profile, channel: int = Channel.EMAIL) -> bool:
    return OptOut.objects.filter(profile=profile, channel=channel).exists()


def pressed(visitor: Client, url: str, monkeypatch: pytest.MonkeyPatch, **choices: str):
    """Open a page, read it for a while, and press its button."""
    page = visitor.get(url).content.decode()
    action = re.search(r'action="([^"]+)"', page).group(1)
    nonce = re.search(r'name="form" value="([^"]+)"', page).group(1)
    later = timezone.now() + timedelta(seconds=3)
    monkeypatch.setattr(public.timezone, "now", lambda: later)
    return visitor.post(action, {"form": nonce} | choices)


def undo_of(answer) -> str:
    return re.search(r'name="undo" value="([^"]+)"', answer.content.decode()).group(1)


def is_subscribed(profile: Profile) -> bool:
    own = Subscription.objects.current(timezone.now())
    return own.filter(profile=profile).exists()


def heading(answer) -> str:
    return re.search(r"<h1>(.+?)</h1>", answer.content.decode()).group(1)
