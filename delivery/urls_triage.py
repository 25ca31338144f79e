from django.urls import path

from delivery.views import triage

urlpatterns = [
    path("", triage.triage_list, name="triage"),
    path("<int:item_id>/decide/", triage.triage_decide, name="triage_decide"),
]
