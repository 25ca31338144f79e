"""Addresses of public links: each ends in its token, and nothing redirects."""

from django.urls import path

from optout import public

urlpatterns = [
    path("u/<path:token>", public.one_click, name="one_click"),
    path("p/<path:token>", public.preferences, name="preferences"),
    path("stop/<path:token>", public.stop, name="stop"),
]
