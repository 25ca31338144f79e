from django.urls import path

from optout import views

urlpatterns = [
    path("<int:profile_id>/", views.opt_outs, name="opt_outs"),
]
