"""How long a sign-in lasts, and how long a typed password counts.

Three times are kept in the session, in seconds since 1970: when it began, the last
sign of life, and when the password was typed last.
"""

from datetime import datetime, timedelta
from typing import Final, cast

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone

_BEGAN: Final = "signed_in_at"
_SEEN: Final = "seen_at"
_CONFIRMED: Final = "confirmed_at"
# A sign of life is not written more often than this.
_GRAIN: Final = timedelta(minutes=1)


def begin(request: HttpRequest, **kwargs: object) -> None:
    """Note when somebody signed in; the password was typed just now."""
    now = timezone.now().timestamp()
    for name in (_BEGAN, _SEEN, _CONFIRMED):
        request.session[name] = now


def is_over(session: SessionBase, now: datetime) -> bool:
    """Say whether nobody was there for too long, or it lasted too long in all."""
    began, seen = _time(session, _BEGAN, now), _time(session, _SEEN, now)
    return (
        now - seen >= settings.IDLE_TIMEOUT or now - began >= settings.LONGEST_SESSION
    )


def note_life(session: SessionBase, now: datetime) -> None:
    """Note that somebody is there."""
    session.setdefault(_BEGAN, now.timestamp())
    if _SEEN not in session or now - _time(session, _SEEN, now) >= _GRAIN:
        session[_SEEN] = now.timestamp()


def is_confirmed(session: SessionBase, now: datetime) -> bool:
    """Say whether the password was typed a short time ago."""
    if _CONFIRMED not in session:
        return False
    return now - _time(session, _CONFIRMED, now) < settings.CONFIRMED_FOR


def confirm(request: HttpRequest, password: str, *, now: datetime) -> bool:
    """Take the password once more; wrong ones count towards the lock of sign-in."""
    username = cast(User, request.user).get_username()
    user = authenticate(request, username=username, password=password)
    if user is None or user.pk != request.user.pk:
        return False
    request.session[_CONFIRMED] = now.timestamp()
    return True


def _time(session: SessionBase, name: str, default: datetime) -> datetime:
    seconds = session.get(name, default.timestamp())
    return datetime.fromtimestamp(seconds, tz=default.tzinfo)
