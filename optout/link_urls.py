"""Whole addresses of public links, as they stand in messages."""

from django.conf import settings
from django.urls import reverse

from optout import tokens
from optout.tokens import Link, Purpose


def stop_url(link: Link) -> str:
    """Give the address of the page with the stop button of a link."""
    token = tokens.make(link, Purpose.STOP)
    return f"{settings.PUBLIC_BASE_URL}{reverse('stop', args=[token])}"


def preferences_url(link: Link) -> str:
    """Give the address of the page where a person sees and changes what they get."""
    token = tokens.make(link, Purpose.PREFERENCES)
    return f"{settings.PUBLIC_BASE_URL}/p/{token}"
