"""Whole addresses of public links, as they stand in messages."""

from functools import cache

from django.conf import settings
from django.urls import reverse

from optout import tokens
from optout.models import Service
from optout.page_states import PageState
from optout.tokens import Link, Purpose
from profiles.channels import Channel


def stop_url(link: Link) -> str:
    """Give the address of the page with the stop button of a link."""
    token = tokens.make(link, Purpose.STOP)
    return f"{settings.PUBLIC_BASE_URL}{_path_of('stop')}{token}"


@cache
def _path_of(name: str) -> str:
    """Give what stands before the token in the path of a page."""
    return reverse(name, args=["x"]).removesuffix("x")


def preferences_url(link: Link) -> str:
    """Give the address of the page where a person sees and changes what they get."""
    token = tokens.make(link, Purpose.PREFERENCES)
    return f"{settings.PUBLIC_BASE_URL}/p/{token}"


def unsubscribe_url(link: Link, service: Service | None = None) -> str:
    """Give the address where a person leaves a service, or the channel without one.

    The page of the service while it is published; the built-in one answers for it
    when it is closed later, and wherever the service has none.
    """
    page = service.unsubscribe_page if service else None
    if page is None or page.state != PageState.PUBLISHED:
        return stop_url(link)
    token = tokens.make(link, Purpose.PREFERENCES)
    path = reverse("own_page", args=[page.public_id, token])
    return f"{settings.PUBLIC_BASE_URL}{path}"


def join_url(service: Service) -> str:
    """Give the address where anybody subscribes to a service; empty when private."""
    if not service.is_open or service.channel != Channel.EMAIL:
        return ""
    return f"{settings.PUBLIC_BASE_URL}{reverse('join', args=[service.name])}"
