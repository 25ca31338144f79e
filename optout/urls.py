from django.urls import path

from optout import views, views_bursts

urlpatterns = [
    path("<int:profile_id>/", views.opt_outs, name="opt_outs"),
    path("bursts/", views_bursts.burst_list, name="bursts"),
    path("bursts/look/", views_bursts.burst_look, name="burst_look"),
    path("bursts/<int:burst_id>/", views_bursts.burst_detail, name="burst"),
    path(
        "bursts/<int:burst_id>/reverse/",
        views_bursts.burst_reverse,
        name="burst_reverse",
    ),
    path(
        "bursts/<int:burst_id>/dismiss/",
        views_bursts.burst_dismiss,
        name="burst_dismiss",
    ),
    path("requests/", views_bursts.stop_requests, name="stop_requests"),
    path(
        "requests/<int:request_id>/close/",
        views_bursts.stop_request_close,
        name="stop_request_close",
    ),
]
