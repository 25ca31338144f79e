"""Addresses of public links: each ends in its token, and nothing redirects.

Those without a token are for people who lost their link.
"""

from django.urls import path

from optout import (
    public,
    public_asking,
    public_brands,
    public_choosing,
    public_landing,
    public_signing_up,
)

urlpatterns = [
    path("u/<path:token>", public.one_click, name="one_click"),
    path("p/<path:token>", public_choosing.preferences, name="preferences"),
    path("stop/<path:token>", public.stop, name="stop"),
    path("join/<slug:name>", public_signing_up.join, name="join"),
    path("page/<slug:public_id>", public_landing.page, name="public_page"),
    path(
        "page/<slug:public_id>/<path:token>",
        public_landing.own_page,
        name="own_page",
    ),
    path(
        "brands/<int:brand_id>-<slug:digest>.css",
        public_brands.stylesheet,
        name="brand_stylesheet",
    ),
    path(
        "brands/<int:brand_id>-<slug:digest>.<str:extension>",
        public_brands.logo,
        name="brand_logo",
    ),
    path("c/<path:token>", public_signing_up.confirm, name="confirmation"),
    path("stop", public_asking.stop_by_address, name="stop_by_address"),
    path("link", public_asking.mail_me_my_link, name="mail_me_my_link"),
    *(path(each, public_asking.cut_off) for each in ("u/", "p/", "c/", "stop/")),
    path("page/<slug:public_id>/", public_asking.cut_off),
]
