from django.urls import path

from optout import views_brands as brands
from optout import views_page_editing as editing
from optout import views_page_trials as trials
from optout import views_pages as views

_TEXTS = "<int:page_id>/texts/<language>/"

urlpatterns = [
    path("", views.landing_pages, name="landing_pages"),
    path("new/", views.landing_page_new, name="landing_page_new"),
    path("brands/", brands.brands, name="brands"),
    path("brands/new/", brands.brand_new, name="brand_new"),
    path("brands/<int:brand_id>/", brands.brand, name="brand"),
    path("<int:page_id>/", views.landing_page, name="landing_page"),
    path(
        "<int:page_id>/settings/",
        views.landing_page_settings,
        name="landing_page_settings",
    ),
    path("<int:page_id>/publish/", views.landing_page_publish, name="publish_page"),
    path("<int:page_id>/close/", views.landing_page_close, name="close_page"),
    path("<int:page_id>/discard/", views.landing_page_discard, name="discard_draft"),
    path(
        "<int:page_id>/duplicate/", views.landing_page_duplicate, name="duplicate_page"
    ),
    path("<int:page_id>/offer/", editing.landing_page_offer, name="landing_page_offer"),
    path(
        "<int:page_id>/languages/",
        editing.landing_page_add_language,
        name="add_page_language",
    ),
    path(_TEXTS, editing.landing_page_texts, name="landing_page_texts"),
    path(
        f"{_TEXTS}remove/",
        editing.landing_page_remove_language,
        name="remove_page_language",
    ),
    path(
        "<int:page_id>/preview/<language>/",
        editing.landing_page_preview,
        name="landing_page_preview",
    ),
    path(
        "<int:page_id>/preview/<language>/frame/",
        editing.landing_page_frame,
        name="landing_page_frame",
    ),
    path(
        "<int:page_id>/versions/<int:number>/",
        trials.landing_page_version,
        name="landing_page_version",
    ),
    path(
        "<int:page_id>/dry-run/",
        trials.landing_page_dry_run,
        name="landing_page_dry_run",
    ),
]
