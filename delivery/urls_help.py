from django.urls import path

from delivery.views import helping

urlpatterns = [
    path("", helping.guide, name="help"),
    path("glossary/", helping.glossary, name="glossary"),
]
