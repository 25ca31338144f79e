from django.urls import path

from quarantine import views, views_domains

urlpatterns = [
    path("", views.addresses, name="quarantine"),
    path("add/", views.add, name="quarantine_add"),
    path("release/", views.release_addresses, name="quarantine_release"),
    path("domains/", views_domains.domains, name="blocked_domains"),
    path("domains/remove/", views_domains.unblock_domain, name="unblock_domain"),
    path("<int:address_id>/", views.address, name="quarantine_address"),
]
