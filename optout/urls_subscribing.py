from django.urls import path

from optout import views_subscribing as views

urlpatterns = [
    path("", views.service_list, name="service_list"),
    path("new/", views.service_new, name="service_new"),
    path("<int:service_id>/", views.service_detail, name="service_detail"),
    path("<int:service_id>/edit/", views.service_edit, name="service_edit"),
    path("subscribe/<int:profile_id>/", views.subscribe, name="subscribe"),
    path("unsubscribe/<int:profile_id>/", views.unsubscribe, name="unsubscribe"),
]
