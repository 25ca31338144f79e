from django.urls import path

from quarantine import views, views_domains, views_figures, views_incidents

urlpatterns = [
    path("", views.addresses, name="quarantine"),
    path("add/", views.add, name="quarantine_add"),
    path("release/", views.release_addresses, name="quarantine_release"),
    path("domains/", views_domains.domains, name="blocked_domains"),
    path("domains/remove/", views_domains.unblock_domain, name="unblock_domain"),
    path("incidents/", views_incidents.incident_list, name="incidents"),
    path("incidents/release/", views_incidents.incident, name="incident"),
    path("incidents/<int:batch_id>/", views_incidents.batch, name="quarantine_batch"),
    path(
        "incidents/<int:batch_id>/confirm/",
        views_incidents.batch_confirm,
        name="quarantine_batch_confirm",
    ),
    path(
        "incidents/<int:batch_id>/discard/",
        views_incidents.batch_discard,
        name="quarantine_batch_discard",
    ),
    path(
        "incidents/<int:batch_id>/undo/",
        views_incidents.batch_undo,
        name="quarantine_batch_undo",
    ),
    path("figures/", views_figures.error_figures, name="quarantine_figures"),
    path(
        "figures/download/",
        views_figures.error_figures_csv,
        name="quarantine_figures_csv",
    ),
    path("growth/", views_figures.growth_of_quarantine, name="quarantine_growth"),
    path("<int:address_id>/", views.address, name="quarantine_address"),
]
