"""Who sees an address in full, and who sees most of it hidden.

The right is profiles.view_full_address. That a page showed addresses in full is kept
on the request, once for the page, so that the door can record it.
"""

from collections.abc import Callable
from typing import Final, cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from profiles.addresses import mask, mask_within

RIGHT: Final = "profiles.view_full_address"
_MARK: Final = "shown_addresses"

# Writes an address of a channel as the one who asks may see it.
Writer = Callable[[int, str], str]


def may_read(request: HttpRequest) -> bool:
    """Say whether whoever asks may read addresses in full."""
    return cast(User, request.user).has_perm(RIGHT)


def address(request: HttpRequest, channel: int, value: str) -> str:
    """Give an address as whoever asks may see it."""
    if not value:
        return ""
    if not may_read(request):
        return mask(channel, value)
    count(request)
    return value


def text(request: HttpRequest, value: str) -> str:
    """Give a text of a server or of an operator; addresses in it are hidden."""
    if may_read(request):
        return value
    return mask_within(value)


def writer(request: HttpRequest) -> Writer:
    """Give what writes addresses for whoever asks."""
    return lambda channel, value: address(request, channel, value)


def count(request: HttpRequest) -> None:
    """Remember that this page shows one more address in full."""
    setattr(request, _MARK, shown_count(request) + 1)


def shown_count(request: HttpRequest) -> int:
    """Tell how many addresses were shown in full so far."""
    return int(getattr(request, _MARK, 0))
